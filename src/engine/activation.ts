/** One call of a guest's export, on a stack of its own. @module */

import {
  GreenletKilledError,
  InternalError,
  StackOverflowError,
  SuspendError,
} from "../errors.ts";
import { GRACE, Grace } from "../greenlet/grace.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import type { Guest } from "./guest.ts";
import type { BlockingFunction } from "./invoker.ts";
import { guestError, isTrap } from "./guest_errors.ts";
import { GuestWait } from "./guest_wait.ts";
import type { WasmValue } from "./host_function.ts";
import { isSuspendError } from "./jspi.ts";
import type { StackSegment } from "./stack_segments.ts";
import { WORD } from "./switch_words.ts";

/** A running call: who runs it, on which segment, and how it is to end early. */
export class Activation {
  /** Who runs it. */
  readonly greenlet: Greenlet<unknown>;
  /** In which instance. */
  readonly guest: Guest;
  /** Its part of the guest's memory, in an `interleaved` instance. */
  readonly segment: StackSegment | undefined;
  /** Its number in the thread's switch state. */
  readonly number: number;

  /** Whether it holds the instance's turn: callbacks run within their caller's. */
  readonly ownsTurn: boolean;

  readonly #called: string;
  #doomed: Error | undefined = undefined;
  #softened: Error | undefined = undefined;
  #wait: GuestWait | undefined = undefined;
  #grace: Grace | undefined = undefined;
  #overdue: Error | undefined = undefined;
  #thrower: string | undefined = undefined;

  /** An activation that is about to start. */
  constructor(
    greenlet: Greenlet<unknown>,
    guest: Guest,
    called: string,
    segment: StackSegment | undefined,
    ownsTurn: boolean,
  ) {
    this.greenlet = greenlet;
    this.guest = guest;
    this.#called = called;
    this.segment = segment;
    this.ownsTurn = ownsTurn;
    this.number = guest.switches.add(
      this,
      segment?.base ?? 0,
      segment?.top ?? -1,
    );
  }

  /** Why the guest is being unwound, if it is. */
  get doomed(): Error | undefined {
    return this.#doomed;
  }

  /** Notes that the guest is being unwound: if it blocks again, it traps. */
  doom(reason: Error): void {
    this.#doomed ??= reason;
  }

  /** Notes which host function threw last: the runtime's own errors do not say. */
  noteThrow(label: string): void {
    this.#thrower = label;
  }

  /**
   * Notes that one call of the guest failed on purpose: its result does not count any more, and
   * it has a grace time to come to its end. That of a kill is the greenlet's own.
   */
  soften(reason: Error): void {
    this.#softened ??= reason;
    if (reason instanceof GreenletKilledError || this.#grace !== undefined) {
      return;
    }
    this.#grace = new Grace();
    this.#grace.hurry(this.guest.hub.driver, GRACE, () => {
      this.#overdue = reason;
      this.#wait?.interrupt(reason, true);
    });
  }

  /**
   * Runs a host function for the guest. Whatever it returns goes to the shim: a promise suspends.
   */
  suspend(
    host: BlockingFunction,
    a?: WasmValue,
    b?: WasmValue,
    c?: WasmValue,
    d?: WasmValue,
    e?: WasmValue,
    f?: WasmValue,
  ): WasmValue {
    const { guest, greenlet } = this;
    guest.hub.turnTaken();
    if (this.#doomed !== undefined) {
      guest.switches.words[WORD.trap] = 1;
      throw this.#doomed;
    }
    const { segment } = this;
    if (segment !== undefined && !guest.intact(segment)) {
      guest.switches.words[WORD.trap] = 1;
      guest.switches.noteOverflow(this.number);
      throw new InternalError("Cannot go on: the shim traps here");
    }
    const last = this.#wait;
    const wait = last?.reuse(host) ? last : new GuestWait(this, host);
    this.#wait = wait;
    if (greenlet.interrupted || this.#overdue !== undefined) {
      if (this.#overdue !== undefined) wait.interrupt(this.#overdue, true);
      else greenlet.deliverPending(wait);
      wait.refuse();
      if (!wait.armed) {
        guest.switches.clearCurrent();
        return wait.suspend();
      }
    }
    try {
      const result = host.invoke(wait, a, b, c, d, e, f);
      if (isPromise(result)) {
        // Of a promise of somebody's own making only the first answer counts.
        Promise.resolve(result).then(wait.onValue, wait.onError);
      } else wait.settle(result);
    } catch (error) {
      if (wait.callbacks === 0) {
        wait.cancel();
        throw error;
      }
      // Callbacks run on top of the guest's frames: it goes on when they have ended.
      wait.fail(error);
    }
    guest.switches.clearCurrent();
    return wait.suspend();
  }

  /** Takes it back: nothing of the guest has run. */
  cancel(): void {
    this.#end();
  }

  /** The outcome of a call that returned. */
  returned(value: WasmValue): WasmValue {
    const overflow = this.segment !== undefined &&
      !this.guest.intact(this.segment);
    this.#end();
    if (overflow) throw this.#overflow(undefined);
    const reason = this.#doomed ?? this.#softened;
    if (reason !== undefined) throw reason;
    return value;
  }

  /** The outcome of a call that threw. */
  threw(error: unknown): never {
    const { guest } = this;
    const overflow = guest.switches.overflowed(this.number) ||
      (this.segment !== undefined && !guest.intact(this.segment));
    if (isSuspendError(error) && this.#wait?.armed) this.#wait.cancel();
    this.#end();
    if (overflow) throw this.#overflow(error);
    const reported = this.#doomed ??
      guestError(error, this.#called, this.#thrower);
    guest.unwound(reported, isTrap(error));
    throw reported;
  }

  #overflow(cause: unknown): StackOverflowError {
    const error = new StackOverflowError(
      `The guest left its stack segment in '${this.#called}': the option 'stackSize' makes segments larger`,
      { cause },
    );
    this.guest.unwound(error, true);
    return error;
  }

  #end(): void {
    this.#grace?.stop(this.guest.hub.driver);
    this.guest.switches.remove(this.number);
    this.guest.finished(this);
  }
}

/** The error for a suspending host function that was called outside any greenlet. */
export function noActivation(label: string): SuspendError {
  return new SuspendError(
    `Cannot suspend in host function '${label}': the guest was called without a greenlet, by its start function or by a plain call; export what must block and call that`,
  );
}

function isPromise(value: WasmValue): value is PromiseLike<WasmValue> {
  return typeof value === "object" && value !== null &&
    typeof value.then === "function";
}
