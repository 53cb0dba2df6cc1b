/** A semaphore that notices when too much is given back. @module */

import { OverReleaseError } from "../../errors.ts";
import { Semaphore } from "./semaphore.ts";

/**
 * A {@linkcode Semaphore} that never has more permits than it began with.
 *
 * @example
 * ```ts
 * import { BoundedSemaphore } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const semaphore = new BoundedSemaphore(1);
 * await semaphore.acquire();
 * semaphore.release();
 * assert.throws(() => semaphore.release(), { name: "OverReleaseError" });
 * assert.equal(semaphore.value, 1);
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  /** How many permits there are, free or not. */
  readonly bound: number;

  /**
   * A semaphore with some permits.
   *
   * @param value How many there are; all are free.
   * @throws {RangeError} When that is not a whole number from 0.
   */
  constructor(value: number = 1) {
    super(value);
    this.bound = value;
  }

  /**
   * Gives a permit back, or hands it to whoever waits the longest.
   *
   * @throws {OverReleaseError} When all permits are free.
   */
  override release(): void {
    if (this.value >= this.bound) {
      throw new OverReleaseError(
        `Cannot release the semaphore: all of its permits are free (${this.bound})`,
      );
    }
    super.release();
  }
}
