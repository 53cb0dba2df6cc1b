/** Greenlets and other objects in the order in which they become ready. @module */

import { WaitLine } from "./sync/wait_line.ts";
import { delayOf, type WaitOptions } from "./sync/wait_options.ts";
import { block } from "./sync/waiter.ts";
import { threadHub } from "./thread.ts";

/** Something whose readiness can be waited for: a {@linkcode Greenlet}, or whatever has links. */
export interface Linkable {
  /** Runs a function once, in a later turn, when it is ready; at once in that sense if it is. */
  rawLink(callback: () => unknown): unknown;
  /** Takes that back. */
  unlink(callback: () => unknown): unknown;
}

/** An object that is ready, wrapped: whatever awaited a greenlet alone would get its result. */
export interface Ready<T> {
  /** The object. */
  readonly object: T;
}

/** Options of {@linkcode wait} and {@linkcode iwait}. */
export interface WaitAllOptions {
  /**
   * How long to wait at most, in milliseconds, for all together. What is ready by then counts.
   *
   * @default {undefined}
   */
  readonly timeout?: number | undefined;
  /**
   * Ends the wait, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many to wait for.
   *
   * @default {all of them}
   */
  readonly count?: number | undefined;
}

/**
 * What {@linkcode iwait} returns. It makes its links when it is first asked and takes them back
 * when it is left, early or not.
 *
 * @typeParam T What is waited for.
 */
export class ReadyIterator<T extends Linkable>
  implements AsyncIterableIterator<Ready<T>>, AsyncDisposable {
  readonly #objects: ReadonlySet<T>;
  readonly #options: WaitAllOptions;
  readonly #pending = new Map<T, () => void>();
  readonly #ready: T[] = [];
  readonly #line = new WaitLine<IteratorResult<Ready<T>, undefined>>();
  #left: number;
  #deadline: number | undefined = undefined;
  #started = false;

  /**
   * An iterator that has not begun.
   *
   * @internal
   */
  constructor(objects: Iterable<T>, options: WaitAllOptions) {
    const { count } = options;
    if (count !== undefined && !(count >= 0)) {
      throw new RangeError(
        `Cannot wait for ${count} objects: the count must be 0 or more`,
      );
    }
    delayOf(options);
    this.#objects = new Set(objects);
    this.#left = Math.min(count ?? Infinity, this.#objects.size);
    this.#options = options;
  }

  /**
   * Waits for the next one that is ready. A timeout in milliseconds counts from the first call
   * and ends the iteration.
   */
  next(): Promise<IteratorResult<Ready<T>, undefined>> {
    this.#start();
    return block<IteratorResult<Ready<T>, undefined>, undefined>({
      label: "iwait()",
      detail: undefined,
      late: { done: true, value: undefined },
      begin: (waiter) => {
        this.#line.push(waiter);
        this.#pump();
      },
      onLost: () => this.#expired() && this.#close(),
    }, this.#limits());
  }

  /** Ends the iteration and takes the links back. */
  return(): Promise<IteratorResult<Ready<T>, undefined>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends it at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    const delay = delayOf(this.#options);
    if (delay !== undefined) this.#deadline = threadHub().driver.now() + delay;
    if (this.#left === 0) return;
    for (const object of this.#objects) {
      const callback = () => {
        this.#pending.delete(object);
        this.#ready.push(object);
        this.#pump();
      };
      this.#pending.set(object, callback);
      object.rawLink(callback);
    }
  }

  #expired(): boolean {
    // Timers may fire a fraction of a millisecond early.
    return this.#deadline !== undefined &&
      threadHub().driver.now() + 1 >= this.#deadline;
  }

  /** The options of one step: what is left of the time. */
  #limits(): WaitOptions {
    const { timeout, signal } = this.#options;
    if (timeout === undefined || this.#deadline === undefined) {
      return { signal };
    }
    const left = this.#deadline - threadHub().driver.now();
    return { signal, timeout: Math.max(0, left) };
  }

  #pump(): void {
    while (this.#line.length > 0) {
      const object = this.#left > 0 ? this.#ready.shift() : undefined;
      if (object !== undefined) {
        this.#left -= 1;
        this.#line.shift()?.settle({ done: false, value: { object } });
      } else if (this.#left === 0) {
        this.#close();
        return;
      } else return;
    }
  }

  #close(): void {
    this.#left = 0;
    for (const [object, callback] of this.#pending) object.unlink(callback);
    this.#pending.clear();
    this.#line.settleAll({ done: true, value: undefined });
  }
}

/**
 * Goes through objects in the order in which they become ready. Those that are ready already come
 * first. Their errors count as taken.
 *
 * @example
 * ```ts
 * import { iwait, sleep, spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const slow = spawn(() => sleep(20));
 * const fast = spawn(() => sleep(1));
 * const order = [];
 * for await (const { object } of iwait([slow, fast])) order.push(object);
 * assert.equal(order[0], fast);
 * assert.equal(order[1], slow);
 * ```
 *
 * @param objects Greenlets, or other objects with links; each counts once.
 * @param options A time limit for all, a signal, how many to wait for.
 * @returns An asynchronous iterator, which ends when the timeout in milliseconds is over.
 * @throws {RangeError} When the count or the timeout is negative or not a number.
 */
export function iwait<T extends Linkable>(
  objects: Iterable<T>,
  options: WaitAllOptions = {},
): ReadyIterator<T> {
  return new ReadyIterator(objects, options);
}
