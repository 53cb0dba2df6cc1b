/** How long a killed greenlet may clean up. @module */

import type { HubDriver, TimerHandle } from "./driver.ts";

/** How long a killed greenlet may clean up before its waits are cut short, in milliseconds. */
export const GRACE = 5_000;

/** A deadline that only ever moves closer. */
export class Grace {
  /** In milliseconds, for a clean-up that has not begun. */
  length = GRACE;
  #deadline = Infinity;
  #timer: TimerHandle | undefined = undefined;

  /** Begins the clean-up, or hurries the one that runs. */
  hurry(driver: HubDriver, length: number, expire: () => void): void {
    const deadline = driver.now() + length;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.stop(driver);
    this.#timer = driver.setTimer(expire, length);
  }

  /** Stops the clock. */
  stop(driver: HubDriver): void {
    if (this.#timer !== undefined) driver.clearTimer(this.#timer);
  }
}
