/** Last in, first out. @module */

import { LifoStore } from "./item_store.ts";
import { QueueBase, type QueueOptions } from "./queue_base.ts";

/**
 * A queue that gives out the item that was put last.
 *
 * @typeParam T An item.
 *
 * @example
 * ```ts
 * import { LifoQueue } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const stack = new LifoQueue<number>({ items: [1, 2] });
 * stack.tryPut(3);
 * assert.deepEqual([await stack.get(), await stack.get()], [3, 2]);
 * ```
 */
export class LifoQueue<T> extends QueueBase<T> {
  /**
   * A queue.
   *
   * @param options The most items, and the first ones.
   * @throws {RangeError} When `maxSize` is not a whole number from 1, or there are more items.
   */
  constructor(options: QueueOptions<T> = {}) {
    super("LifoQueue", new LifoStore(), options);
  }
}
