/** Where a number of parties wait for each other. @module */

import { BrokenBarrierError, type ResourceClosedError } from "../../errors.ts";
import { closedError } from "./closed_error.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode Barrier.stats} returns. */
export interface BarrierStats {
  /** How many have to come. */
  readonly parties: number;
  /** How many have come and wait. */
  readonly waiting: number;
  /** Whether one of them was lost. */
  readonly broken: boolean;
  /** Whether it is closed. */
  readonly closed: boolean;
}

/**
 * Where a number of parties wait until all have come, again and again.
 *
 * If one of those who wait is lost, to a timeout, a kill or a signal, the others can wait in vain:
 * the barrier is broken then, for them and for all who come, until it is reset.
 *
 * @example
 * ```ts
 * import { Barrier } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const barrier = new Barrier(3);
 * const all = [barrier.wait(), barrier.wait(), barrier.wait()];
 * assert.deepEqual(await Promise.all(all), [0, 1, 2]);
 * ```
 */
export class Barrier implements Disposable {
  /** How many have to come. */
  readonly parties: number;
  readonly #line = new WaitLine<number>();
  #broken: BrokenBarrierError | undefined = undefined;
  #closed: ResourceClosedError | undefined = undefined;

  /**
   * A barrier for a number of parties.
   *
   * @param parties How many have to come.
   * @throws {RangeError} When that is not a whole number from 1.
   */
  constructor(parties: number) {
    if (!Number.isSafeInteger(parties) || parties < 1) {
      throw new RangeError(
        `Cannot create a barrier for ${parties} parties: it must be a whole number from 1`,
      );
    }
    this.parties = parties;
  }

  /** Whether a party was lost. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /**
   * Waits until all parties have come.
   *
   * @param options A time limit and a signal; when they end the wait, the barrier is broken.
   * @returns Which one it was to come, from 0.
   * @throws {BrokenBarrierError} When another party is lost, or was before.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When the barrier is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  wait(options: WaitOptions = {}): Promise<number> {
    return block<number, undefined>({
      label: "Barrier.wait()",
      detail: undefined,
      onLost: () => this.abort(),
      begin: (waiter) => {
        const ended = this.#closed ?? this.#broken;
        const arrived = this.#line.length;
        if (ended !== undefined) waiter.fail(ended);
        else if (arrived + 1 < this.parties) this.#line.push(waiter);
        else {
          for (let index = 0; index < arrived; index++) {
            this.#line.shift()?.settle(index);
          }
          waiter.settle(arrived);
        }
      },
    }, options);
  }

  /** Breaks it: for those who wait, and for all who come. */
  abort(): void {
    this.#broken ??= new BrokenBarrierError(
      "Cannot pass the barrier: it is broken",
    );
    this.#line.failAll(this.#broken);
  }

  /** Makes it as new; for those who wait it breaks. */
  reset(): void {
    this.#broken = undefined;
    if (this.#line.length === 0) return;
    this.#line.failAll(
      new BrokenBarrierError("Cannot pass the barrier: it was reset"),
    );
  }

  /**
   * Ends every wait, also later ones, with a {@linkcode ResourceClosedError}.
   *
   * @param reason The `cause` of the error.
   */
  close(reason?: unknown): void {
    this.#closed ??= closedError("pass the barrier", reason);
    this.#line.failAll(this.#closed);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is doing now. */
  stats(): BarrierStats {
    return Object.freeze({
      parties: this.parties,
      waiting: this.#line.length,
      broken: this.broken,
      closed: this.#closed !== undefined,
    });
  }
}
