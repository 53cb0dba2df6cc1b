/** A lock that its owner may take again. @module */

import { LockOwnerError, type ResourceClosedError } from "../../errors.ts";
import { threadHub } from "../thread.ts";
import { closedError } from "./closed_error.ts";
import { LockGuard } from "./lock_guard.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** Who takes a lock. */
export interface OwnerOptions {
  /**
   * Stands for the owner, by its identity. Needed outside greenlets, where nothing else tells
   * one asynchronous function from another.
   *
   * @default {the current greenlet}
   */
  readonly owner?: object | undefined;
}

/** Options of {@linkcode RLock.acquire}. */
export interface RLockOptions extends WaitOptions, OwnerOptions {}

/** What {@linkcode RLock.stats} returns. */
export interface RLockStats {
  /** How often the owner holds it; 0 when it is free. */
  readonly depth: number;
  /** How many wait for it. */
  readonly waiting: number;
  /** Whether it is closed. */
  readonly closed: boolean;
}

interface Claim {
  readonly owner: object;
  readonly depth: number;
}

/**
 * A lock with an owner, who may acquire it again and must release it as often. Others get it in
 * the order of asking; it is the next one's at the moment of its release.
 *
 * The owner is a greenlet, also in the host functions that its guest calls, up to their first
 * `await`; everywhere else it is the option `owner`. A greenlet that ends does not release it:
 * take it with `using`.
 *
 * @example
 * ```ts
 * import { RLock } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const lock = new RLock();
 * const [ann, bob] = [{}, {}];
 * {
 *   using _outer = await lock.lock({ owner: ann });
 *   using _inner = await lock.lock({ owner: ann });
 *   assert.equal(lock.tryAcquire({ owner: bob }), false);
 *   assert.throws(() => lock.release({ owner: bob }), { name: "LockOwnerError" });
 * }
 * assert.equal(lock.tryAcquire({ owner: bob }), true);
 * ```
 */
export class RLock implements Disposable {
  readonly #line = new WaitLine<boolean, Claim>();
  #owner: object | undefined = undefined;
  #depth = 0;
  #closed: ResourceClosedError | undefined = undefined;

  /** Who holds it: a greenlet, or what was given as `owner`. */
  get owner(): object | undefined {
    return this.#owner;
  }

  /** Whether somebody holds it. */
  get locked(): boolean {
    return this.#owner !== undefined;
  }

  /**
   * Takes the lock if it is free or the owner's already.
   *
   * @param options The owner.
   * @returns Whether it got it.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {ResourceClosedError} When the lock is closed.
   */
  tryAcquire(options: OwnerOptions = {}): boolean {
    return this.#take({ owner: ownerOf("acquire", options), depth: 1 });
  }

  /**
   * Takes the lock, after everybody who asked before; at once where the owner has it already.
   *
   * @param options A time limit, a signal, the owner.
   * @returns `true`, or `false` when the timeout in milliseconds is over.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {Timeout} The one that was given.
   * @throws {ResourceClosedError} When the lock is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async acquire(options: RLockOptions = {}): Promise<boolean> {
    const owner = ownerOf("acquire", options);
    return await this.#acquire("acquire", { owner, depth: 1 }, options, false);
  }

  /**
   * Takes the lock until the end of a `using` block.
   *
   * @param options A time limit, a signal, the owner.
   * @returns What holds the lock.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the lock is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async lock(options: RLockOptions = {}): Promise<LockGuard> {
    const owner = ownerOf("acquire", options);
    await this.#acquire("lock", { owner, depth: 1 }, options);
    return this.#guard(owner);
  }

  /**
   * Takes the lock if it is free or the owner's already.
   *
   * @param options The owner.
   * @returns What holds the lock; `undefined` when somebody else has it.
   * @throws {TypeError} Outside greenlets, without an owner.
   * @throws {ResourceClosedError} When the lock is closed.
   */
  tryLock(options: OwnerOptions = {}): LockGuard | undefined {
    const owner = ownerOf("acquire", options);
    return this.#take({ owner, depth: 1 }) ? this.#guard(owner) : undefined;
  }

  /**
   * Undoes one acquisition; after the last one the lock is the next waiter's.
   *
   * @param options The owner.
   * @throws {LockOwnerError} When the owner does not have it.
   * @throws {TypeError} Outside greenlets, without an owner.
   */
  release(options: OwnerOptions = {}): void {
    this.checkOwner("release the lock", options);
    this.#depth -= 1;
    if (this.#depth === 0) this.#next();
  }

  /**
   * Ends every waiting and every later attempt to acquire with a
   * {@linkcode ResourceClosedError}. Its owner may still release it.
   *
   * @param reason The `cause` of the error.
   */
  close(reason?: unknown): void {
    this.#closed ??= closedError("acquire the lock", reason);
    this.#line.failAll(this.#closed);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is doing now. */
  stats(): RLockStats {
    return Object.freeze({
      depth: this.#depth,
      waiting: this.#line.length,
      closed: this.#closed !== undefined,
    });
  }

  /**
   * The owner, who must have the lock. For conditions.
   *
   * @internal
   */
  checkOwner(action: string, options: OwnerOptions): object {
    const owner = ownerOf("release", options);
    if (owner === this.#owner) return owner;
    throw new LockOwnerError(
      `Cannot ${action}: ${
        this.locked ? "somebody else holds it" : "nobody holds it"
      }`,
    );
  }

  /**
   * Undoes all acquisitions of its owner. For conditions.
   *
   * @internal
   * @returns How many they were.
   */
  releaseAll(): number {
    const depth = this.#depth;
    this.#next();
    return depth;
  }

  /**
   * Takes the lock back as it was, whatever happens to the greenlet meanwhile. For conditions.
   *
   * @internal
   */
  async takeBack(owner: object, depth: number): Promise<void> {
    await this.#acquire("takeBack", { owner, depth }, {}, undefined, true);
  }

  #guard(owner: object): LockGuard {
    return new LockGuard(() => {
      // A condition may have failed to take it back.
      if (this.#owner === owner) this.release({ owner });
    });
  }

  #take(claim: Claim): boolean {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#owner !== undefined && this.#owner !== claim.owner) return false;
    this.#owner = claim.owner;
    this.#depth += claim.depth;
    return true;
  }

  #next(): void {
    const next = this.#line.shift();
    this.#owner = next?.detail.owner;
    this.#depth = next?.detail.depth ?? 0;
    next?.settle(true);
  }

  #acquire(
    method: string,
    claim: Claim,
    options: WaitOptions,
    late?: boolean,
    shielded = false,
  ): Promise<boolean> {
    return block<boolean, Claim>({
      label: `RLock.${method}()`,
      detail: claim,
      late,
      shielded,
      begin: (waiter) => {
        if (this.#take(claim)) waiter.settle(true);
        else this.#line.push(waiter);
      },
    }, options);
  }
}

function ownerOf(action: string, options: OwnerOptions): object {
  // Also the one whose guest called a host function: it waits, whoever waits for it.
  const owner = options.owner ?? threadHub().current;
  if (owner !== undefined) return owner;
  throw new TypeError(
    `Cannot ${action} the lock: outside greenlets the option 'owner' is needed`,
  );
}
