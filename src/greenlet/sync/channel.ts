/** Handing items over from one to another. @module */

import {
  QueueEmptyError,
  QueueFullError,
  type ResourceClosedError,
} from "../../errors.ts";
import { closedError } from "./closed_error.ts";
import { untilClosed } from "./until_closed.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode Channel.stats} returns. */
export interface ChannelStats {
  /** How many wait to get. */
  readonly getting: number;
  /** How many wait to put. */
  readonly putting: number;
  /** Whether it is closed. */
  readonly closed: boolean;
}

/**
 * A queue that holds nothing: a put waits until somebody gets, and the other way round. Both are
 * served first in, first out.
 *
 * @typeParam T An item.
 *
 * @example
 * ```ts
 * import { Channel } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const channel = new Channel<string>();
 * assert.throws(() => channel.tryPut("nobody gets"), { name: "QueueFullError" });
 * const putting = channel.put("hello");
 * assert.equal(await channel.get(), "hello");
 * await putting;
 * ```
 */
export class Channel<T> implements Disposable, AsyncIterable<T> {
  readonly #getters = new WaitLine<T>();
  readonly #putters = new WaitLine<void, T>();
  #closed: { get: ResourceClosedError; put: ResourceClosedError } | undefined =
    undefined;

  /** How many more wait to put than to get; negative when more wait to get. */
  get balance(): number {
    return this.#putters.length - this.#getters.length;
  }

  /** Whether nothing is handed over any more. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Hands an item over; waits until somebody gets it.
   *
   * @param item The item.
   * @param options A time limit and a signal; when they end the wait, nobody gets it.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the channel is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  put(item: T, options: WaitOptions = {}): Promise<void> {
    return block<void, T>({
      label: "Channel.put()",
      detail: item,
      begin: (waiter) => {
        if (this.#hand(item)) waiter.settle();
        else this.#putters.push(waiter);
      },
    }, options);
  }

  /**
   * Hands an item over if somebody waits for one.
   *
   * @param item The item.
   * @throws {QueueFullError} When nobody waits for one.
   * @throws {ResourceClosedError} When the channel is closed.
   */
  tryPut(item: T): void {
    if (this.#hand(item)) return;
    throw new QueueFullError(
      "Cannot put into the channel: nobody waits to get",
    );
  }

  /**
   * Gets an item; waits until somebody puts one.
   *
   * @param options A time limit and a signal.
   * @returns The item.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the channel is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  get(options: WaitOptions = {}): Promise<T> {
    return block<T, undefined>({
      label: "Channel.get()",
      detail: undefined,
      begin: (waiter) => {
        if (this.#closed !== undefined) waiter.fail(this.#closed.get);
        else if (this.#putters.length === 0) this.#getters.push(waiter);
        else waiter.settle(this.tryGet());
      },
    }, options);
  }

  /**
   * Gets an item if somebody waits to put one.
   *
   * @returns The item.
   * @throws {QueueEmptyError} When nobody waits to put one.
   * @throws {ResourceClosedError} When the channel is closed.
   */
  tryGet(): T {
    if (this.#closed !== undefined) throw this.#closed.get;
    const putter = this.#putters.shift();
    if (putter === undefined) {
      throw new QueueEmptyError(
        "Cannot get from the channel: nobody waits to put",
      );
    }
    putter.settle();
    return putter.detail;
  }

  /**
   * Ends every wait, also later ones, with a {@linkcode ResourceClosedError}.
   *
   * @param reason The `cause` of the error.
   */
  close(reason?: unknown): void {
    this.#closed ??= {
      get: closedError("get from the channel", reason),
      put: closedError("put into the channel", reason),
    };
    this.#putters.failAll(this.#closed.put);
    this.#getters.failAll(this.#closed.get);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Gets items until the channel is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return untilClosed(
      () => this.get(),
      (error) => error === this.#closed?.get,
    );
  }

  /** What it is doing now. */
  stats(): ChannelStats {
    return Object.freeze({
      getting: this.#getters.length,
      putting: this.#putters.length,
      closed: this.closed,
    });
  }

  #hand(item: T): boolean {
    if (this.#closed !== undefined) throw this.#closed.put;
    const getter = this.#getters.shift();
    getter?.settle(item);
    return getter !== undefined;
  }
}
