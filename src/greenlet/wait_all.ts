/** Waiting for several at once. @module */

import type { Greenlet } from "./greenlet.ts";
import { iwait, type Linkable, type WaitAllOptions } from "./iwait.ts";
import type { KillOptions } from "./spawn_options.ts";
import { Timeout } from "./timeout.ts";
import { threadHub } from "./thread.ts";

/** Options of {@linkcode joinAll}. */
export interface JoinAllOptions extends WaitAllOptions {
  /**
   * Whether the first one that fails ends the wait at once, with its error. A kill is no failure.
   *
   * @default {false}
   */
  readonly raiseError?: boolean;
}

/** Options of {@linkcode killAll}. */
export interface KillAllOptions extends KillOptions {
  /**
   * How long to wait for their ends, in milliseconds.
   *
   * @default {undefined}
   */
  readonly timeout?: number | undefined;
}

/**
 * Waits until objects are ready.
 *
 * @param objects Greenlets, or other objects with links; each counts once.
 * @param options A time limit, a signal, how many to wait for.
 * @returns Those that are ready, in that order; after the timeout, as many as there are.
 * @throws {RangeError} When the count or the timeout is negative or not a number.
 */
export async function wait<T extends Linkable>(
  objects: Iterable<T>,
  options: WaitAllOptions = {},
): Promise<T[]> {
  await using iterator = iwait(objects, options);
  const ready: T[] = [];
  for await (const { object } of iterator) ready.push(object);
  return ready;
}

/**
 * Waits until greenlets have ended, in whatever way. Their errors count as taken.
 *
 * @example
 * ```ts
 * import { joinAll, spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const greenlets = [1, 2, 3].map((x) => spawn(() => x * x));
 * await joinAll(greenlets);
 * assert.deepEqual(greenlets.map((each) => each.value), [1, 4, 9]);
 * ```
 *
 * @param greenlets The greenlets.
 * @param options A time limit, a signal, how many to wait for, and whether a failure ends it.
 * @returns Those that have ended, in that order; after the timeout, as many as there are.
 * @throws {RangeError} When the count or the timeout is negative or not a number.
 */
export async function joinAll<T>(
  greenlets: Iterable<Greenlet<T>>,
  options: JoinAllOptions = {},
): Promise<Greenlet<T>[]> {
  await using iterator = iwait(greenlets, options);
  const ended: Greenlet<T>[] = [];
  for await (const { object: greenlet } of iterator) {
    if (options.raiseError && greenlet.state === "failed") throw greenlet.error;
    ended.push(greenlet);
  }
  return ended;
}

/**
 * Kills greenlets, all at once, and waits until they have ended. The promise is no wait of a
 * greenlet, and does not wait for the one that calls it, which ends at its next wait.
 *
 * @param greenlets The greenlets.
 * @param reason The `cause` of their errors.
 * @param options How long they may clean up, and how long to wait for that.
 * @throws {Timeout} When they have not ended in time. They are killed nevertheless.
 */
export async function killAll(
  greenlets: Iterable<Greenlet<unknown>>,
  reason?: unknown,
  options: KillAllOptions = {},
): Promise<void> {
  const { timeout } = options;
  const late = timeout === undefined
    ? undefined
    : new Timeout(timeout, `Cannot end all: timed out after ${timeout} ms`);
  const ends = Promise.all(
    Array.from(greenlets, (each) => each.kill(reason, options)),
  );
  if (late === undefined) {
    await ends;
    return;
  }
  const { driver } = threadHub();
  const over = Promise.withResolvers<void>();
  const timer = driver.setTimer(() => over.reject(late), late.delay ?? 0);
  try {
    await Promise.race([ends, over.promise]);
  } finally {
    driver.clearTimer(timer);
  }
}
