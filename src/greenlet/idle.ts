/** Waiting until there is nothing else to do. @module */

import { block } from "./sync/waiter.ts";
import type { WaitOptions } from "./sync/wait_options.ts";
import { threadHub } from "./thread.ts";

/**
 * Waits for a whole turn of the event loop in which no greenlet ran: while any is ready, it is
 * not resumed.
 *
 * @example
 * ```ts
 * import { idle, sleep, spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const order: string[] = [];
 * const patient = spawn(async () => {
 *   await idle();
 *   order.push("idle");
 * });
 * const busy = spawn(async () => {
 *   for (let i = 0; i < 100; i++) await sleep(0);
 *   order.push("busy");
 * });
 * await Promise.all([patient, busy]);
 * assert.deepEqual(order, ["busy", "idle"]);
 * ```
 *
 * @param options A time limit and a signal.
 * @throws {Timeout} When the time is over.
 */
export function idle(options: WaitOptions = {}): Promise<void> {
  const hub = threadHub();
  let lost = false;
  return block<void, undefined>({
    label: "idle()",
    detail: undefined,
    begin: (waiter) => {
      let seen = -1;
      const look = () => {
        if (lost) return;
        if (seen === hub.resumptions) {
          waiter.settle();
          return;
        }
        seen = hub.resumptions;
        hub.driver.hop(look);
      };
      hub.driver.hop(look);
    },
    onLost: () => lost = true,
  }, options);
}
