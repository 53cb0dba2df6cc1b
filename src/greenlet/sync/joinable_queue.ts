/** A queue that knows when its items have been worked on. @module */

import { OverReleaseError } from "../../errors.ts";
import { FifoStore } from "./item_store.ts";
import { QueueBase, type QueueOptions, type QueueStats } from "./queue_base.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode JoinableQueue.stats} returns. */
export interface JoinableQueueStats extends QueueStats {
  /** How many items were put and are not done. */
  readonly unfinished: number;
  /** How many wait until all are done. */
  readonly joining: number;
}

/**
 * A first-in, first-out queue whose items are tasks: whoever gets one says when it is done.
 *
 * @typeParam T An item.
 *
 * @example
 * ```ts
 * import { JoinableQueue } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const queue = new JoinableQueue<number>({ items: [1, 2, 3] });
 * let sum = 0;
 * const worker = (async () => {
 *   for await (const item of queue) {
 *     sum += item;
 *     queue.taskDone();
 *   }
 * })();
 * await queue.join();
 * assert.equal(sum, 6);
 * queue.close();
 * await worker;
 * ```
 */
export class JoinableQueue<T> extends QueueBase<T> {
  readonly #joiners = new WaitLine<boolean>();
  #unfinished: number;

  /**
   * A queue.
   *
   * @param options The most items, and the first ones.
   * @throws {RangeError} When `maxSize` is not a whole number from 1, or there are more items.
   */
  constructor(options: QueueOptions<T> = {}) {
    super("JoinableQueue", new FifoStore(), options);
    this.#unfinished = this.size;
  }

  /** How many items were put and are not done. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /**
   * Says that an item that was got is done.
   *
   * @throws {OverReleaseError} When that was said of all items already.
   */
  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new OverReleaseError(
        "Cannot finish a task: all tasks of the queue are done",
      );
    }
    this.dropped(1);
  }

  /**
   * Waits until all items that were put are done. Closing the queue does not end the wait, unless
   * it drops the items that were left.
   *
   * @param options A time limit and a signal.
   * @returns `true`, or `false` when the timeout in milliseconds is over.
   * @throws {Timeout} The one that was given.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  join(options: WaitOptions = {}): Promise<boolean> {
    return block<boolean, undefined>({
      label: "JoinableQueue.join()",
      detail: undefined,
      late: false,
      begin: (waiter) => {
        if (this.#unfinished === 0) waiter.settle(true);
        else this.#joiners.push(waiter);
      },
    }, options);
  }

  /** What it is doing now. */
  override stats(): JoinableQueueStats {
    return Object.freeze({
      ...super.stats(),
      unfinished: this.#unfinished,
      joining: this.#joiners.length,
    });
  }

  /** @internal */
  protected override added(): void {
    this.#unfinished += 1;
  }

  /** @internal */
  protected override dropped(count: number): void {
    this.#unfinished -= count;
    if (this.#unfinished === 0) this.#joiners.settleAll(true);
  }
}
