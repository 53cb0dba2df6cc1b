/** A lock that greenlets get in the order in which they asked. @module */

import type { Greenlet } from "./greenlet.ts";
import { Wait } from "./wait.ts";
import { WaitQueue } from "./wait_queue.ts";

/** Mutual exclusion among the greenlets of a hub, first in, first out. */
export class FifoLock {
  readonly #label: string;
  #locked = false;
  #closed: Error | undefined = undefined;
  readonly #waiters = new WaitQueue<void>();

  /** A free lock; the label says what its waiters are blocked on. */
  constructor(label: string) {
    this.#label = label;
  }

  /** How many greenlets wait for it. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Whether somebody holds it. */
  get locked(): boolean {
    return this.#locked;
  }

  /** Takes the lock if that needs no waiting. */
  tryAcquire(): boolean {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#locked) return false;
    return this.#locked = true;
  }

  /** Takes the lock, after everybody who asked before. Rejects when interrupted or closed. */
  acquire(greenlet: Greenlet<unknown>): Promise<void> {
    const wait = new Wait<void>(greenlet, this.#label);
    if (greenlet.interrupted) greenlet.deliverPending(wait);
    if (!wait.armed) return wait.suspend();
    if (this.#closed !== undefined) wait.fail(this.#closed);
    else if (this.#locked) this.#waiters.push(wait);
    else {
      this.#locked = true;
      wait.settle();
    }
    return wait.suspend();
  }

  /** Hands the lock to the next waiter. */
  release(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#locked = false;
    else next.settle();
  }

  /** Ends every waiting and every later acquisition with an error. */
  close(reason: Error): void {
    this.#closed = reason;
    for (let wait = this.#waiters.shift(); wait; wait = this.#waiters.shift()) {
      wait.fail(reason);
    }
  }
}
