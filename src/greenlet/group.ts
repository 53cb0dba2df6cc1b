/** Any number of greenlets together. @module */

import type { Greenlet } from "./greenlet.ts";
import { GreenletSet, type Spawned } from "./greenlet_set.ts";
import type { GreenletBody, SpawnOptions } from "./spawn_options.ts";
import { threadHub } from "./thread.ts";

/**
 * Greenlets that are waited for and killed together.
 *
 * @example
 * ```ts
 * import { Group, sleep } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const group = new Group();
 * for (const delay of [1, 2, 3]) group.spawn(() => sleep(delay));
 * assert.equal(group.size, 3);
 * assert.equal(await group.join(), true);
 * assert.deepEqual(await group.map([1, 2, 3], (x) => x * x), [1, 4, 9]);
 * ```
 */
export class Group extends GreenletSet {
  /**
   * Spawns a member.
   *
   * @param body What it runs.
   * @param options Its name and limits.
   */
  spawn<T>(body: GreenletBody<T>, options?: SpawnOptions): Greenlet<T> {
    const greenlet = threadHub().spawn(body, options);
    this.add(greenlet);
    return greenlet;
  }

  /** Makes a greenlet a member, until it ends. One that has ended, or is one, changes nothing. */
  add(greenlet: Greenlet<unknown>): void {
    if (!greenlet.ended && !this.has(greenlet)) this.enter(greenlet);
  }

  /**
   * Spawns a member.
   *
   * @internal
   */
  override launch<T>(
    body: GreenletBody<T>,
    options: SpawnOptions | undefined,
  ): Promise<Spawned<T>> {
    return Promise.resolve({ greenlet: this.spawn(body, options) });
  }
}
