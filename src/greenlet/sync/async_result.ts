/** A value that comes later. @module */

import {
  AlreadySetError,
  NotReadyError,
  type ResourceClosedError,
} from "../../errors.ts";
import { closedError } from "./closed_error.ts";
import { WaitLine } from "./wait_line.ts";
import type { WaitOptions } from "./wait_options.ts";
import { block } from "./waiter.ts";

/** What {@linkcode AsyncResult.stats} returns. */
export interface AsyncResultStats {
  /** Whether it has an outcome. */
  readonly ready: boolean;
  /** How many wait for it. */
  readonly waiting: number;
  /** Whether it was closed before it had an outcome. */
  readonly closed: boolean;
}

type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

/**
 * A value or an error that one party sets, once, and any number of others get.
 *
 * Unlike a promise it is set from outside, waits for it are greenlets' waits, and an error that
 * nobody gets is not reported.
 *
 * @typeParam T The value.
 *
 * @example
 * ```ts
 * import { AsyncResult } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const answer = new AsyncResult<number>();
 * const both = Promise.all([answer.get(), answer.get()]);
 * answer.set(42);
 * assert.deepEqual(await both, [42, 42]);
 * assert.throws(() => answer.set(43), { name: "AlreadySetError" });
 * ```
 */
export class AsyncResult<T> implements Disposable {
  readonly #line = new WaitLine<Outcome<T>>();
  #outcome: Outcome<T> | undefined = undefined;
  #closed: ResourceClosedError | undefined = undefined;

  /**
   * Takes the outcome of a greenlet or a promise when there is one; it counts as handled there.
   * A function of its own, to hand it over as a callback.
   *
   * @param source Whose outcome it takes.
   * @throws {AlreadySetError} When it has an outcome.
   */
  readonly follow: (source: PromiseLike<T>) => void = (source) => {
    this.#checkUnset();
    // Whoever closed it does not want it any more.
    source.then(
      (value) => this.#closed ?? this.set(value),
      (error: unknown) => this.#closed ?? this.setError(error),
    );
  };

  /** Whether it has a value or an error. */
  get ready(): boolean {
    return this.#outcome !== undefined;
  }

  /** Whether it has a value. */
  get succeeded(): boolean {
    return this.#outcome?.ok === true;
  }

  /** The value, where there is one. */
  get value(): T | undefined {
    return this.#outcome?.ok ? this.#outcome.value : undefined;
  }

  /** The error, where there is one. */
  get error(): unknown {
    return this.#outcome?.ok === false ? this.#outcome.error : undefined;
  }

  /**
   * Gives it its value and wakes everybody.
   *
   * @throws {AlreadySetError} When it has an outcome.
   * @throws {ResourceClosedError} When it is closed.
   */
  set(value: T): void {
    this.#set({ ok: true, value });
  }

  /**
   * Gives it an error, which everybody who gets it rejects with.
   *
   * @throws {AlreadySetError} When it has an outcome.
   * @throws {ResourceClosedError} When it is closed.
   */
  setError(error: unknown): void {
    this.#set({ ok: false, error });
  }

  /**
   * Waits for the outcome.
   *
   * @param options A time limit and a signal.
   * @returns The value; rejects with the error where there is one.
   * @throws {Timeout} When the time is over.
   * @throws {ResourceClosedError} When it was closed before it had an outcome.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async get(options: WaitOptions = {}): Promise<T> {
    return unwrap(await this.#wait("AsyncResult.get()", options));
  }

  /**
   * The outcome, if there is one already.
   *
   * @returns The value; throws the error where there is one.
   * @throws {NotReadyError} When there is no outcome yet.
   * @throws {ResourceClosedError} When it was closed before it had an outcome.
   */
  tryGet(): T {
    if (this.#closed !== undefined) throw this.#closed;
    return unwrap(this.#outcome);
  }

  /**
   * Waits until there is an outcome, whichever.
   *
   * @param options A time limit and a signal.
   * @returns `true`, or `false` when the timeout in milliseconds is over.
   * @throws {Timeout} The one that was given.
   * @throws {ResourceClosedError} When it was closed before it had an outcome.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    const outcome = await this.#wait("AsyncResult.wait()", options, LATE);
    return outcome !== LATE;
  }

  /**
   * Ends every wait, also later ones, with a {@linkcode ResourceClosedError}. One that has an
   * outcome keeps it.
   *
   * @param reason The `cause` of the error.
   */
  close(reason?: unknown): void {
    if (this.#outcome !== undefined) return;
    this.#closed ??= closedError("get the result", reason);
    this.#line.failAll(this.#closed);
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What it is doing now. */
  stats(): AsyncResultStats {
    return Object.freeze({
      ready: this.ready,
      waiting: this.#line.length,
      closed: this.#closed !== undefined,
    });
  }

  #set(outcome: Outcome<T>): void {
    this.#checkUnset();
    if (this.#closed !== undefined) {
      throw closedError("set the result", this.#closed.cause);
    }
    this.#outcome = outcome;
    this.#line.settleAll(outcome);
  }

  #checkUnset(): void {
    if (this.#outcome === undefined) return;
    throw new AlreadySetError("Cannot set the result: it is set already");
  }

  #wait(
    label: string,
    options: WaitOptions,
    late?: Outcome<T>,
  ): Promise<Outcome<T>> {
    return block<Outcome<T>, undefined>({
      label,
      detail: undefined,
      late,
      begin: (waiter) => {
        if (this.#closed !== undefined) waiter.fail(this.#closed);
        else if (this.#outcome !== undefined) waiter.settle(this.#outcome);
        else this.#line.push(waiter);
      },
    }, options);
  }
}

/** Stands for no outcome in time. */
const LATE: Outcome<never> = { ok: false, error: undefined };

function unwrap<T>(outcome: Outcome<T> | undefined): T {
  if (outcome === undefined) {
    throw new NotReadyError("Cannot get the result: it is not set yet");
  }
  if (outcome.ok) return outcome.value;
  throw outcome.error;
}
