/** What all queues have in common. @module */

import {
  QueueEmptyError,
  QueueFullError,
  type ResourceClosedError,
} from "../../errors.ts";
import { closedError } from "./closed_error.ts";
import type { ItemStore } from "./item_store.ts";
import { untilClosed } from "./until_closed.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/**
 * Options of a queue.
 *
 * @typeParam T An item.
 */
export interface QueueOptions<T> {
  /**
   * How many items it holds at most, from 1. To hand items over without holding any, use a
   * {@linkcode Channel}.
   *
   * @default {Infinity}
   */
  readonly maxSize?: number;
  /**
   * What it holds at first.
   *
   * @default {[]}
   */
  readonly items?: Iterable<T>;
}

/** Options of {@linkcode QueueBase.close}. */
export interface QueueCloseOptions {
  /**
   * Whether the items that it holds are dropped.
   *
   * @default {false}
   */
  readonly immediate?: boolean;
}

/** What {@linkcode QueueBase.stats} returns. */
export interface QueueStats {
  /** How many items it holds. */
  readonly size: number;
  /** How many it holds at most. */
  readonly maxSize: number;
  /** How many wait to get an item or to look at one. */
  readonly getting: number;
  /** How many wait to put one. */
  readonly putting: number;
  /** Whether it is closed. */
  readonly closed: boolean;
}

/**
 * The common behaviour of the queues, which differ in the order of the items.
 *
 * - Getters and putters are served first in, first out.
 * - An item is a waiting getter's at the moment of the put, and nobody who comes in between gets
 *   it. If that getter is killed in the same moment it still gets the item, and the kill hits its
 *   next wait.
 * - What is put by a call that timed out, was killed or was aborted is not in the queue.
 * - A promise or a greenlet as an item arrives as its result, as everywhere behind an `await`;
 *   put it into an object to get it as such.
 *
 * @typeParam T An item.
 */
export abstract class QueueBase<T> implements Disposable, AsyncIterable<T> {
  /** How many items it holds at most. */
  readonly maxSize: number;
  readonly #kind: string;
  readonly #store: ItemStore<T>;
  readonly #getters = new WaitLine<T, boolean>();
  readonly #putters = new WaitLine<void, T>();
  #closed: { get: ResourceClosedError; put: ResourceClosedError } | undefined =
    undefined;

  /**
   * For the queues themselves.
   *
   * @param kind Their name.
   * @param store What the items are kept in.
   * @param options The most items, and the first ones.
   * @throws {RangeError} When `maxSize` is not a whole number from 1, or there are more items.
   */
  protected constructor(
    kind: string,
    store: ItemStore<T>,
    options: QueueOptions<T>,
  ) {
    const { maxSize = Infinity, items = [] } = options;
    if (
      !(maxSize >= 1 && (maxSize === Infinity || Number.isInteger(maxSize)))
    ) {
      throw new RangeError(
        `Cannot create a queue of at most ${maxSize} items: it must be a whole number from 1`,
      );
    }
    for (const item of items) store.push(item);
    if (store.length > maxSize) {
      throw new RangeError(
        `Cannot create a queue of at most ${maxSize} items: it was given ${store.length}`,
      );
    }
    this.#kind = kind;
    this.#store = store;
    this.maxSize = maxSize;
  }

  /** How many items it holds. */
  get size(): number {
    return this.#store.length;
  }

  /** Whether it holds no item. */
  get empty(): boolean {
    return this.size === 0;
  }

  /** Whether it has no room. */
  get full(): boolean {
    return this.size >= this.maxSize;
  }

  /** Whether nothing can be put any more. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Adds an item; waits for room where there is none.
   *
   * @param item The item.
   * @param options A time limit and a signal.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the queue is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  put(item: T, options: WaitOptions = {}): Promise<void> {
    return block<void, T>({
      label: `${this.#kind}.put()`,
      detail: item,
      begin: (waiter) => {
        if (this.#accept(item)) waiter.settle();
        else this.#putters.push(waiter);
      },
    }, options);
  }

  /**
   * Adds an item if there is room.
   *
   * @param item The item.
   * @throws {QueueFullError} When there is no room.
   * @throws {ResourceClosedError} When the queue is closed.
   */
  tryPut(item: T): void {
    if (this.#accept(item)) return;
    throw new QueueFullError(
      `Cannot put into the queue: it is full (${this.maxSize})`,
    );
  }

  /**
   * Takes the next item; waits for one where there is none.
   *
   * @param options A time limit and a signal.
   * @returns The item.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the queue is closed and holds nothing any more.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  get(options: WaitOptions = {}): Promise<T> {
    return this.#next("get", true, options);
  }

  /**
   * Takes the next item, if there is one.
   *
   * @returns The item.
   * @throws {QueueEmptyError} When there is none.
   * @throws {ResourceClosedError} When the queue is closed and holds nothing any more.
   */
  tryGet(): T {
    this.#checkItem();
    return this.#take();
  }

  /**
   * Looks at the next item, which stays; waits for one where there is none.
   *
   * @param options A time limit and a signal.
   * @returns The item.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the queue is closed and holds nothing any more.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  peek(options: WaitOptions = {}): Promise<T> {
    return this.#next("peek", false, options);
  }

  /**
   * Looks at the next item, which stays, if there is one.
   *
   * @returns The item.
   * @throws {QueueEmptyError} When there is none.
   * @throws {ResourceClosedError} When the queue is closed and holds nothing any more.
   */
  tryPeek(): T {
    this.#checkItem();
    return this.#store.peek();
  }

  /**
   * Takes no more items. Those who wait to put, and all who put later, get a
   * {@linkcode ResourceClosedError}; those who get do so when there is no item left.
   *
   * @param reason The `cause` of the error.
   * @param options Whether to drop what it holds.
   */
  close(reason?: unknown, options: QueueCloseOptions = {}): void {
    this.#closed ??= {
      get: closedError("get from the queue", reason),
      put: closedError("put into the queue", reason),
    };
    this.#putters.failAll(this.#closed.put);
    this.#getters.failAll(this.#closed.get);
    if (options.immediate) {
      const dropped = this.size;
      this.#store.clear();
      this.dropped(dropped);
    }
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes items until the queue is closed and holds nothing any more. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return untilClosed(
      () => this.get(),
      (error) => error === this.#closed?.get,
    );
  }

  /** What it is doing now. */
  stats(): QueueStats {
    return Object.freeze({
      size: this.size,
      maxSize: this.maxSize,
      getting: this.#getters.length,
      putting: this.#putters.length,
      closed: this.closed,
    });
  }

  /**
   * Notes that an item was put.
   *
   * @internal
   */
  protected added(): void {}

  /**
   * Notes that items were dropped.
   *
   * @internal
   */
  protected dropped(_count: number): void {}

  #next(method: string, takes: boolean, options: WaitOptions): Promise<T> {
    return block<T, boolean>({
      label: `${this.#kind}.${method}()`,
      detail: takes,
      begin: (waiter) => {
        if (!this.empty) {
          waiter.settle(takes ? this.#take() : this.#store.peek());
        } else if (this.#closed !== undefined) waiter.fail(this.#closed.get);
        else this.#getters.push(waiter);
      },
    }, options);
  }

  #checkItem(): void {
    if (!this.empty) return;
    if (this.#closed !== undefined) throw this.#closed.get;
    throw new QueueEmptyError("Cannot get from the queue: it is empty");
  }

  #accept(item: T): boolean {
    if (this.#closed !== undefined) throw this.#closed.put;
    if (this.full) return false;
    this.#store.push(item);
    this.added();
    // Somebody waits for an item only where there was none.
    for (
      let getter = this.#firstGetter();
      getter !== undefined;
      getter = this.#firstGetter()
    ) {
      getter.settle(getter.detail ? this.#store.shift() : this.#store.peek());
    }
    return true;
  }

  #firstGetter() {
    return this.empty ? undefined : this.#getters.shift();
  }

  #take(): T {
    const item = this.#store.shift();
    while (!this.full) {
      const putter = this.#putters.shift();
      if (putter === undefined) break;
      try {
        this.#store.push(putter.detail);
      } catch (error) {
        // It was not compared before.
        putter.fail(error);
        continue;
      }
      this.added();
      putter.settle();
    }
    return item;
  }
}
