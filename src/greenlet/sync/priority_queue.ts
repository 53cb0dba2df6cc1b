/** The smallest item first. @module */

import { type Compare, HeapStore } from "./heap_store.ts";
import { QueueBase, type QueueOptions } from "./queue_base.ts";

/**
 * Options of a priority queue.
 *
 * @typeParam T An item.
 */
export interface PriorityQueueOptions<T> extends QueueOptions<T> {
  /**
   * Says which of two items is first. If it throws, the call that put or took the item throws
   * that, and the queue is as before.
   *
   * @default {The smaller one, by `<`.}
   */
  readonly compare?: Compare<T>;
}

/**
 * A queue that gives out its smallest item, among equals the one that was put first.
 *
 * @typeParam T An item.
 *
 * @example
 * ```ts
 * import { PriorityQueue } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const queue = new PriorityQueue<{ name: string; due: number }>({
 *   compare: (a, b) => a.due - b.due,
 * });
 * await queue.put({ name: "later", due: 2 });
 * await queue.put({ name: "now", due: 1 });
 * assert.equal((await queue.get()).name, "now");
 * ```
 */
export class PriorityQueue<T> extends QueueBase<T> {
  /**
   * A queue.
   *
   * @param options The order, the most items, and the first ones.
   * @throws {RangeError} When `maxSize` is not a whole number from 1, or there are more items.
   */
  constructor(options: PriorityQueueOptions<T> = {}) {
    const { compare = ascending } = options;
    super("PriorityQueue", new HeapStore(compare), options);
  }
}

function ascending<T>(a: T, b: T): number {
  return a < b ? -1 : b < a ? 1 : 0;
}
