/** The hub of this thread, for code that knows no runtime. @module */

import type { Greenlet } from "./greenlet.ts";
import { Hub } from "./hub.ts";
import { standardDriver } from "./standard_driver.ts";

/** Says which hub is this thread's, and makes it when first asked. */
export type HubSource = () => Hub;

let source: HubSource | undefined;
let standard: Hub | undefined;

/**
 * Says which hub is this thread's. For the room that knows the runtime, and for tests.
 *
 * @param next Asked at every wait; `undefined`: a hub on what every runtime has.
 * @returns What was asked before.
 */
export function setThreadHub(
  next: HubSource | undefined,
): HubSource | undefined {
  const before = source;
  source = next;
  return before;
}

/** The hub of this thread. */
export function threadHub(): Hub {
  return source?.() ?? (standard ??= new Hub(standardDriver));
}

/**
 * The greenlet whose own JavaScript runs, so that a wait can be its wait.
 *
 * `undefined` in a host function, too: there the guest's call is the wait, and what the host
 * function awaits ends with the call's signal.
 */
export function waitingGreenlet(): Greenlet<unknown> | undefined {
  const greenlet = threadHub().driver.context?.current();
  return greenlet?.ended ? undefined : greenlet;
}
