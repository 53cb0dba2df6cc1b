/** Waiting for time to pass. @module */

import type { Greenlet } from "./greenlet.ts";
import { Wait } from "./wait.ts";

/**
 * Suspends a greenlet for a time. Zero or less: until all that is ready now has had its turn.
 *
 * @param greenlet Who sleeps.
 * @param delay In milliseconds.
 * @returns Resolves when the time is over, rejects when the greenlet is killed or timed out.
 */
export function sleepIn(
  greenlet: Greenlet<unknown>,
  delay: number,
): Promise<void> {
  const wait = new Wait<void>(greenlet, "sleep");
  const { hub } = greenlet;
  if (greenlet.interrupted) greenlet.deliverPending(wait);
  if (!wait.armed) return wait.suspend();
  if (delay > 0) {
    const timer = hub.driver.setTimer(() => wait.settle(), delay);
    wait.release = () => hub.driver.clearTimer(timer);
  } else {
    wait.settle();
  }
  return wait.suspend();
}
