/** A number of permits, handed out in the order of asking. @module */

import type { ResourceClosedError } from "../../errors.ts";
import { closedError } from "./closed_error.ts";
import { LockGuard } from "./lock_guard.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode Semaphore.stats} returns. */
export interface SemaphoreStats {
  /** How many permits are free. */
  readonly value: number;
  /** How many wait for one. */
  readonly waiting: number;
  /** Whether it is closed. */
  readonly closed: boolean;
}

/**
 * A number of permits. Who asks when there is none waits, first in, first out.
 *
 * A permit that is released while somebody waits is theirs at that moment: nobody who comes in
 * between gets it, not even the one who released it. It may be released more often than it was
 * acquired; see {@linkcode BoundedSemaphore}.
 *
 * @example Two at a time
 * ```ts
 * import { Semaphore } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const semaphore = new Semaphore(2);
 * assert.equal(await semaphore.acquire(), true);
 * using _guard = await semaphore.lock();
 * assert.equal(semaphore.tryAcquire(), false);
 * assert.equal(await semaphore.acquire({ timeout: 1 }), false);
 * semaphore.release();
 * assert.equal(semaphore.tryAcquire(), true);
 * ```
 */
export class Semaphore implements Disposable {
  readonly #line = new WaitLine<boolean>();
  #value: number;
  #closed: ResourceClosedError | undefined = undefined;

  /**
   * A semaphore with some permits.
   *
   * @param value How many are free.
   * @throws {RangeError} When that is not a whole number from 0.
   */
  constructor(value: number = 1) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(
        `Cannot create a semaphore of ${value} permits: it must be a whole number from 0`,
      );
    }
    this.#value = value;
  }

  /** How many permits are free. */
  get value(): number {
    return this.#value;
  }

  /** Whether no permit is free. */
  get locked(): boolean {
    return this.#value === 0;
  }

  /**
   * Takes a permit if one is free.
   *
   * @returns Whether it got one.
   * @throws {ResourceClosedError} When the semaphore is closed.
   */
  tryAcquire(): boolean {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#value === 0) return false;
    this.#value -= 1;
    return true;
  }

  /**
   * Takes a permit, after everybody who asked before.
   *
   * @param options A time limit and a signal.
   * @returns `true`, or `false` when the timeout in milliseconds is over.
   * @throws {Timeout} The one that was given.
   * @throws {ResourceClosedError} When the semaphore is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  acquire(options: WaitOptions = {}): Promise<boolean> {
    return this.#acquire("acquire", options, false);
  }

  /**
   * Takes a permit until the end of a `using` block.
   *
   * @param options A time limit and a signal.
   * @returns What holds the permit.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the semaphore is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async lock(options: WaitOptions = {}): Promise<LockGuard> {
    await this.#acquire("lock", options);
    return new LockGuard(() => this.release());
  }

  /**
   * Takes a permit if one is free.
   *
   * @returns What holds the permit; `undefined` when none is free.
   * @throws {ResourceClosedError} When the semaphore is closed.
   */
  tryLock(): LockGuard | undefined {
    return this.tryAcquire() ? new LockGuard(() => this.release()) : undefined;
  }

  /** Gives a permit back, or hands it to whoever waits the longest. */
  release(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#value += 1;
    else next.settle(true);
  }

  /**
   * Ends every waiting and every later attempt to acquire with a
   * {@linkcode ResourceClosedError}. Who has a permit may still release it.
   *
   * @param reason The `cause` of the error.
   */
  close(reason?: unknown): void {
    this.#closed ??= closedError("acquire the semaphore", reason);
    this.#line.failAll(this.#closed);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is doing now. */
  stats(): SemaphoreStats {
    return Object.freeze({
      value: this.#value,
      waiting: this.#line.length,
      closed: this.#closed !== undefined,
    });
  }

  #acquire(
    method: string,
    options: WaitOptions,
    late?: boolean,
  ): Promise<boolean> {
    return block<boolean, undefined>({
      label: `Semaphore.${method}()`,
      detail: undefined,
      late,
      begin: (waiter) => {
        if (this.tryAcquire()) waiter.settle(true);
        else this.#line.push(waiter);
      },
    }, options);
  }
}
