/** Waiting for time to pass. @module */

import type { Greenlet } from "./greenlet.ts";
import { Wait } from "./wait.ts";

/**
 * Suspends a greenlet for a time. Zero or less: until all that is ready now has had its turn.
 *
 * @param greenlet Who sleeps.
 * @param delay In milliseconds.
 * @param signal Ends the sleep early, when it is not aborted yet.
 * @returns Resolves when the time is over, rejects when the greenlet is killed or timed out, or
 * with the signal's reason.
 */
export function sleepIn(
  greenlet: Greenlet<unknown>,
  delay: number,
  signal?: AbortSignal,
): Promise<void> {
  const wait = new Wait<void>(greenlet, "sleep");
  const { hub } = greenlet;
  if (greenlet.interrupted) greenlet.deliverPending(wait);
  if (!wait.armed) return wait.suspend();
  if (delay <= 0) {
    wait.settle();
    return wait.suspend();
  }
  const onAbort = () => {
    wait.release?.();
    wait.fail(signal?.reason);
  };
  const timer = hub.driver.setTimer(() => {
    signal?.removeEventListener("abort", onAbort);
    wait.settle();
  }, delay);
  wait.release = () => {
    signal?.removeEventListener("abort", onAbort);
    hub.driver.clearTimer(timer);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  return wait.suspend();
}
