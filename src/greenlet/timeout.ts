/** A limit on how long a greenlet may take. @module */

import { HedgesnakeError } from "../errors.ts";
import type { TimerHandle } from "./driver.ts";
import type { Greenlet } from "./greenlet.ts";

/**
 * An error that throws itself into a greenlet after a time, as gevent's.
 *
 * It acts where the greenlet waits, or at its next wait; one that computes to its end is not hit.
 * The greenlet rejects with this very object, so that nested timeouts can be told apart by
 * identity.
 *
 * @example A query that may take 100 ms
 * ```ts ignore
 * const query = library.exports.query(7);
 * using timeout = new Timeout(100).start(query);
 * await query; // rejects with `timeout`
 * ```
 */
export class Timeout extends HedgesnakeError {
  /** After which it fires, in milliseconds; `undefined`: never. */
  readonly delay: number | undefined;
  #cancel: (() => void) | undefined = undefined;
  #withdraw: (() => void) | undefined = undefined;

  /**
   * A timeout that is not running yet.
   *
   * @param delay In milliseconds; 0 fires at the event loop's next turn, `undefined` never.
   * @param message The error's message; says how long by default.
   * @throws {RangeError} When the delay is negative or not a number.
   */
  constructor(delay?: number, message?: string) {
    super(message ?? `Timed out after ${delay} ms`);
    if (delay !== undefined && !(delay >= 0)) {
      throw new RangeError(
        `Cannot create a timeout of ${delay} ms: the delay must be 0 or more`,
      );
    }
    this.delay = delay;
  }

  /** Whether it runs and has neither fired nor been cancelled. */
  get pending(): boolean {
    return this.#cancel !== undefined;
  }

  /**
   * Starts the clock for a greenlet. It stops by itself when the greenlet ends.
   *
   * @param greenlet The one to interrupt.
   * @returns This timeout.
   * @throws {TypeError} When it is running already.
   */
  start(greenlet: Greenlet<unknown>): this {
    if (this.pending) {
      throw new TypeError("Cannot start a timeout: it is running already");
    }
    if (this.delay === undefined || greenlet.ended) return this;
    const { driver } = greenlet.hub;
    const timer: TimerHandle = driver.setTimer(() => {
      this.cancel();
      greenlet.interrupt(this);
      // It may have to wait for the greenlet's next wait, which may be after the end of its block.
      this.#withdraw = () => greenlet.withdraw(this);
    }, this.delay);
    const unlink = greenlet.onEnd(() => this.cancel());
    this.#cancel = () => {
      driver.clearTimer(timer);
      unlink();
    };
    return this;
  }

  /**
   * Stops the clock; it may be started again. If it has fired, and the greenlet has not waited
   * since, that is taken back.
   */
  cancel(): void {
    const cancel = this.#cancel ?? this.#withdraw;
    this.#cancel = this.#withdraw = undefined;
    cancel?.();
  }

  /** Stops the clock at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.cancel();
  }
}
