/** The wait of code that is part of no greenlet. @module */

import type { Hub } from "../hub.ts";
import type { Runnable } from "../runnable.ts";

/**
 * What a {@linkcode Wait} is to a greenlet: the first outcome counts, and it takes its turn in the
 * hub's ready queue, among the greenlets.
 *
 * @typeParam T What the wait ends with.
 */
export class PlainWait<T> implements Runnable {
  readonly #hub: Hub;
  readonly #resolvers = Promise.withResolvers<T>();
  #outcome: (() => void) | undefined = undefined;

  /** Begins a wait on a hub. */
  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** Whether nothing has ended it yet. */
  get armed(): boolean {
    return this.#outcome === undefined;
  }

  /** The promise that settles when the waiter's turn has come. */
  suspend(): Promise<T> {
    return this.#resolvers.promise;
  }

  /** Ends the wait with a value. */
  settle(value: T): void {
    this.#end(() => this.#resolvers.resolve(value));
  }

  /** Ends the wait with an error. */
  fail(error: unknown): void {
    this.#end(() => this.#resolvers.reject(error));
  }

  /** Lets the waiter run on. For the hub. */
  run(): void {
    this.#outcome?.();
  }

  #end(outcome: () => void): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if (this.#hub.admitTurn()) outcome();
    else this.#hub.ready(this);
  }
}
