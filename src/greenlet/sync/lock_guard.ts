/** Gives back what was taken, once. @module */

/**
 * Holds a lock or a permit until the end of a `using` block.
 *
 * @example
 * ```ts
 * import { Semaphore } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const semaphore = new Semaphore(1);
 * {
 *   using _guard = await semaphore.lock();
 *   assert.equal(semaphore.locked, true);
 * }
 * assert.equal(semaphore.locked, false);
 * ```
 */
export class LockGuard implements Disposable {
  #release: (() => void) | undefined;

  /**
   * For the locks themselves.
   *
   * @internal
   */
  constructor(release: () => void) {
    this.#release = release;
  }

  /** Whether it holds nothing any more. */
  get released(): boolean {
    return this.#release === undefined;
  }

  /** Gives back what it holds; a second time does nothing. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  /** Gives back what it holds at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}
