/** Who spawned whom, for debugging. @module */

import type { Greenlet } from "./greenlet.ts";

/** Where a greenlet comes from. */
interface Origin {
  readonly parent: WeakRef<Greenlet<unknown>> | undefined;
  readonly stack: string;
}

const origins = new WeakMap<Greenlet<unknown>, Origin>();

/** Notes who spawns a greenlet and where. Takes some microseconds. */
export function noteOrigin(
  greenlet: Greenlet<unknown>,
  parent: Greenlet<unknown> | undefined,
): void {
  origins.set(greenlet, {
    parent: parent && new WeakRef(parent),
    stack: new Error(`Spawned '${greenlet.name}'`).stack ?? "",
  });
}

/** Who spawned it, when that was noted and it has not been collected. */
export function parentOf(
  greenlet: Greenlet<unknown>,
): Greenlet<unknown> | undefined {
  return origins.get(greenlet)?.parent?.deref();
}

/** Where it was spawned, when that was noted. */
export function spawnStackOf(greenlet: Greenlet<unknown>): string | undefined {
  return origins.get(greenlet)?.stack;
}
