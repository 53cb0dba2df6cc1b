/** The one way in which a greenlet suspends. @module */

import type { Greenlet } from "./greenlet.ts";
import type { Runnable } from "./runnable.ts";

const ARMED = 0;
const RETURNED = 1;
const THREW = 2;
const OVER = 3;

let takeResolve: (value: unknown) => void;
let takeReject: (error: unknown) => void;
// One executor for all promises: a closure for each would cost as much as the promise.
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
 * 3. The outcome then takes its turn after all that is ready already, and the promise of
 *    {@linkcode Wait.suspend} settles: never inside the call that settled the wait.
 * 4. A kill or a timeout reaches the innermost wait through {@linkcode Wait.interrupt}. A wait that
 *    was settled before keeps its outcome: what was received is not lost, the interrupt hits the
 *    next wait.
 *
 * @typeParam T What the wait ends with.
 */
export class Wait<T> implements Runnable {
  /** Who waits. */
  readonly greenlet: Greenlet<unknown>;
  /** What for, for reports: an import's name, `sleep`, …. */
  label: string;
  /** Releases what the wait holds when it is interrupted: a timer, a place in a queue. */
  release: (() => void) | undefined = undefined;
  /** The next outer wait of the same greenlet. For the greenlet itself. */
  outer: Wait<unknown> | undefined = undefined;

  #state = ARMED;
  #value: unknown = undefined;
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;

  /** Begins a wait of a greenlet. */
  constructor(greenlet: Greenlet<unknown>, label: string) {
    this.greenlet = greenlet;
    this.label = label;
    greenlet.beginWait(this);
  }

  /** Whether nothing has ended it yet. */
  get armed(): boolean {
    return this.#state === ARMED;
  }

  /** Whether the greenlet runs on. */
  get over(): boolean {
    return this.#state === OVER;
  }

  /**
   * The promise that settles when the greenlet runs on. Call it once, after having arranged for
   * the wait's end.
   */
  suspend(): Promise<T> {
    if (this.#state !== ARMED && this.greenlet.hub.admitTurn()) {
      // Over before it began: the microtask queue is the ready queue, as nobody stands in ours.
      return this.#pass();
    }
    const promise = new Promise<unknown>(take) as Promise<T>;
    this.#resolve = takeResolve;
    this.#reject = takeReject;
    if (this.#state !== ARMED) this.#queue();
    return promise;
  }

  /** Ends the wait with a value. */
  settle(value: T): void {
    if (this.#state === ARMED) this.#end(RETURNED, value);
  }

  /** Ends the wait with an error. */
  fail(error: unknown): void {
    if (this.#state === ARMED) this.#end(THREW, error);
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
    const failed = this.#state === THREW;
    this.#state = OVER;
    this.greenlet.endWait(this);
    if (failed) this.#reject?.(this.#value);
    else this.#resolve?.(this.#value);
  }

  /** Uses the object for another wait of the same greenlet, when nobody else holds it. */
  protected begin(label: string): void {
    this.label = label;
    this.#state = ARMED;
    this.#resolve = undefined;
    this.greenlet.beginWait(this);
  }

  #end(state: number, value: unknown): void {
    this.#state = state;
    this.#value = value;
    if (this.#resolve !== undefined) this.#queue();
  }

  #queue(): void {
    const { hub } = this.greenlet;
    if (hub.admitTurn()) this.run();
    else hub.ready(this);
  }

  /** The promise of a wait that is over: it takes one microtask, as {@linkcode Wait.run} does. */
  #pass(): Promise<T> {
    const failed = this.#state === THREW;
    this.#state = OVER;
    this.greenlet.endWait(this);
    return failed
      ? Promise.reject(this.#value)
      : Promise.resolve(this.#value as T);
  }
}
