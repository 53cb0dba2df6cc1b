/** Watches whether the event loop turns. @module */

/** What the event loop did while it was watched. */
export interface LoopReport {
  /** How often it turned. */
  readonly ticks: number;
  /** The longest time between two turns, in milliseconds. */
  readonly worstDelay: number;
}

/** Counts the turns of the event loop and the longest gap between two. */
export class LoopMeter {
  #ticks = 0;
  #worst = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => this.#tick(), 1);

  /** Stops watching. */
  stop(): LoopReport {
    clearInterval(this.#timer);
    this.#worst = Math.max(this.#worst, performance.now() - this.#last);
    return { ticks: this.#ticks, worstDelay: this.#worst };
  }

  #tick(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#last);
    this.#last = now;
    this.#ticks += 1;
  }
}
