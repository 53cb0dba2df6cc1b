/** A flag to wait for. @module */

import type { ResourceClosedError } from "../../errors.ts";
import { closedError } from "./closed_error.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode Event.stats} returns. */
export interface EventStats {
  /** Whether the flag is up. */
  readonly set: boolean;
  /** How many wait for it. */
  readonly waiting: number;
  /** Whether it is closed. */
  readonly closed: boolean;
}

/**
 * A flag that is up or down. Waiting for it ends when it goes up, for all waiters at once, in the
 * order in which they came.
 *
 * - Who waits when it goes up gets `true`, even when it has gone down again before their turn.
 * - Waiting for a flag that is up ends at once, after those who were woken before.
 *
 * @example
 * ```ts
 * import { Event } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const ready = new Event();
 * const waiting = ready.wait();
 * ready.set();
 * assert.equal(await waiting, true);
 * ready.clear();
 * assert.equal(await ready.wait({ timeout: 1 }), false);
 * ```
 */
export class Event implements Disposable {
  readonly #line = new WaitLine<boolean>();
  #set = false;
  #closed: ResourceClosedError | undefined = undefined;

  /** Whether the flag is up. */
  get isSet(): boolean {
    return this.#set;
  }

  /** Puts the flag up and wakes everybody. */
  set(): void {
    this.#set = true;
    this.#line.settleAll(true);
  }

  /** Puts the flag down. */
  clear(): void {
    this.#set = false;
  }

  /**
   * Waits until the flag is up.
   *
   * @param options A time limit and a signal.
   * @returns `true`, or `false` when the timeout in milliseconds is over.
   * @throws {Timeout} The one that was given.
   * @throws {ResourceClosedError} When the event is closed.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  wait(options: WaitOptions = {}): Promise<boolean> {
    return block<boolean, undefined>({
      label: "Event.wait()",
      detail: undefined,
      late: false,
      begin: (waiter) => {
        if (this.#closed !== undefined) waiter.fail(this.#closed);
        else if (this.#set) waiter.settle(true);
        else this.#line.push(waiter);
      },
    }, options);
  }

  /**
   * Ends every wait, also later ones, with a {@linkcode ResourceClosedError}.
   *
   * @param reason Its `cause`.
   */
  close(reason?: unknown): void {
    this.#closed ??= closedError("wait for the event", reason);
    this.#line.failAll(this.#closed);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is doing now. */
  stats(): EventStats {
    return Object.freeze({
      set: this.#set,
      waiting: this.#line.length,
      closed: this.#closed !== undefined,
    });
  }
}
