/** Waiters in the order in which they came. @module */

import type { Waiter } from "./waiter.ts";

/**
 * A line that can be left from anywhere, in constant time: who gives up holds nothing back.
 *
 * @typeParam T What the waiters get.
 * @typeParam D What the waiters bring along.
 */
export class WaitLine<T, D = undefined> {
  #first: Waiter<T, D> | undefined = undefined;
  #last: Waiter<T, D> | undefined = undefined;
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds at the end. */
  push(waiter: Waiter<T, D>): void {
    waiter.line = this;
    waiter.previous = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#length += 1;
  }

  /** Takes the first. */
  shift(): Waiter<T, D> | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes one that is in this line out of it. */
  remove(waiter: Waiter<T, D>): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiter.line = waiter.previous = waiter.next = undefined;
    this.#length -= 1;
  }

  /** Ends the waits of all, in their order, with a value. */
  settleAll(value: T): void {
    for (let left = this.#length; left > 0; left--) this.shift()?.settle(value);
  }

  /** Ends the waits of all, in their order, with an error. */
  failAll(error: unknown): void {
    for (let left = this.#length; left > 0; left--) this.shift()?.fail(error);
  }
}
