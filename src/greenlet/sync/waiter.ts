/** The one way in which a primitive waits, in a greenlet or outside. @module */

import type { HubDriver, TimerHandle } from "../driver.ts";
import { threadHub, waitingGreenlet } from "../thread.ts";
import { Timeout } from "../timeout.ts";
import { Wait } from "../wait.ts";
import { PlainWait } from "./plain_wait.ts";
import { ShieldedWait } from "./shielded_wait.ts";
import type { WaitLine } from "./wait_line.ts";
import { delayOf, type WaitOptions } from "./wait_options.ts";

/** Runtimes fire at once when they are asked for more. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A call of a primitive that may have to wait. */
export interface BlockingCall<T, D> {
  /** What the waiter is blocked on: `Queue.get()`. */
  readonly label: string;
  /** What the waiter brings along. */
  readonly detail: D;
  /**
   * Settles the waiter at once, or puts it in a line for somebody else to settle it. What it
   * throws is what the call rejects with.
   */
  begin(waiter: Waiter<T, D>): void;
  /** What a timeout in milliseconds resolves with; without it, it rejects. */
  readonly late?: T | undefined;
  /** Runs when the wait is lost: to a timeout, a kill, a signal. */
  readonly onLost?: () => void;
  /** Whether kills and timeouts of the greenlet leave the wait alone. */
  readonly shielded?: boolean;
}

/**
 * Makes a call that may wait.
 *
 * 1. A bad timeout, an aborted signal, a pending kill: it rejects and `begin` never runs.
 * 2. `begin` runs, inside this call.
 * 3. Unless it has settled the waiter: whoever settles it, a timeout, a kill or the signal ends
 *    the wait, whichever is first. By then it is out of its line, with neither timer nor
 *    listener left. A waiter that was settled keeps its outcome, whatever comes later.
 * 4. The outcome takes its turn in the hub's ready queue.
 */
export function block<T, D>(
  call: BlockingCall<T, D>,
  options: WaitOptions,
): Promise<T> {
  const { signal } = options;
  let delay: number | undefined;
  try {
    delay = delayOf(options);
  } catch (error) {
    return Promise.reject(error);
  }
  if (signal?.aborted) return Promise.reject(signal.reason);
  const greenlet = waitingGreenlet();
  if (greenlet === undefined) {
    const hub = threadHub();
    const wait = new PlainWait<T>(hub);
    new Waiter(call, wait).begin(hub.driver, delay, options);
    return wait.suspend();
  }
  const wait = call.shielded
    ? new ShieldedWait<T>(greenlet, call.label)
    : new Wait<T>(greenlet, call.label);
  if (greenlet.interrupted) greenlet.deliverPending(wait);
  if (wait.armed) {
    const waiter = new Waiter(call, wait);
    waiter.begin(greenlet.hub.driver, delay, options);
    wait.release = () => waiter.lose();
  }
  return wait.suspend();
}

/**
 * Who waits: in a line at most, with a time limit and a signal at most.
 *
 * @typeParam T What it waits for.
 * @typeParam D What it brings along.
 */
export class Waiter<T, D = undefined> {
  /** The line that it stands in. For the line. */
  line: WaitLine<T, D> | undefined = undefined;
  /** Who is before it in the line. For the line. */
  previous: Waiter<T, D> | undefined = undefined;
  /** Who is behind it in the line. For the line. */
  next: Waiter<T, D> | undefined = undefined;

  readonly #call: BlockingCall<T, D>;
  readonly #wait: Wait<T> | PlainWait<T>;
  #withdraw: (() => void) | undefined = undefined;

  /** The waiter of a call. */
  constructor(call: BlockingCall<T, D>, wait: Wait<T> | PlainWait<T>) {
    this.#call = call;
    this.#wait = wait;
  }

  /** What it brought along. */
  get detail(): D {
    return this.#call.detail;
  }

  /** Begins to wait, unless the call is done at once. */
  begin(
    driver: HubDriver,
    delay: number | undefined,
    options: WaitOptions,
  ): void {
    try {
      this.#call.begin(this);
    } catch (error) {
      this.fail(error);
    }
    if (this.#wait.armed) this.#limit(driver, delay, options);
  }

  /** Gives it what it waits for. */
  settle(value: T): void {
    this.#leave();
    this.#wait.settle(value);
  }

  /** Ends its wait with an error. */
  fail(error: unknown): void {
    this.#leave();
    this.#wait.fail(error);
  }

  /** Takes it out of everything: it will not get what it waits for. */
  lose(): void {
    this.#leave();
    this.#call.onLost?.();
  }

  #leave(): void {
    this.line?.remove(this);
    this.#withdraw?.();
    this.#withdraw = undefined;
  }

  #limit(
    driver: HubDriver,
    delay: number | undefined,
    { timeout, signal }: WaitOptions,
  ): void {
    let timer: TimerHandle | undefined;
    const count = (left: number) => {
      timer = driver.setTimer(() => {
        if (left > LONGEST_TIMER) count(left - LONGEST_TIMER);
        else this.#expire(timeout);
      }, Math.min(left, LONGEST_TIMER));
    };
    if (delay !== undefined && delay !== Infinity) count(delay);
    const onAbort = () => {
      this.lose();
      this.#wait.fail(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#withdraw = () => {
      if (timer !== undefined) driver.clearTimer(timer);
      signal?.removeEventListener("abort", onAbort);
    };
  }

  #expire(timeout: number | Timeout | undefined): void {
    const { label, late } = this.#call;
    this.lose();
    if (timeout instanceof Timeout) this.#wait.fail(timeout);
    else if (late !== undefined) this.#wait.settle(late);
    else {
      this.#wait.fail(
        new Timeout(
          timeout,
          `Cannot finish '${label}': timed out after ${timeout} ms`,
        ),
      );
    }
  }
}
