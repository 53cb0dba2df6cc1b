/** How long a call may wait, and what else ends it. @module */

import { Timeout } from "../timeout.ts";

/**
 * Options of every call that may wait.
 *
 * A signal that is aborted already, and a timeout that is none, end the call before it changes
 * anything. What can be had at once is had, also with a timeout of 0.
 */
export interface WaitOptions {
  /**
   * How long to wait at most, in milliseconds. What happens then says the call: it rejects with
   * a new {@linkcode Timeout}, or resolves with `false`.
   *
   * A {@linkcode Timeout} limits the wait to its delay, counted from the call, whether it is
   * started or not; the call rejects with this very object, also where it would resolve with
   * `false` otherwise.
   *
   * @default {undefined}
   */
  readonly timeout?: number | Timeout | undefined;
  /**
   * Ends the wait: the call rejects with the signal's reason. Give the `signal` of the call in a
   * host function, so that the wait ends with its guest's call.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The time limit of a call, in milliseconds; `undefined` where there is none.
 *
 * @throws {RangeError} When the timeout is negative or not a number.
 */
export function delayOf({ timeout }: WaitOptions): number | undefined {
  const delay = timeout instanceof Timeout ? timeout.delay : timeout;
  if (delay === undefined || delay >= 0) return delay;
  throw new RangeError(
    `Cannot wait for ${delay} ms: the timeout must be 0 or more`,
  );
}
