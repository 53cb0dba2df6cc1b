/** What a spawn and a kill can be told. @module */

import type { Members } from "./members.ts";
import type { Greenlet } from "./greenlet.ts";

/**
 * Where a greenlet is in its life: `queued` until its turn comes, then `running` and `suspended`
 * in turn, at last `succeeded`, `failed` or `killed`.
 */
export type GreenletState =
  | "queued"
  | "running"
  | "suspended"
  | "succeeded"
  | "failed"
  | "killed";

/** What a greenlet runs; it gets the greenlet itself. */
export type GreenletBody<T> = (
  greenlet: Greenlet<unknown>,
) => T | PromiseLike<T>;

/** Options of a spawn. */
export interface SpawnOptions {
  /**
   * For reports and errors.
   *
   * @default {"greenlet-<id>"}
   */
  readonly name?: string | undefined;
  /**
   * Whether code that the body awaits knows that it is part of this greenlet. Costs 0.3 µs; a
   * body that runs nothing but a guest can do without.
   *
   * @default {true}
   */
  readonly tracked?: boolean;
  /**
   * Kills the greenlet when it is aborted, with the signal's reason as `cause`. One that is
   * aborted already: the greenlet never runs.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long it may take from now on, in milliseconds; then it gets a {@linkcode Timeout}.
   *
   * @default {undefined}
   */
  readonly timeout?: number | undefined;
  /**
   * A set that it is in until it ends.
   *
   * @internal
   */
  readonly members?: Members;
}

/** Options of {@linkcode Greenlet.kill}. */
export interface KillOptions {
  /**
   * How long the greenlet may clean up, shielded from further interrupts, before its waits are
   * cut short. In milliseconds.
   *
   * @default {5000}
   */
  readonly grace?: number;
}
