/** What runs on a thread right now, shared by JavaScript and all shims. @module */

import type { Hub } from "../greenlet/hub.ts";
import type { Activation } from "./activation.ts";
import { RECORDS, WORD } from "./switch_words.ts";

const PAGE = 65_536;
const NO_ACTIVATION = 0;

const states = new WeakMap<Hub, SwitchState>();

/** The state of a hub's thread, made when first asked for. */
export function switchState(hub: Hub): SwitchState {
  let state = states.get(hub);
  if (state === undefined) {
    const made = state = new SwitchState();
    states.set(hub, made);
    hub.guestCaller = () => made.current?.greenlet;
  }
  return state;
}

/** The shared memory of a thread's shims and the activations that its numbers stand for. */
export class SwitchState {
  /** The memory that the shims import. */
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1 });
  /** Its words; see {@linkcode WORD}. A new view after every growth: never keep it. */
  words: Int32Array = new Int32Array(this.memory.buffer);

  constructor() {
    // Number 0 stands for no activation: any stack pointer is right.
    this.words[RECORDS + 1] = -1;
  }

  readonly #activations: (Activation | undefined)[] = [undefined];
  readonly #free: number[] = [];

  /** The activation that runs now, as far as WebAssembly knows. */
  get current(): Activation | undefined {
    return this.#activations[this.words[WORD.current]!];
  }

  /** Says that no activation runs: control has gone back to the event loop. */
  clearCurrent(): void {
    this.words[WORD.current] = NO_ACTIVATION;
  }

  /**
   * Numbers an activation.
   *
   * @param activation Whoever the number stands for.
   * @param base The lowest address its stack pointer may have.
   * @param top The highest one.
   * @returns The number; it never is 0.
   */
  add(activation: Activation, base: number, top: number): number {
    const number = this.#free.pop() ?? this.#activations.length;
    this.#activations[number] = activation;
    const record = RECORDS + 2 * number;
    if (record + 2 > this.words.length) {
      this.memory.grow(Math.max(1, this.memory.buffer.byteLength / PAGE));
      this.words = new Int32Array(this.memory.buffer);
    }
    this.words[record] = base;
    this.words[record + 1] = top;
    return number;
  }

  /** Notes that an activation's stack pointer has left its segment, as the shim does. */
  noteOverflow(number: number): void {
    this.words[RECORDS + 2 * number] = -1;
  }

  /** Whether an activation's stack pointer has left its segment. */
  overflowed(number: number): boolean {
    return this.words[RECORDS + 2 * number] === -1;
  }

  /** Frees a number. Nobody says so when a resumed guest has run to its end. */
  remove(number: number): void {
    if (this.words[WORD.current] === number) this.clearCurrent();
    this.#activations[number] = undefined;
    this.#free.push(number);
  }
}
