/** How a greenlet ends, and who is told. @module */

import type { Hub } from "./hub.ts";
import type { GreenletState } from "./spawn_options.ts";

/**
 * The half of a greenlet that others wait for.
 *
 * @typeParam T What it ends with.
 */
export abstract class GreenletOutcome<T> implements PromiseLike<T> {
  /**
   * The scheduler that runs it.
   *
   * @internal
   */
  readonly hub: Hub;
  #state: GreenletState = "queued";
  /** What it returned, or what it failed with. */
  #outcome: unknown = undefined;
  #promised: PromiseWithResolvers<unknown> | undefined = undefined;
  #endings: Set<() => void> | undefined = undefined;
  #taken = false;
  #givenUp = false;

  /** One that has not ended. */
  constructor(hub: Hub) {
    this.hub = hub;
  }

  /** For reports and errors. */
  abstract get name(): string;

  /** Where it is in its life. */
  get state(): GreenletState {
    return this.#state;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#state !== "queued" && this.#state !== "running" &&
      this.#state !== "suspended";
  }

  /** Whether it has ended, as gevent's `ready()`: what others wait for is there. */
  get ready(): boolean {
    return this.ended;
  }

  /** Whether it has ended by returning. One that was killed has not. */
  get successful(): boolean {
    return this.#state === "succeeded";
  }

  /** What it returned; `undefined` until then. */
  get value(): T | undefined {
    // What the body returned, which is a T.
    return this.successful ? this.#outcome as T : undefined;
  }

  /** What it failed with, or the kill's error; `undefined` until then. */
  get error(): unknown {
    return this.successful ? undefined : this.#outcome;
  }

  /** Takes the result or the error, as a promise's `then`. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promise().then(onFulfilled, onRejected);
  }

  /** Takes the error, as a promise's `catch`. */
  catch<B = never>(
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<T | B> {
    return this.promise().catch(onRejected);
  }

  /** Runs a function at the end, as a promise's `finally`. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.promise().finally(onFinally);
  }

  /** Runs a function when it ends, inside the end. @returns Takes that back. */
  onEnd(run: () => void): () => void {
    const endings = this.#endings ??= new Set();
    endings.add(run);
    return () => endings.delete(run);
  }

  /**
   * Notes that somebody gets its error, so that it is not reported.
   *
   * @internal
   */
  takeError(): void {
    this.#taken = true;
    this.#promised?.promise.catch(ignore);
  }

  /**
   * Whether somebody gets its error.
   *
   * @internal
   */
  get taken(): boolean {
    return this.#taken;
  }

  /**
   * Rejects with nobody there, so that the runtime reports it. For the hub.
   *
   * @internal
   */
  rejectUnseen(): void {
    this.#promised = Promise.withResolvers<unknown>();
    this.#promised.reject(this.#outcome);
  }

  /**
   * Notes that somebody who waited for it has given up: its error is no news to end a process by.
   *
   * @internal
   */
  giveUp(): void {
    this.#givenUp = true;
  }

  /**
   * Whether somebody who waited for it has given up.
   *
   * @internal
   */
  get givenUp(): boolean {
    return this.#givenUp;
  }

  /**
   * Notes where it is in its life.
   *
   * @internal
   */
  protected enter(state: "running" | "suspended"): void {
    this.#state = state;
  }

  /**
   * Ends it, then tells those who promised to act inside the end.
   *
   * @internal
   */
  protected settle(
    state: "succeeded" | "failed" | "killed",
    outcome: unknown,
  ): void {
    this.#state = state;
    this.#outcome = outcome;
  }

  /**
   * Tells whoever waits. At the end.
   *
   * @internal
   */
  protected announce(): void {
    if (this.#endings !== undefined) {
      for (const run of this.#endings) run();
      this.#endings = undefined;
    }
    if (this.#state === "succeeded") this.#promised?.resolve(this.#outcome);
    else {
      this.#promised?.reject(this.#outcome);
      if (this.#state === "killed") this.#promised?.promise.catch(ignore);
    }
  }

  /**
   * The promise of its outcome, for somebody who gets its error.
   *
   * @internal
   */
  protected promise(): Promise<T> {
    this.#taken = true;
    if (this.#promised === undefined) {
      this.#promised = Promise.withResolvers<unknown>();
      if (this.#state === "succeeded") this.#promised.resolve(this.#outcome);
      else if (this.ended) this.#promised.reject(this.#outcome);
    }
    // Resolved with the value of the body, which is a T.
    return this.#promised.promise as Promise<T>;
  }
}

function ignore(): void {}
