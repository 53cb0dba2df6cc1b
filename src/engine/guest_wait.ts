/** One suspension of a guest in a host function. @module */

import { ResourceClosedError } from "../errors.ts";
import { Wait } from "../greenlet/wait.ts";
import type { Activation } from "./activation.ts";
import type { HostCall, InterruptOptions, WasmValue } from "./host_function.ts";

/**
 * The wait of a guest in a suspending host function, and at the same time the
 * {@linkcode HostCall} that this function is given.
 */
export class GuestWait extends Wait<WasmValue> implements HostCall {
  readonly #activation: Activation;
  readonly #interrupt: InterruptOptions;
  #controller: AbortController | undefined = undefined;
  #reason: Error | undefined = undefined;
  #callbacks = 0;
  #held: (() => void) | undefined = undefined;

  /** Begins the wait of an activation in an import. */
  constructor(
    activation: Activation,
    label: string,
    interrupt: InterruptOptions,
  ) {
    super(activation.greenlet, label);
    this.#activation = activation;
    this.#interrupt = interrupt;
  }

  get active(): boolean {
    return this.armed;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.armed) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** How many callbacks into the guest have not ended. */
  get callbacks(): number {
    return this.#callbacks;
  }

  async callback(
    target: string | number,
    ...args: WasmValue[]
  ): Promise<WasmValue> {
    if (!this.armed) {
      throw new ResourceClosedError(
        `Cannot call back '${target}': the call of '${this.label}' is over`,
      );
    }
    this.#callbacks += 1;
    try {
      return await this.#activation.guest.callBack(this, target, args);
    } finally {
      this.#callbacks -= 1;
      if (this.#callbacks === 0) this.#release();
    }
  }

  override settle(value: WasmValue): void {
    if (this.#callbacks > 0) this.#held = () => this.settle(value);
    else if (this.#reason === undefined) super.settle(value);
    else this.#interrupted(this.#reason);
  }

  override fail(error: unknown): void {
    if (this.#callbacks > 0) this.#held = () => this.fail(error);
    else if (this.#reason === undefined) super.fail(error);
    else this.#interrupted(this.#reason);
  }

  /**
   * In mode `errno` the one call fails with the host function's own error value; in mode `throw`,
   * and always by force, the guest is unwound.
   */
  override interrupt(reason: Error, force = false): boolean {
    if (!this.armed || (this.#reason !== undefined && !force)) return false;
    // The innermost callback takes it; it reaches this wait when the callback has ended.
    if (this.#callbacks > 0) return false;
    const soft = this.#activation.guest.killMode === "errno" && !force;
    if (soft && this.#interrupt.interrupted === undefined) return false;
    this.#reason = reason;
    if (soft) this.#activation.soften(reason);
    else this.#activation.doom(reason);
    this.#controller?.abort(reason);
    if (force || this.#interrupt.onInterrupt !== "finish") {
      this.#interrupted(reason);
    }
    return true;
  }

  #interrupted(reason: Error): void {
    const { interrupted } = this.#interrupt;
    if (this.#activation.doomed !== undefined || interrupted === undefined) {
      super.fail(reason);
    } else super.settle(interrupted(reason));
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) held();
    else if (this.armed && this.greenlet.interrupted) {
      this.greenlet.deliverPending(this);
    }
  }
}
