/** The smallest first, among equals the oldest. @module */

import type { ItemStore } from "./item_store.ts";

/**
 * Says which of two items is first: negative the first one, positive the second one, 0 the older.
 *
 * @typeParam T An item.
 */
export type Compare<T> = (a: T, b: T) => number;

interface Entry<T> {
  readonly item: T;
  readonly number: number;
}

/** A binary heap whose items are told apart by a user's function, which may throw. */
export class HeapStore<T> implements ItemStore<T> {
  readonly #compare: Compare<T>;
  readonly #heap: Entry<T>[] = [];
  #added = 0;

  /** An empty heap. */
  constructor(compare: Compare<T>) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#heap.length;
  }

  push(item: T): void {
    const entry = { item, number: this.#added };
    // All comparisons come before the first change.
    const path: number[] = [];
    let at = this.#heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(entry, this.#heap[parent]!)) break;
      path.push(parent);
      at = parent;
    }
    this.#added += 1;
    this.#heap.push(entry);
    this.#moveAlong(this.#heap.length - 1, path, entry);
  }

  peek(): T {
    return this.#heap[0]!.item;
  }

  shift(): T {
    const { item } = this.#heap[0]!;
    const last = this.#heap[this.#heap.length - 1]!;
    const length = this.#heap.length - 1;
    const path: number[] = [];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (
        child + 1 < length &&
        this.#isBefore(this.#heap[child + 1]!, this.#heap[child]!)
      ) child += 1;
      if (!this.#isBefore(this.#heap[child]!, last)) break;
      path.push(child);
      at = child;
    }
    this.#heap.pop();
    if (length > 0) this.#moveAlong(0, path, last);
    return item;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  /** Moves the entries on a path one step towards its start, and puts one at its end. */
  #moveAlong(start: number, path: readonly number[], entry: Entry<T>): void {
    let hole = start;
    for (const next of path) {
      this.#heap[hole] = this.#heap[next]!;
      hole = next;
    }
    this.#heap[hole] = entry;
  }

  #isBefore(a: Entry<T>, b: Entry<T>): boolean {
    const order = this.#compare(a.item, b.item);
    return order < 0 || (order === 0 && a.number < b.number);
  }
}
