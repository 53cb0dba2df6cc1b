/** Promises that a test settles, in the order that it chooses. @module */

/** One promise. */
export class Gate<T = void> {
  readonly #resolvers = Promise.withResolvers<T>();

  /** Settles when the test says so. */
  get promise(): Promise<T> {
    return this.#resolvers.promise;
  }

  /** Resolves it. */
  open(value: T): void {
    this.#resolvers.resolve(value);
  }

  /** Rejects it. */
  fail(error: unknown): void {
    this.#resolvers.reject(error);
  }
}

/** A row of gates: each pass through it waits for its own turn to be let through. */
export class Gates<T = void> {
  readonly #waiting: Gate<T>[] = [];

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits until the test opens this pass. */
  pass(): Promise<T> {
    const gate = new Gate<T>();
    this.#waiting.push(gate);
    return gate.promise;
  }

  /** Lets one through: the first that came, or the one at an index. */
  open(value: T, index = 0): void {
    this.#take(index).open(value);
  }

  /** Makes one fail: the first that came, or the one at an index. */
  fail(error: unknown, index = 0): void {
    this.#take(index).fail(error);
  }

  #take(index: number): Gate<T> {
    const [gate] = this.#waiting.splice(index, 1);
    if (gate === undefined) throw new Error(`Nobody waits at gate ${index}`);
    return gate;
  }
}
