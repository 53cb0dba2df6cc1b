/** In which order a queue gives out what it holds. @module */

import { Deque } from "../deque.ts";

/**
 * What a queue keeps its items in.
 *
 * @typeParam T An item.
 */
export interface ItemStore<T> {
  /** How many it holds. */
  readonly length: number;
  /** Adds an item; if that throws, nothing has changed. */
  push(item: T): void;
  /** The next item, which stays. Only when there is one. */
  peek(): T;
  /** Takes the next item; if that throws, nothing has changed. Only when there is one. */
  shift(): T;
  /** Drops all items. */
  clear(): void;
}

/** First in, first out. */
export class FifoStore<T> implements ItemStore<T> {
  // An item may be undefined, which the deque's own may not.
  #items = new Deque<{ readonly item: T }>();

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push({ item });
  }

  peek(): T {
    return this.#items.peek()!.item;
  }

  shift(): T {
    return this.#items.shift()!.item;
  }

  clear(): void {
    this.#items = new Deque();
  }
}

/** Last in, first out. */
export class LifoStore<T> implements ItemStore<T> {
  readonly #items: T[] = [];

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T {
    return this.#items[this.#items.length - 1]!;
  }

  shift(): T {
    return this.#items.pop()!;
  }

  clear(): void {
    this.#items.length = 0;
  }
}
