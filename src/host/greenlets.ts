/** Greenlets on this thread's hub. @module */

import type {
  Greenlet,
  GreenletBody,
  SpawnOptions,
} from "../greenlet/greenlet.ts";
import { sleepIn } from "../greenlet/sleep.ts";
import { threadHub } from "./thread_hub.ts";

/**
 * Runs a JavaScript function as a greenlet, so that it can be killed and timed out where it
 * waits: in {@linkcode sleep}, `get()` and `join()` of a greenlet, {@linkcode waitFor}, the
 * primitives, and where its body returns a greenlet.
 *
 * `await` of a plain promise is no such wait, and neither is `await` of a call of a library: the
 * function goes on to its next wait first. Write `await library.exports.query().get()` where a
 * kill is to reach it. What it waits for is not killed with it.
 *
 * It never runs before the caller has given way.
 *
 * @example
 * ```ts
 * import { spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const greenlet = spawn(() => 6 * 7, { name: "answer" });
 * assert.equal(greenlet.state, "queued");
 * assert.equal(await greenlet, 42);
 * ```
 *
 * @param body The function; it gets the greenlet.
 * @param options Its name.
 * @returns The greenlet.
 */
export function spawn<T>(
  body: GreenletBody<T>,
  options: SpawnOptions = {},
): Greenlet<T> {
  return threadHub().spawn(body, options);
}

/**
 * As {@linkcode spawn}, after a time. Until then the greenlet is `queued`, and a kill ends it.
 *
 * @example
 * ```ts
 * import { spawnLater } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const greenlet = spawnLater(1, () => 42);
 * assert.equal(await greenlet, 42);
 * ```
 *
 * @param delay In milliseconds; zero or less: now.
 * @param body The function; it gets the greenlet.
 * @returns The greenlet.
 * @throws {RangeError} When the delay is not a number.
 */
export function spawnLater<T>(
  delay: number,
  body: GreenletBody<T>,
): Greenlet<T> {
  return threadHub().spawnLater(delay, body);
}

/** What {@linkcode configureGreenlets} sets. */
export interface GreenletsOptions {
  /**
   * Gets every error of a greenlet that nobody has taken by the event loop's next turn, once.
   *
   * @default {an unhandled rejection}
   */
  readonly onError?:
    | ((error: unknown, greenlet: Greenlet<unknown>) => void)
    | undefined;
  /**
   * Whether greenlets know their `parent` and `spawnStack`; costs some microseconds a spawn.
   *
   * @default {false}
   */
  readonly trackSpawns?: boolean;
}

/**
 * Sets what holds for all greenlets of this thread. What is not named goes back to its default.
 *
 * @example
 * ```ts
 * import { configureGreenlets, spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const errors: unknown[] = [];
 * configureGreenlets({ onError: (error) => errors.push(error) });
 * spawn(() => Promise.reject("nobody looks"));
 * await new Promise((resolve) => setTimeout(resolve, 5));
 * assert.deepEqual(errors, ["nobody looks"]);
 * configureGreenlets({});
 * ```
 *
 * @param options Who gets errors, and what is noted.
 */
export function configureGreenlets(options: GreenletsOptions): void {
  const hub = threadHub();
  hub.onError = options.onError;
  hub.trackSpawns = options.trackSpawns ?? false;
}

/** The greenlet that the running code is part of; `undefined` outside all greenlets. */
export function getCurrent(): Greenlet<unknown> | undefined {
  return threadHub().current;
}

/** Options of {@linkcode sleep}. */
export interface SleepOptions {
  /** Ends the sleep early; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Lets time pass. In a greenlet it is a wait, which a kill or a timeout ends.
 *
 * @example In a host function, the guest's `sleep` suspends its own greenlet only
 * ```ts
 * import { sleep, suspending } from "@hedgesnake/greenlet";
 *
 * const imports = {
 *   env: {
 *     sleep: suspending((ms, call) => sleep(ms, { signal: call.signal })),
 *   },
 * };
 * ```
 *
 * @param delay In milliseconds; zero or less gives way to all that is ready now.
 * @param options A signal.
 */
export function sleep(
  delay: number,
  options: SleepOptions = {},
): Promise<void> {
  const { signal } = options;
  if (Number.isNaN(delay)) {
    return Promise.reject(
      new RangeError(
        `Cannot sleep for ${delay} ms: the delay must be a number`,
      ),
    );
  }
  const { driver } = threadHub();
  const greenlet = driver.context?.current();
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (greenlet !== undefined && !greenlet.ended) {
    return sleepIn(greenlet, delay, signal);
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => {
    driver.clearTimer(timer);
    reject(signal?.reason);
  };
  const timer = driver.setTimer(() => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  }, Math.max(0, delay));
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}
