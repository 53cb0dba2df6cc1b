/** The greenlets of one owner. @module */

import type { Greenlet } from "./greenlet.ts";

/**
 * Greenlets that have not ended. Adding and removing one costs a few nanoseconds, where a `Set`
 * would cost as much as the rest of a spawn's bookkeeping; in return each is in one list at most.
 */
export class Members {
  readonly #items: Greenlet<unknown>[] = [];

  /** All of them as they are now, in the order of their spawns. */
  all(): Greenlet<unknown>[] {
    return this.#items.toSorted((a, b) => a.id - b.id);
  }

  /** Adds one that is in no list. @returns Its place. */
  add(greenlet: Greenlet<unknown>): number {
    return this.#items.push(greenlet) - 1;
  }

  /** Removes the one at a place; the last one takes it. */
  remove(place: number): void {
    const last = this.#items.pop();
    if (last === undefined || place === this.#items.length) return;
    this.#items[place] = last;
    last.moveTo(place);
  }
}
