/** Waiting for a greenlet's end, as a wait of another one. @module */

import { DeadlockError } from "../errors.ts";
import type { GreenletOutcome } from "./outcome.ts";
import type { WaitOptions } from "./sync/wait_options.ts";
import { block } from "./sync/waiter.ts";

/**
 * Waits for the end of a greenlet as the running greenlet, or with a limit.
 *
 * @param greenlet Whose end.
 * @param how `get` waits for the outcome; `join` for the end or the timeout, whichever is first.
 * @param options A time limit and a signal.
 * @returns `undefined` where no wait is needed: outside all greenlets and without limits.
 */
export function waitForEnd<T>(
  greenlet: GreenletOutcome<T>,
  how: "get" | "join",
  options: WaitOptions | undefined,
): Promise<T> | undefined {
  const current = greenlet.hub.driver.context?.current();
  if (options === undefined && (current === undefined || current.ended)) {
    return undefined;
  }
  if (Object.is(current, greenlet) && !greenlet.ended) {
    return Promise.reject(
      new DeadlockError(
        `Cannot ${how} '${greenlet.name}': it would wait for itself`,
      ),
    );
  }
  let unlink: (() => void) | undefined;
  const late = how === "join" ? { late: null } : undefined;
  return block<unknown, undefined>({
    label: `${how} ${greenlet.name}`,
    detail: undefined,
    begin: (waiter) => {
      const end = () => {
        greenlet.takeError();
        if (how === "join" || greenlet.successful) {
          waiter.settle(greenlet.value);
        } else waiter.fail(greenlet.error);
      };
      if (greenlet.ended) end();
      else unlink = greenlet.onEnd(end);
    },
    onLost: () => {
      unlink?.();
      greenlet.giveUp();
    },
    ...late,
  }, options ?? {}) as Promise<T>;
}
