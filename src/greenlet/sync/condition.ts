/** Waiting for others to change what a lock protects. @module */

import type { ResourceClosedError } from "../../errors.ts";
import { threadHub } from "../thread.ts";
import { Timeout } from "../timeout.ts";
import { closedError } from "./closed_error.ts";
import { type OwnerOptions, RLock, type RLockOptions } from "./rlock.ts";
import { WaitLine } from "./wait_line.ts";
import { delayOf } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode Condition.stats} returns. */
export interface ConditionStats {
  /** How many wait to be notified. */
  readonly waiting: number;
  /** Whether it is closed. */
  readonly closed: boolean;
}

/**
 * Waiting, by somebody who holds a lock, until somebody else has changed what it protects.
 *
 * A wait gives the lock up, all of its acquisitions, and has it back when it ends, in whatever
 * way. So it can end later than its timeout, and a kill has to wait as well: for as long as
 * others hold the lock, but not longer than the grace time of a killed greenlet; after that its
 * lock is lost. Who is notified gets the lock in the order in which they began to wait.
 *
 * @example
 * ```ts
 * import { Condition } from "@hedgesnake/greenlet/sync";
 * import { spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const changed = new Condition();
 * let stock = 0;
 * const buyer = spawn(async () => {
 *   using _guard = await changed.lock.lock();
 *   await changed.waitFor(() => stock > 0);
 *   stock -= 1;
 * });
 * await spawn(async () => {
 *   using _guard = await changed.lock.lock();
 *   stock += 1;
 *   changed.notify();
 * });
 * await buyer;
 * assert.equal(stock, 0);
 * ```
 */
export class Condition implements Disposable {
  /** The lock that it belongs to. */
  readonly lock: RLock;
  readonly #line = new WaitLine<boolean>();
  #closed: ResourceClosedError | undefined = undefined;

  /**
   * A condition of a lock.
   *
   * @param lock The lock; a new one by default.
   */
  constructor(lock: RLock = new RLock()) {
    this.lock = lock;
  }

  /**
   * Waits for a notification.
   *
   * @param options A time limit and a signal; the owner of the lock.
   * @returns `true`, or `false` when the timeout in milliseconds is over.
   * @throws {LockOwnerError} When the owner does not hold the lock.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {Timeout} The one that was given.
   * @throws {ResourceClosedError} When the condition is closed, or the lock.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async wait(options: RLockOptions = {}): Promise<boolean> {
    return await this.#wait("wait", options);
  }

  /**
   * Waits until a predicate holds; asks it at once and after every notification.
   *
   * @param predicate What must hold; it runs with the lock held.
   * @param options A time limit for all of it and a signal; the owner of the lock.
   * @returns `true`, or `false` when the timeout in milliseconds is over and it does not hold.
   * @throws {LockOwnerError} When the owner does not hold the lock.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {Timeout} The one that was given.
   * @throws {ResourceClosedError} When the condition is closed, or the lock.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async waitFor(
    predicate: () => boolean,
    options: RLockOptions = {},
  ): Promise<boolean> {
    const delay = delayOf(options);
    const owner = this.lock.checkOwner("wait for the condition", options);
    const { driver } = threadHub();
    const start = driver.now();
    while (!predicate()) {
      const left = delay === undefined
        ? undefined
        : Math.max(0, delay - (driver.now() - start));
      const rest = { ...options, owner, timeout: left };
      if (await this.#wait("waitFor", rest)) continue;
      if (predicate()) return true;
      if (options.timeout instanceof Timeout) throw options.timeout;
      return false;
    }
    return true;
  }

  /**
   * Wakes those who wait the longest. They go on when they have the lock.
   *
   * @param count How many at most.
   * @param options The owner of the lock.
   * @throws {LockOwnerError} When the owner does not hold the lock.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {RangeError} When the count is negative or not a number.
   */
  notify(count: number = 1, options: OwnerOptions = {}): void {
    if (!(count >= 0)) {
      throw new RangeError(
        `Cannot notify ${count} waiters: the count must be 0 or more`,
      );
    }
    this.lock.checkOwner("notify the condition", options);
    for (let left = Math.min(count, this.#line.length); left > 0; left--) {
      this.#line.shift()?.settle(true);
    }
  }

  /**
   * Wakes all who wait. They go on one after the other, when they have the lock.
   *
   * @param options The owner of the lock.
   * @throws {LockOwnerError} When the owner does not hold the lock.
   * @throws {TypeError} Outside greenlets, without an owner.
   */
  notifyAll(options: OwnerOptions = {}): void {
    this.notify(Infinity, options);
  }

  /**
   * Ends every wait, also later ones, with a {@linkcode ResourceClosedError}; the lock stays as
   * it is.
   *
   * @param reason The `cause` of the error.
   */
  close(reason?: unknown): void {
    this.#closed ??= closedError("wait for the condition", reason);
    this.#line.failAll(this.#closed);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is doing now. */
  stats(): ConditionStats {
    return Object.freeze({
      waiting: this.#line.length,
      closed: this.#closed !== undefined,
    });
  }

  async #wait(method: string, options: RLockOptions): Promise<boolean> {
    const owner = this.lock.checkOwner("wait for the condition", options);
    let depth = 0;
    try {
      return await block<boolean, undefined>({
        label: `Condition.${method}()`,
        detail: undefined,
        late: false,
        begin: (waiter) => {
          if (this.#closed !== undefined) {
            waiter.fail(this.#closed);
            return;
          }
          depth = this.lock.releaseAll();
          this.#line.push(waiter);
        },
      }, options);
    } finally {
      if (depth > 0) await this.lock.takeBack(owner, depth);
    }
  }
}
