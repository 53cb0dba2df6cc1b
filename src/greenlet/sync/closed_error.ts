/** What the waiters of a primitive get that was closed. @module */

import { ResourceClosedError } from "../../errors.ts";

/**
 * The error of an action on a closed primitive.
 *
 * @param action What cannot be done: `get from the queue`.
 * @param reason Why it was closed; becomes the `cause`.
 */
export function closedError(
  action: string,
  reason: unknown,
): ResourceClosedError {
  return new ResourceClosedError(
    `Cannot ${action}: it is closed`,
    reason === undefined ? undefined : { cause: reason },
  );
}
