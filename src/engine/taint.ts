/** Whether an instance is still safe to use. @module */

import { GuestTaintedError } from "../errors.ts";

/** Remembers the first call that left an instance in an unknown state. */
export class Taint {
  readonly #refuse: boolean;
  #reason: Error | undefined = undefined;

  /** Nothing has happened yet; says whether new calls are refused once something has. */
  constructor(refuse: boolean) {
    this.#refuse = refuse;
  }

  /** Why the instance is not safe to use any more, if it is not. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Notes what a call ended with, before the guest could bring its work to an end. */
  note(reason: unknown): void {
    this.#reason ??= reason instanceof Error
      ? reason
      : new Error(String(reason));
  }

  /**
   * Refuses a new call of a tainted instance.
   *
   * @throws {GuestTaintedError} When it is tainted and calls are refused.
   */
  check(name: string): void {
    if (this.#reason === undefined || !this.#refuse) return;
    throw new GuestTaintedError(
      `Cannot call '${name}': an earlier call left the guest's instance in an unknown state (${this.#reason.message}); load it again, with 'isolated' or killMode 'errno' where calls are killed, or with onTaint 'allow' where you know that it is safe`,
      { cause: this.#reason },
    );
  }
}
