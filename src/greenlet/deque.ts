/** First in, first out, in constant time. @module */

const INITIAL_CAPACITY = 64;

/**
 * A queue on a growing ring: adding and taking allocate nothing.
 *
 * @typeParam T What it holds; never `undefined`.
 */
export class Deque<T> {
  #ring: (T | undefined)[] = new Array(INITIAL_CAPACITY).fill(undefined);
  #head = 0;
  #length = 0;

  /** How many it holds. */
  get length(): number {
    return this.#length;
  }

  /** Adds at the tail. */
  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    const mask = this.#ring.length - 1;
    this.#ring[(this.#head + this.#length) & mask] = item;
    this.#length += 1;
  }

  /** The one at the head, which stays. */
  peek(): T | undefined {
    return this.#ring[this.#head];
  }

  /** Takes the one at the head. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return item;
  }

  #grow(): void {
    const grown = new Array<T | undefined>(this.#ring.length * 2)
      .fill(undefined);
    for (let i = 0; i < this.#length; i++) {
      grown[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    }
    this.#ring = grown;
    this.#head = 0;
  }
}
