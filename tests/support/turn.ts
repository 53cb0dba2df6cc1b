/** Turns of the real event loop. @module */

import { setImmediate } from "node:timers";

/**
 * The next turn of the event loop. A loop that awaits something cheaper starves it, and with it a
 * hub whose time slice is used up.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Lets the event loop turn until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
