/** A promise as a wait of a greenlet. @module */

import { block } from "./sync/waiter.ts";
import type { WaitOptions } from "./sync/wait_options.ts";

/**
 * Waits for a promise. In a greenlet it is a wait of that one, so that a kill or a timeout
 * reaches the greenlet there; the promise's own work goes on, and its outcome is dropped.
 *
 * @example
 * ```ts
 * import { spawn, waitFor } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const never = new Promise<void>(() => {});
 * const greenlet = spawn(() => waitFor(never));
 * await new Promise((resolve) => setTimeout(resolve, 1));
 * await greenlet.kill();
 * assert.equal(greenlet.state, "killed");
 * ```
 *
 * @param promise What to wait for.
 * @param options A time limit and a signal.
 * @returns What the promise ends with.
 * @throws {Timeout} When the time is over.
 */
export function waitFor<T>(
  promise: PromiseLike<T>,
  options: WaitOptions = {},
): Promise<T> {
  // Whatever happens to the wait, the promise has somebody who takes its error.
  promise.then(ignore, ignore);
  return block<T, undefined>({
    label: "waitFor()",
    detail: undefined,
    begin: (waiter) => {
      promise.then(
        (value) => waiter.settle(value),
        (error: unknown) => waiter.fail(error),
      );
    },
  }, options);
}

function ignore(): void {}
