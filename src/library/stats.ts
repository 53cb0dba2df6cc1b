/** What a library is doing, as numbers. @module */

import type { Guest } from "../engine/guest.ts";
import { processStacks } from "../engine/stack_budget.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";

/** A greenlet that waits, and what for. */
export interface BlockedGreenlet {
  /** Its number. */
  readonly id: number;
  /** Its name. */
  readonly name: string;
  /** The host function or the lock that it waits in. */
  readonly on: string;
}

/** What a library is doing. */
export interface LibraryStats {
  /** Greenlets that have not ended, by state. */
  readonly greenlets: {
    /** Spawned, not started. */
    readonly queued: number;
    /** Running, or about to go on. */
    readonly running: number;
    /** Waiting. */
    readonly suspended: number;
  };
  /** What blocks each suspended one, in the order of the spawns. */
  readonly blocked: readonly BlockedGreenlet[];
  /** Machine stacks, of the whole process. */
  readonly stacks: {
    /** In use, or not unmapped yet. */
    readonly used: number;
    /** Most at once. */
    readonly limit: number;
    /** Calls that wait for one. */
    readonly waiting: number;
  };
  /** Stack segments in the guest's memory, free ones included. */
  readonly segments: number;
  /** The size of the guest's memory, in bytes; 0 where each call has its own. */
  readonly memory: number;
  /** Why the instance is not safe to use any more. */
  readonly tainted: Error | undefined;
  /** Whether the library takes no calls any more. */
  readonly closed: boolean;
}

/** The record of a library's live greenlets and its instance, frozen. */
export function statsOf(
  live: Iterable<Greenlet<unknown>>,
  guest: Guest | undefined,
  closed: boolean,
): LibraryStats {
  const greenlets = { queued: 0, running: 0, suspended: 0 };
  const blocked: BlockedGreenlet[] = [];
  for (const { state, id, name, blockedOn } of live) {
    if (state in greenlets) greenlets[state as keyof typeof greenlets] += 1;
    if (blockedOn !== undefined) {
      blocked.push(Object.freeze({ id, name, on: blockedOn }));
    }
  }
  return Object.freeze({
    greenlets: Object.freeze(greenlets),
    blocked: Object.freeze(blocked),
    stacks: Object.freeze({
      used: processStacks.used,
      limit: processStacks.limit,
      waiting: processStacks.waiting,
    }),
    segments: guest?.segments ?? 0,
    memory: guest?.memorySize ?? 0,
    tainted: guest?.tainted,
    closed,
  });
}
