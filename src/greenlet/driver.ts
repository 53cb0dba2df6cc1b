/** What a hub needs from the runtime below it. @module */

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
}

/** A timer of a {@linkcode HubDriver}: a number, or an object of the driver's own. */
export type TimerHandle = number | object;
