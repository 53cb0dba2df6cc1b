/** A limited number of greenlets together. @module */

import { DeadlockError, PoolFullError } from "../errors.ts";
import type { Greenlet } from "./greenlet.ts";
import { GreenletSet, type Spawned } from "./greenlet_set.ts";
import type { GreenletBody, SpawnOptions } from "./spawn_options.ts";
import { WaitLine } from "./sync/wait_line.ts";
import type { WaitOptions } from "./sync/wait_options.ts";
import { block } from "./sync/waiter.ts";
import { threadHub, waitingGreenlet } from "./thread.ts";

/** Options of {@linkcode Pool.spawn}. */
export interface PoolSpawnOptions extends SpawnOptions {
  /** How long to wait for a place, and what else ends that wait; it does not end the greenlet. */
  readonly wait?: WaitOptions;
}

/**
 * At most so many greenlets at once. Whoever spawns one more waits for a place, first in, first
 * out.
 *
 * - A place is free as soon as its greenlet has ended, and goes to the first that waits.
 * - A waiter that is killed or timed out takes no place with it.
 * - When all members wait for places, the last one gets a {@linkcode DeadlockError} instead. Those
 *   who wait with a timeout or a signal do not count.
 *
 * @example
 * ```ts
 * import { Pool, sleep } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const pool = new Pool(2);
 * let most = 0;
 * const squares = await pool.map([1, 2, 3, 4], async (x) => {
 *   most = Math.max(most, pool.size);
 *   await sleep(1);
 *   return x * x;
 * });
 * assert.deepEqual(squares, [1, 4, 9, 16]);
 * assert.equal(most, 2);
 * ```
 */
export class Pool extends GreenletSet {
  /** How many members there may be. */
  readonly limit: number;
  #free: number;
  readonly #line = new WaitLine<boolean>();
  readonly #stuck = new Map<Greenlet<unknown>, number>();

  /**
   * An empty pool.
   *
   * @param limit How many members there may be; `Infinity` for any number.
   * @throws {RangeError} When that is no whole number from 1 on.
   */
  constructor(limit: number) {
    super();
    if (!(limit >= 1) || (limit !== Infinity && !Number.isInteger(limit))) {
      throw new RangeError(
        `Cannot create a pool of ${limit}: the limit must be a whole number from 1 on`,
      );
    }
    this.limit = limit;
    this.#free = limit;
  }

  /** How many places are free. */
  get free(): number {
    return this.#free;
  }

  /** Whether no place is free. */
  get full(): boolean {
    return this.#free === 0;
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#line.length;
  }

  /**
   * Waits for a place and spawns a member.
   *
   * @param body What it runs.
   * @param options Its name and limits, and how long to wait for a place.
   * @returns The greenlet, wrapped: a promise for it alone would wait for its end.
   * @throws {DeadlockError} When all members wait for places.
   * @throws {Timeout} When the time to wait is over.
   */
  spawn<T>(
    body: GreenletBody<T>,
    options?: PoolSpawnOptions,
  ): Promise<Spawned<T>> {
    return this.launch(body, options, waitingGreenlet());
  }

  /**
   * Spawns a member if there is a place.
   *
   * @param body What it runs.
   * @param options Its name and limits.
   * @throws {PoolFullError} When there is none.
   */
  trySpawn<T>(body: GreenletBody<T>, options?: SpawnOptions): Greenlet<T> {
    this.#take("spawn");
    return this.#spawn(body, options);
  }

  /**
   * Waits for a place and makes a greenlet a member, until it ends. One that has ended, or is a
   * member, changes nothing.
   *
   * @param greenlet The greenlet.
   * @param options How long to wait for a place.
   * @throws {DeadlockError} When all members wait for places.
   * @throws {Timeout} When the time to wait is over.
   */
  async add(
    greenlet: Greenlet<unknown>,
    options: WaitOptions = {},
  ): Promise<void> {
    if (greenlet.ended || this.has(greenlet)) return;
    await this.#acquire("add()", options, waitingGreenlet());
    this.#admit(greenlet);
  }

  /**
   * As {@linkcode Pool.add}, if there is a place.
   *
   * @param greenlet The greenlet.
   * @throws {PoolFullError} When there is none.
   */
  tryAdd(greenlet: Greenlet<unknown>): void {
    if (greenlet.ended || this.has(greenlet)) return;
    this.#take("add");
    this.#admit(greenlet);
  }

  /**
   * Waits until there is a place, without taking it.
   *
   * @param options A time limit and a signal.
   * @returns How many places are free; 0 after the timeout.
   */
  async available(options: WaitOptions = {}): Promise<number> {
    const owner = waitingGreenlet();
    if (!await this.#acquire("available()", options, owner, false)) return 0;
    const free = this.#free + 1;
    this.#release();
    return free;
  }

  /**
   * Waits for a place and spawns a member.
   *
   * @internal
   */
  override async launch<T>(
    body: GreenletBody<T>,
    options: PoolSpawnOptions | undefined,
    owner: Greenlet<unknown> | undefined,
  ): Promise<Spawned<T>> {
    if (this.#free > 0 && this.#line.length === 0) this.#free -= 1;
    else await this.#acquire("spawn()", options?.wait ?? {}, owner);
    return { greenlet: this.#spawn(body, options) };
  }

  /**
   * Gives a member's place away.
   *
   * @internal
   */
  protected override left(): void {
    this.#release();
  }

  #spawn<T>(body: GreenletBody<T>, options?: SpawnOptions): Greenlet<T> {
    let greenlet: Greenlet<T>;
    try {
      greenlet = threadHub().spawn(body, options);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#admit(greenlet);
    return greenlet;
  }

  /** Makes a greenlet a member, in a place that was taken for it. */
  #admit(greenlet: Greenlet<unknown>): void {
    if (greenlet.ended || this.has(greenlet)) this.#release();
    else this.enter(greenlet);
  }

  #take(what: string): void {
    if (this.#free === 0) {
      throw new PoolFullError(`Cannot ${what}: the pool is full`);
    }
    this.#free -= 1;
  }

  #release(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next.settle(true);
  }

  /** Takes a place, after everybody who asked before. */
  async #acquire(
    what: string,
    options: WaitOptions,
    owner: Greenlet<unknown> | undefined,
    late?: false,
  ): Promise<boolean> {
    const endless = options.timeout === undefined &&
      options.signal === undefined;
    const stuck = endless && owner !== undefined && this.has(owner)
      ? owner
      : undefined;
    if (stuck !== undefined) this.#count(stuck, 1);
    try {
      return await block<boolean, undefined>({
        label: `Pool.${what}`,
        detail: undefined,
        ...(late === undefined ? undefined : { late }),
        begin: (waiter) => {
          if (this.#free > 0 && this.#line.length === 0) {
            this.#free -= 1;
            waiter.settle(true);
          } else {
            if (stuck !== undefined) this.#mustNotHang(what);
            this.#line.push(waiter);
          }
        },
      }, options);
    } finally {
      if (stuck !== undefined) this.#count(stuck, -1);
    }
  }

  #count(member: Greenlet<unknown>, by: number): void {
    const count = (this.#stuck.get(member) ?? 0) + by;
    if (count > 0) this.#stuck.set(member, count);
    else this.#stuck.delete(member);
  }

  #mustNotHang(what: string): void {
    for (const member of this) if (!this.#stuck.has(member)) return;
    if (this.size < this.limit) return;
    throw new DeadlockError(
      `Cannot ${
        what.replace("()", "")
      }: the pool is full, and all its members wait for a place`,
    );
  }
}
