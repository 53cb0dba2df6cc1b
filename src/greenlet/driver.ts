/** What a hub needs from the runtime below it. @module */

import type { Greenlet } from "./greenlet.ts";

/** The clock, timers and macrotasks of one thread; virtual in tests. */
export interface HubDriver {
  /** A monotonic clock, in milliseconds. */
  now(): number;
  /** Runs a function in a later turn of the event loop, after pending I/O had its chance. */
  hop(run: () => void): void;
  /**
   * Runs a function after a delay.
   *
   * @param run The function.
   * @param delay In milliseconds.
   * @returns A handle for {@linkcode HubDriver.clearTimer}.
   */
  setTimer(run: () => void, delay: number): TimerHandle;
  /** Forgets a timer; a timer that has fired is ignored. */
  clearTimer(timer: TimerHandle): void;
  /**
   * Which greenlet asynchronous JavaScript belongs to, where the runtime can follow it across
   * `await`.
   */
  readonly context?: GreenletContext;
}

/** Follows greenlets through asynchronous JavaScript, as `AsyncLocalStorage` does. */
export interface GreenletContext {
  /** Runs a function, and all that it awaits, as part of a greenlet. */
  run<T>(greenlet: Greenlet<unknown>, body: () => T): T;
  /** The greenlet that the running code is part of. */
  current(): Greenlet<unknown> | undefined;
  /** A function that runs as part of no greenlet, whoever calls or queues it. */
  outside(run: () => void): () => void;
}

/** A timer of a {@linkcode HubDriver}: a number, or an object of the driver's own. */
export type TimerHandle = number | object;
