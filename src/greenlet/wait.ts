/** The one way in which a greenlet suspends. @module */

import type { Greenlet } from "./greenlet.ts";
import type { Runnable } from "./runnable.ts";

const ARMED = 0;
const SETTLED = 1;
const OVER = 2;

let takeResolve: (value: unknown) => void;
let takeReject: (error: unknown) => void;
// One executor for all promises: a closure for each would cost more than the promise.
function take(
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): void {
  takeResolve = resolve;
  takeReject = reject;
}

/**
 * One suspension of a greenlet, from the moment it gives way to the moment it runs on.
 *
 * 1. Creating a `Wait` marks the greenlet suspended and makes it the greenlet's innermost wait.
 * 2. Whatever ends it calls {@linkcode Wait.settle} or {@linkcode Wait.fail}, from anywhere and at
 *    any time; the first call counts, later ones are ignored, so an abandoned operation may finish
 *    as late as it likes.
 * 3. The outcome then takes its turn in the hub's ready queue, and {@linkcode Wait.promise}
 *    settles: never inside the call that settled it.
 * 4. A kill or a timeout reaches the innermost wait through {@linkcode Wait.interrupt}. A wait that
 *    was settled before keeps its outcome: what was received is not lost, the interrupt hits the
 *    next wait.
 */
export class Wait<T> implements Runnable {
  /** Who waits. */
  readonly greenlet: Greenlet<unknown>;
  /** What for, for reports: an import's name, `sleep`, …. */
  readonly label: string;
  /** Settles when the greenlet runs on. */
  readonly promise: Promise<T>;
  /** Releases what the wait holds when it is interrupted: a timer, a place in a queue. */
  release: (() => void) | undefined = undefined;
  /** The next outer wait of the same greenlet. For the greenlet itself. */
  outer: Wait<unknown> | undefined = undefined;

  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #state = ARMED;
  #failed = false;
  #value: unknown = undefined;

  /** Begins a wait of a greenlet. */
  constructor(greenlet: Greenlet<unknown>, label: string) {
    this.greenlet = greenlet;
    this.label = label;
    this.promise = new Promise<unknown>(take) as Promise<T>;
    this.#resolve = takeResolve;
    this.#reject = takeReject;
    greenlet.beginWait(this);
  }

  /** Whether nothing has ended it yet. */
  get armed(): boolean {
    return this.#state === ARMED;
  }

  /** Ends the wait with a value. */
  settle(value: T): void {
    if (this.#state !== ARMED) return;
    this.#end(value, false);
  }

  /** Ends the wait with an error. */
  fail(error: unknown): void {
    if (this.#state !== ARMED) return;
    this.#end(error, true);
  }

  /**
   * Delivers a kill or a timeout, if the wait can take one now.
   *
   * @param reason What the waiter gets.
   * @param _force Whether a wait that shields itself must end nevertheless.
   * @returns Whether the wait took it.
   */
  interrupt(reason: Error, _force = false): boolean {
    if (this.#state !== ARMED) return false;
    this.release?.();
    this.fail(reason);
    return true;
  }

  /** Takes the wait back: its greenlet never gave way. */
  cancel(): void {
    this.#state = OVER;
    this.greenlet.endWait(this);
  }

  /** Lets the greenlet run on. For the hub. */
  run(): void {
    this.#state = OVER;
    this.greenlet.endWait(this);
    if (this.#failed) this.#reject(this.#value);
    else this.#resolve(this.#value);
  }

  #end(value: unknown, failed: boolean): void {
    this.#state = SETTLED;
    this.#value = value;
    this.#failed = failed;
    this.greenlet.hub.ready(this);
  }
}
