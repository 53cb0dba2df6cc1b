/** A limit on a piece of code. @module */

import { Greenlet } from "./greenlet.ts";
import { threadHub, waitingGreenlet } from "./thread.ts";
import { Timeout } from "./timeout.ts";

/** Options of {@linkcode withTimeout}. */
export interface WithTimeoutOptions<V> {
  /**
   * What to return when the time is over.
   *
   * @default {the timeout is thrown}
   */
  readonly value: V;
}

/**
 * Runs a function that may take a time. It acts where the function waits: in a greenlet, the
 * function is part of that greenlet; outside, it runs in one of its own.
 *
 * A function that returns a greenlet gives up on it when the time is over; that one goes on, and
 * a database stays busy with its query. To end it as well: `new Timeout(ms).start(greenlet)`. A
 * plain `await` of a greenlet is no wait, `await greenlet.get()` is.
 *
 * @example
 * ```ts
 * import { sleep, Timeout, withTimeout } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(withTimeout(1, () => sleep(60_000)), Timeout);
 * assert.equal(await withTimeout(1, () => sleep(60_000), { value: "late" }), "late");
 * assert.equal(await withTimeout(60_000, () => 42), 42);
 * ```
 *
 * @param delay In milliseconds.
 * @param body The function; it gets the timeout.
 * @param options What to return instead. Only for this timeout: an outer one that ends the same
 * wait is thrown.
 * @returns What the function returns.
 * @throws {Timeout} This one, when the time is over; an outer one, when that is first.
 * @throws {RangeError} When the delay is negative or not a number.
 */
export async function withTimeout<T, V = never>(
  delay: number | undefined,
  body: (timeout: Timeout) => T | PromiseLike<T>,
  options?: WithTimeoutOptions<V>,
): Promise<T | V> {
  const timeout = new Timeout(delay);
  const run = async (greenlet: Greenlet<unknown>) => {
    using _running = timeout.start(greenlet);
    const result = body(timeout);
    // A greenlet's own wait is one that the timeout reaches.
    return await (result instanceof Greenlet ? result.get() : result);
  };
  const greenlet = waitingGreenlet();
  try {
    return await (greenlet === undefined
      ? threadHub().spawn(run, { name: "withTimeout()" })
      : run(greenlet));
  } catch (error) {
    if (error === timeout && options !== undefined) return options.value;
    throw error;
  }
}
