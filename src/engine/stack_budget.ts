/** The cap on live WebAssembly stacks. @module */

import type { HubDriver } from "../greenlet/driver.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import { Wait } from "../greenlet/wait.ts";
import { WaitQueue } from "../greenlet/wait_queue.ts";
import { FunctionBody } from "./codegen/function_body.ts";
import { ModuleBuilder } from "./codegen/module_builder.ts";
import { promising, type PromisingFunction } from "./jspi.ts";

/**
 * Most stacks at once by default. A process dies, uncatchably, at about 32,000: each takes two of
 * the 65,530 memory mappings that Linux allows (`vm.max_map_count`).
 */
const MAX_STACKS = 16_384;

/** Extra stacks for callbacks: who holds a stack never waits for ever for its own callback. */
const CALLBACK_RESERVE = 1_024;

/** Endings after which finished stacks are unmapped. */
const TRIM_EVERY = 256;

/**
 * Counts the stacks of a process and lets callers wait for one, first in, first out.
 *
 * V8 keeps a finished stack mapped until its isolate starts the next one, so the share of a call
 * that has ended comes back only then, or at a {@linkcode StackBudget.trim}.
 */
export class StackBudget {
  readonly #limit: number;
  readonly #used: Int32Array;
  readonly #waiters = new WaitQueue<void>();
  #finished = 0;
  #trimScheduled = false;
  #trimCall: PromisingFunction | undefined = undefined;

  /**
   * A budget of its own.
   *
   * @param limit Most stacks at once.
   * @param counter The count of stacks in use, in memory that threads can share.
   */
  constructor(
    limit: number = MAX_STACKS,
    counter: SharedArrayBuffer = new SharedArrayBuffer(4),
  ) {
    this.#limit = limit;
    this.#used = new Int32Array(counter);
  }

  /** Most stacks at once, without the reserve for callbacks. */
  get limit(): number {
    return this.#limit;
  }

  /** Stacks that are mapped now, finished ones included. */
  get used(): number {
    return Atomics.load(this.#used, 0);
  }

  /** How many calls wait for a stack. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Takes a stack if one is free and nobody was first. */
  tryAcquire(): boolean {
    return this.#waiters.peek() === undefined && this.#take(this.#limit);
  }

  /** Takes a stack for a callback, from the reserve if need be. */
  tryAcquireReserve(): boolean {
    return this.#take(this.#limit + CALLBACK_RESERVE);
  }

  /** Waits for a stack. */
  acquire(greenlet: Greenlet<unknown>): Promise<void> {
    const wait = new Wait<void>(greenlet, "a free stack");
    if (greenlet.interrupted) greenlet.deliverPending(wait);
    if (wait.armed) {
      this.#waiters.push(wait);
      this.#admit();
    }
    return wait.suspend();
  }

  /** Notes that a call was started, which made V8 unmap the finished stacks. */
  started(): void {
    if (this.#finished > 0) this.#giveBack();
  }

  /** Gives back a stack that was taken and never used. */
  release(): void {
    Atomics.sub(this.#used, 0, 1);
    this.#admit();
  }

  /** Notes that a call has ended: its share comes back at the next start or trim. */
  ended(driver: HubDriver): void {
    this.#finished += 1;
    if (
      this.#finished >= TRIM_EVERY || this.#waiters.peek() !== undefined
    ) this.trim();
    else if (!this.#trimScheduled) {
      this.#trimScheduled = true;
      driver.hop(() => {
        this.#trimScheduled = false;
        if (this.#finished > 0) this.trim();
      });
    }
  }

  /** Makes V8 unmap the finished stacks, by a call that does nothing. */
  trim(): void {
    this.#trimCall ??= promising(noop());
    this.#trimCall();
    this.#giveBack();
  }

  #take(limit: number): boolean {
    if (Atomics.add(this.#used, 0, 1) < limit) return true;
    Atomics.sub(this.#used, 0, 1);
    return false;
  }

  #giveBack(): void {
    Atomics.sub(this.#used, 0, this.#finished);
    this.#finished = 0;
    this.#admit();
  }

  #admit(): void {
    while (this.#waiters.peek() !== undefined && this.#take(this.#limit)) {
      this.#waiters.shift()?.settle();
    }
  }
}

/** The budget of this process. */
export const processStacks: StackBudget = new StackBudget();

function noop(): () => void {
  const builder = new ModuleBuilder();
  const nothing = { params: [], results: [] };
  builder.defineFunction("noop", nothing, new FunctionBody(0));
  const module = new WebAssembly.Module(builder.finish());
  return new WebAssembly.Instance(module).exports.noop as () => void;
}
