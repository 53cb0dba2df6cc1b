/** Waits in the order in which they began. @module */

import { Deque } from "./deque.ts";
import type { Wait } from "./wait.ts";

const FIRST_SWEEP = 64;

/** A queue of waits; those that were interrupted meanwhile are passed over. */
export class WaitQueue<T> {
  readonly #waits = new Deque<Wait<T>>();
  #sweepAt = FIRST_SWEEP;

  /** How many still wait. Walks through all of them: to ask whether any does, use `peek()`. */
  get length(): number {
    this.#sweep();
    return this.#waits.length;
  }

  /** Adds at the tail. */
  push(wait: Wait<T>): void {
    this.#waits.push(wait);
    if (this.#waits.length >= this.#sweepAt) this.#sweep();
  }

  /** The first that still waits; it stays. */
  peek(): Wait<T> | undefined {
    for (;;) {
      const first = this.#waits.peek();
      if (first === undefined || first.armed) return first;
      this.#waits.shift();
    }
  }

  /** Takes the first that still waits. */
  shift(): Wait<T> | undefined {
    const first = this.peek();
    if (first !== undefined) this.#waits.shift();
    return first;
  }

  /** Drops those that were interrupted, so that they do not pile up behind one that waits on. */
  #sweep(): void {
    for (let left = this.#waits.length; left > 0; left--) {
      const wait = this.#waits.shift();
      if (wait?.armed) this.#waits.push(wait);
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#waits.length);
  }
}
