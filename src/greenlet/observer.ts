/** The one hook point on a hub's greenlets, for monitors, traces and recorders. @module */

import type { Greenlet } from "./greenlet.ts";

/** What happened to a greenlet. */
export type GreenletEvent = "start" | "suspend" | "resume" | "end";

/**
 * Sees every start, suspension, resumption and end of a hub's greenlets, in order.
 *
 * It is called in the middle of a switch: it must not throw, and whatever acts on a greenlet (a
 * kill, an interrupt) has to wait for a microtask.
 *
 * @param event What happened.
 * @param greenlet To whom.
 * @param label What it waits for or waited for: an import's name such as `env.recv`, `sleep`, …;
 * `undefined` at the start and the end.
 */
export type GreenletObserver = (
  event: GreenletEvent,
  greenlet: Greenlet<unknown>,
  label: string | undefined,
) => void;
