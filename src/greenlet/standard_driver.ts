/** The clock and timers that every JavaScript runtime has. @module */

import type { HubDriver } from "./driver.ts";

/** For threads whose runtime has not brought a driver of its own: it follows no greenlets. */
export const standardDriver: HubDriver = {
  now: () => performance.now(),
  hop: (run) => void setTimeout(run, 0),
  setTimer: (run, delay) => setTimeout(run, delay),
  clearTimer: (timer) => clearTimeout(timer as number),
};
