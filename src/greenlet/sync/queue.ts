/** First in, first out. @module */

import { FifoStore } from "./item_store.ts";
import { QueueBase, type QueueOptions } from "./queue_base.ts";

/**
 * A queue that gives its items out in the order in which they were put.
 *
 * @typeParam T An item.
 *
 * @example
 * ```ts
 * import { Queue } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const queue = new Queue<string>({ maxSize: 1 });
 * await queue.put("first");
 * assert.throws(() => queue.tryPut("no room"), { name: "QueueFullError" });
 * const second = queue.put("second");
 * assert.equal(await queue.get(), "first");
 * await second;
 *
 * queue.close();
 * const rest: string[] = [];
 * for await (const item of queue) rest.push(item);
 * assert.deepEqual(rest, ["second"]);
 * ```
 */
export class Queue<T> extends QueueBase<T> {
  /**
   * A queue.
   *
   * @param options The most items, and the first ones.
   * @throws {RangeError} When `maxSize` is not a whole number from 1, or there are more items.
   */
  constructor(options: QueueOptions<T> = {}) {
    super("Queue", new FifoStore(), options);
  }
}
