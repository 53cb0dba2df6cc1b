/** One suspension of a guest in a host function. @module */

import { ResourceClosedError } from "../errors.ts";
import { Wait } from "../greenlet/wait.ts";
import type { Activation } from "./activation.ts";
import type { HostCall, WasmValue } from "./host_function.ts";
import type { BlockingFunction } from "./invoker.ts";

/** What few calls of host functions need. */
interface Extras {
  controller: AbortController | undefined;
  reason: Error | undefined;
  callbacks: number;
  held: (() => void) | undefined;
}

/**
 * The wait of a guest in a suspending host function, and at the same time the
 * {@linkcode HostCall} that this function is given.
 */
export class GuestWait extends Wait<WasmValue> implements HostCall {
  readonly #activation: Activation;
  #host: BlockingFunction;
  #extras: Extras | undefined = undefined;

  /** {@linkcode Wait.settle}, for a promise. */
  readonly onValue = (value: WasmValue): void => this.settle(value);
  /** {@linkcode Wait.fail}, for a promise. */
  readonly onError = (error: unknown): void => this.fail(error);

  /** Begins the wait of an activation in a host function. */
  constructor(activation: Activation, host: BlockingFunction) {
    super(activation.greenlet, host.label);
    this.#activation = activation;
    this.#host = host;
  }

  get active(): boolean {
    return this.armed;
  }

  get signal(): AbortSignal {
    const extras = this.#extra();
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      if (!this.armed) extras.controller.abort(extras.reason);
    }
    return extras.controller.signal;
  }

  /** How many callbacks into the guest have not ended. */
  get callbacks(): number {
    return this.#extras?.callbacks ?? 0;
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
    const extras = this.#extra();
    extras.callbacks += 1;
    try {
      return await this.#activation.guest.callBack(this, target, args);
    } finally {
      extras.callbacks -= 1;
      if (extras.callbacks === 0) this.#callbacksEnded(extras);
    }
  }

  override settle(value: WasmValue): void {
    const extras = this.#extras;
    if (extras === undefined) super.settle(value);
    else if (extras.callbacks > 0) extras.held = () => this.settle(value);
    else if (extras.reason === undefined) super.settle(value);
    else this.#interrupted(extras.reason);
  }

  override fail(error: unknown): void {
    const extras = this.#extras;
    if (extras === undefined) super.fail(error);
    else if (extras.callbacks > 0) extras.held = () => this.fail(error);
    else if (extras.reason === undefined) super.fail(error);
    else this.#interrupted(extras.reason);
  }

  /**
   * In mode `errno` the one call fails with the host function's own error value; in mode `throw`,
   * and always by force, the guest is unwound.
   */
  override interrupt(reason: Error, force = false): boolean {
    if (!this.armed) return false;
    const extras = this.#extra();
    // The innermost callback takes it; it reaches this wait when the callback has ended.
    if (extras.callbacks > 0) return false;
    if (extras.reason !== undefined && !force) return false;
    const { interrupted, onInterrupt } = this.#host.interrupt;
    const soft = this.#activation.guest.killMode === "errno" && !force;
    if (soft && interrupted === undefined) return false;
    extras.reason = reason;
    if (soft) this.#activation.soften(reason);
    else this.#activation.doom(reason);
    extras.controller?.abort(reason);
    if (force || onInterrupt !== "finish") this.#interrupted(reason);
    return true;
  }

  /** Ends it where an interrupt met it before its host function began: nothing has to finish. */
  refuse(): void {
    const reason = this.#extras?.reason;
    if (reason !== undefined && this.armed) this.#interrupted(reason);
  }

  /** Uses the object again, when no host function was given it and no kill met it. */
  reuse(host: BlockingFunction): boolean {
    if (!this.over || this.#extras !== undefined || this.#host.takesCall) {
      return false;
    }
    this.#host = host;
    this.begin(host.label);
    return true;
  }

  #interrupted(reason: Error): void {
    const { interrupted } = this.#host.interrupt;
    if (this.#activation.doomed !== undefined || interrupted === undefined) {
      super.fail(reason);
    } else super.settle(interrupted(reason));
  }

  #callbacksEnded(extras: Extras): void {
    const { held } = extras;
    extras.held = undefined;
    if (held !== undefined) held();
    else if (this.armed && this.greenlet.interrupted) {
      this.greenlet.deliverPending(this);
    }
  }

  #extra(): Extras {
    return this.#extras ??= {
      controller: undefined,
      reason: undefined,
      callbacks: 0,
      held: undefined,
    };
  }
}
