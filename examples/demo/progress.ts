/** A progress bar that a timer draws: it moves only while the event loop turns. @module */

const WIDTH = 32;
const REDRAW = 50;

/** A bar on the terminal; where there is none, a line at the end. */
export class Progress {
  readonly #title: string;
  readonly #total: number;
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #done = 0;

  /** Starts a bar for so many steps. */
  constructor(title: string, total: number) {
    this.#title = title.padEnd(28);
    this.#total = total;
    if (this.#terminal) {
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), REDRAW);
    }
  }

  /** Counts a step. */
  step(): void {
    this.#done += 1;
  }

  /** Draws it for the last time. */
  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
    print("\n");
  }

  #draw(): void {
    const filled = Math.round(WIDTH * this.#done / this.#total);
    const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
    const start = this.#terminal ? "\r" : "";
    print(`${start}${this.#title} ${bar} ${this.#done}/${this.#total}`);
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
