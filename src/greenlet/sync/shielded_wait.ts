/** A wait that kills and timeouts leave alone. @module */

import { Wait } from "../wait.ts";

/**
 * For what a greenlet must get back before it goes on, such as the lock of a condition. Kills and
 * timeouts hit its next wait; only the end of a killed greenlet's grace time ends this one.
 *
 * @typeParam T What the wait ends with.
 */
export class ShieldedWait<T> extends Wait<T> {
  override interrupt(reason: Error, force = false): boolean {
    return force && super.interrupt(reason, force);
  }
}
