/** What ends a greenlet early, as its spawn was told. @module */

import type { Greenlet } from "./greenlet.ts";
import type { SpawnOptions } from "./spawn_options.ts";
import { Timeout } from "./timeout.ts";

/**
 * Ties a greenlet to a signal and to a time limit. Nothing of it is left at its end.
 *
 * @param greenlet One that was just spawned.
 * @param timeout The limit, not started yet.
 * @param signal Kills it.
 */
export function limitSpawn(
  greenlet: Greenlet<unknown>,
  timeout: Timeout | undefined,
  signal: AbortSignal | undefined,
): void {
  timeout?.start(greenlet);
  if (signal === undefined) return;
  if (signal.aborted) {
    void greenlet.kill(signal.reason);
    return;
  }
  const onAbort = () => void greenlet.kill(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  greenlet.onEnd(() => signal.removeEventListener("abort", onAbort));
}

/**
 * The time limit of a spawn; before the greenlet is there, so that a bad one changes nothing.
 *
 * @throws {RangeError} When it is negative or not a number.
 */
export function timeoutOf({ timeout }: SpawnOptions): Timeout | undefined {
  return timeout === undefined ? undefined : new Timeout(timeout);
}
