/** Values that each greenlet has for itself. @module */

import type { Greenlet } from "./greenlet.ts";
import { threadHub } from "./thread.ts";

/** A value, which may be `undefined`. */
interface Slot<T> {
  value: T;
}

/**
 * A variable that every greenlet has for itself, and the code outside all greenlets, too. A
 * spawned greenlet begins with a value of its own, not with its parent's; the value goes when the
 * greenlet ends.
 *
 * @example
 * ```ts
 * import { GreenletLocal, spawn } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const log = new GreenletLocal<string[]>(() => []);
 * log.value.push("outside");
 * await spawn(() => assert.deepEqual(log.value, []));
 * assert.deepEqual(log.value, ["outside"]);
 * ```
 *
 * @typeParam T What it holds.
 */
export class GreenletLocal<T> {
  readonly #initialize: () => T;
  readonly #slots = new WeakMap<Greenlet<unknown>, Slot<T>>();
  #outside: Slot<T> | undefined = undefined;

  /**
   * A variable without any value yet.
   *
   * @param initialize Makes a greenlet's value when it is first read there.
   */
  constructor(initialize: () => T) {
    this.#initialize = initialize;
  }

  /** The value of the running greenlet; made now, if it has none. */
  get value(): T {
    const greenlet = threadHub().current;
    const slot = this.#slot(greenlet);
    if (slot !== undefined) return slot.value;
    const value = this.#initialize();
    this.#keep(greenlet, value);
    return value;
  }

  set value(value: T) {
    const greenlet = threadHub().current;
    const slot = this.#slot(greenlet);
    if (slot !== undefined) slot.value = value;
    else this.#keep(greenlet, value);
  }

  /** Whether the running greenlet has a value. */
  get isSet(): boolean {
    return this.#slot(threadHub().current) !== undefined;
  }

  /** Forgets the value of the running greenlet. */
  clear(): void {
    const greenlet = threadHub().current;
    if (greenlet === undefined) this.#outside = undefined;
    else this.#slots.delete(greenlet);
  }

  #slot(greenlet: Greenlet<unknown> | undefined): Slot<T> | undefined {
    return greenlet === undefined ? this.#outside : this.#slots.get(greenlet);
  }

  #keep(greenlet: Greenlet<unknown> | undefined, value: T): void {
    if (greenlet === undefined) this.#outside = { value };
    else if (!greenlet.ended) {
      this.#slots.set(greenlet, { value });
      greenlet.onEnd(() => this.#slots.delete(greenlet));
    }
  }
}
