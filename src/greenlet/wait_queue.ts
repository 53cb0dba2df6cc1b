/** Waits in the order in which they began. @module */

import { Deque } from "./deque.ts";
import type { Wait } from "./wait.ts";

/** A queue of waits; those that were interrupted meanwhile are passed over. */
export class WaitQueue<T> {
  readonly #waits = new Deque<Wait<T>>();

  /** How many still wait. Walks past those that were interrupted at the head only. */
  get length(): number {
    return this.peek() === undefined ? 0 : this.#waits.length;
  }

  /** Adds at the tail. */
  push(wait: Wait<T>): void {
    this.#waits.push(wait);
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
}
