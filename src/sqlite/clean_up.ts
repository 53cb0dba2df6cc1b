/** Work that must be done to its end, whatever happens to whoever asks for it. @module */

import type { Greenlet } from "../greenlet/greenlet.ts";
import type { Hub } from "../greenlet/hub.ts";

/**
 * Runs something in a greenlet of its own, which no kill and no timeout of the caller reaches.
 *
 * A rollback that is interrupted leaves a lock or a journal behind, and the grace time of a killed
 * greenlet may be shorter than the rollback.
 *
 * @param hub The thread's hub.
 * @param body What to run. Its errors are dropped: there is an earlier one to report.
 */
export async function cleanUp(
  hub: Hub,
  body: (greenlet: Greenlet<unknown>) => PromiseLike<unknown>,
): Promise<void> {
  try {
    await hub.spawn(body, { name: "sqlite cleanup" });
  } catch {
    // The caller has the error that made the cleanup necessary.
  }
}
