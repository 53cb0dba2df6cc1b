/** A hub whose clock, timers and event loop the test turns by hand. @module */

import { setImmediate } from "node:timers";
import type { HubDriver, TimerHandle } from "../../src/greenlet/driver.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { Hub, type HubOptions } from "../../src/greenlet/hub.ts";
import { Wait } from "../../src/greenlet/wait.ts";

interface Timer {
  readonly due: number;
  readonly run: () => void;
}

/** Time that passes only when the test says so. */
export class VirtualDriver implements HubDriver {
  /** How often the event loop got its turn because the hub asked for one. */
  hops = 0;

  #now = 0;
  #hops: (() => void)[] = [];
  readonly #timers = new Set<Timer>();

  /** Timers that were set and have neither fired nor been cleared. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Functions that wait for the event loop's next turn. */
  get pendingHops(): number {
    return this.#hops.length;
  }

  now(): number {
    return this.#now;
  }

  hop(run: () => void): void {
    this.#hops.push(run);
  }

  setTimer(run: () => void, delay: number): TimerHandle {
    const timer = { due: this.#now + delay, run };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: TimerHandle): void {
    this.#timers.delete(timer as Timer);
  }

  /** Lets time pass inside a body, as if it had computed for so long; no timer fires. */
  compute(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Lets time pass; the timers that fall due fire in their order, all in one turn. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.due > end) continue;
        if (next === undefined || timer.due < next.due) next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.run();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Gives the event loop one turn: runs the hops that are pending now. */
  runHops(): void {
    for (const run of this.#hops.splice(0)) {
      this.hops += 1;
      run();
    }
  }

  /** Runs microtasks and hops until none are left. */
  async settle(): Promise<void> {
    await microtasks();
    while (this.#hops.length > 0) {
      this.runHops();
      await microtasks();
    }
  }
}

/** A hub on a virtual driver. */
export function virtualHub(
  options?: HubOptions,
): { hub: Hub; driver: VirtualDriver } {
  const driver = new VirtualDriver();
  return { hub: new Hub(driver, options), driver };
}

/** Runs all microtasks that are queued, and those that they queue. */
export function microtasks(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A wait that the test ends, armed unless its greenlet was interrupted before. */
export function waitFor<T = void>(
  greenlet: Greenlet<unknown>,
  label = "the test",
): Wait<T> {
  const wait = new Wait<T>(greenlet, label);
  if (greenlet.interrupted) greenlet.deliverPending(wait);
  return wait;
}

/** What a promise rejects with; fails when it does not. */
export async function rejection(
  promise: PromiseLike<unknown>,
): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a rejection, got ${String(value)}`);
}

/** The rejections that nobody took while a function ran; they are kept from ending the process. */
export async function unhandledRejections(
  run: () => Promise<void>,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    seen.push(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  try {
    await run();
    await microtasks();
  } finally {
    removeEventListener("unhandledrejection", listener);
  }
  return seen;
}
