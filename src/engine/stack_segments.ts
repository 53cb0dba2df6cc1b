/** The greenlets' shares of a guest's linear memory, for the compiler's shadow stack. @module */

import { GuestOutOfMemoryError, UnsupportedGuestError } from "../errors.ts";
import type { GuestOptions } from "./guest_options.ts";
import type { WasmFunction } from "./jspi.ts";

/** The C ABI keeps stacks aligned so. */
const ALIGNMENT = 16;
const PAGE = 65_536;

/** Written at a segment's low end; whatever overwrites it came from the stack above. */
const CANARY = [0x68656467, 0x65736e61, 0x6b65210a, 0x0a216567] as const;

/** Free segments that are kept for the next greenlets. */
const MAX_POOLED = 256;

const STACK_SIZE = 65_536;
const SMALLEST_STACK = 1_024;

/** Where segments come from. */
export interface SegmentSource {
  /** A new block of so many bytes; 0 when there is no memory left. */
  allocate(size: number): number;
  /** Gives a block back. */
  free(address: number): void;
}

/** A greenlet's stack in the guest's memory. It grows from `top` down to `base`. */
export interface StackSegment {
  /** The block's address, as the allocator knows it. */
  readonly block: number;
  /** The lowest address that frames may use. */
  readonly base: number;
  /** The address above the highest frame. */
  readonly top: number;
}

/** Allocates segments of one size, keeps free ones, and watches their low ends. */
export class StackSegments {
  readonly #memory: WebAssembly.Memory;
  readonly #size: number;
  readonly #source: SegmentSource;
  #words: Int32Array;
  #free: StackSegment[] = [];
  #allocated = 0;

  /** Segments of a memory, of so many bytes each. */
  constructor(
    memory: WebAssembly.Memory,
    size: number,
    source: SegmentSource,
  ) {
    this.#memory = memory;
    this.#size = size;
    this.#source = source;
    this.#words = new Int32Array(memory.buffer);
  }

  /** How many segments exist, free ones included. */
  get allocated(): number {
    return this.#allocated;
  }

  /** How many of them are free. */
  get free(): number {
    return this.#free.length;
  }

  /**
   * A segment with a fresh canary.
   *
   * @throws {GuestOutOfMemoryError} When the guest has no memory left.
   */
  acquire(): StackSegment {
    const segment = this.#free.pop() ?? this.#allocate();
    const words = this.#view();
    const at = (segment.base >>> 2) - CANARY.length;
    // One by one, as set() of an array costs as much as the rest of a spawn's bookkeeping.
    words[at] = CANARY[0];
    words[at + 1] = CANARY[1];
    words[at + 2] = CANARY[2];
    words[at + 3] = CANARY[3];
    return segment;
  }

  /** Takes a segment back. */
  release(segment: StackSegment): void {
    if (this.#free.length < MAX_POOLED) this.#free.push(segment);
    else this.#discard(segment);
  }

  /** Whether nothing has written across the segment's low end. */
  intact(segment: StackSegment): boolean {
    const words = this.#view();
    const at = (segment.base >>> 2) - CANARY.length;
    return words[at] === CANARY[0] && words[at + 1] === CANARY[1] &&
      words[at + 2] === CANARY[2] && words[at + 3] === CANARY[3];
  }

  /** Gives the free segments back to the guest. */
  clear(): void {
    for (const segment of this.#free.splice(0)) this.#discard(segment);
  }

  #allocate(): StackSegment {
    const block = this.#source.allocate(this.#size) >>> 0;
    if (block === 0) {
      throw new GuestOutOfMemoryError(
        `Cannot start a greenlet: the guest has no ${this.#size} bytes left for its stack`,
      );
    }
    this.#allocated += 1;
    // A shared memory that grew keeps its old buffer as it was.
    this.#words = new Int32Array(this.#memory.buffer);
    const aligned = (block + ALIGNMENT - 1) & -ALIGNMENT;
    return {
      block,
      base: (aligned >>> 0) + CANARY.length * 4,
      top: ((block + this.#size) & -ALIGNMENT) >>> 0,
    };
  }

  #discard(segment: StackSegment): void {
    this.#source.free(segment.block);
    this.#allocated -= 1;
  }

  #view(): Int32Array {
    // A memory that grew has a new buffer and the old one is empty.
    if (this.#words.length === 0) {
      this.#words = new Int32Array(this.#memory.buffer);
    }
    return this.#words;
  }
}

/** The allocator exports that are looked for, by convention. */
export type AllocatorNames = {
  /** Takes a size, returns an address. */
  readonly allocate: string;
  /** Takes an address. */
  readonly free: string;
};

/**
 * A source of segments in a guest.
 *
 * @param exports The guest's exports.
 * @param memory Its memory.
 * @param call Calls one of its functions on its own stack.
 * @param choice The allocator's exports; `"grow"` to take new pages from the end of the memory,
 * which only guests that do not believe they own it survive; by default `malloc` and `free`, else
 * `cabi_realloc`.
 * @throws {UnsupportedGuestError} When the guest has no allocator.
 */
export function segmentSource(
  exports: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  call: (exported: WasmFunction, ...args: number[]) => number,
  choice: AllocatorNames | "grow" | undefined,
): SegmentSource {
  if (choice === "grow") return pagesOf(memory);
  const find = (name: string) => {
    const found = exports[name];
    return typeof found === "function" ? found as WasmFunction : undefined;
  };
  const allocate = find(choice?.allocate ?? "malloc");
  const free = find(choice?.free ?? "free");
  if (allocate !== undefined && free !== undefined) {
    return {
      allocate: (size) => call(allocate, size),
      free: (address) => void call(free, address),
    };
  }
  const realloc = choice === undefined ? find("cabi_realloc") : undefined;
  if (realloc !== undefined) {
    return {
      allocate: (size) => call(realloc, 0, 0, ALIGNMENT, size),
      free: (address) => void call(realloc, address, 0, ALIGNMENT, 0),
    };
  }
  throw new UnsupportedGuestError(
    `Cannot interleave greenlets: the guest exports no allocator (${
      choice === undefined
        ? "'malloc' and 'free', or 'cabi_realloc'"
        : `'${choice.allocate}' and '${choice.free}'`
    }); name one in 'allocator', or use 'exclusive' or 'isolated'`,
  );
}

/**
 * The segments of a guest.
 *
 * @param exports The guest's exports.
 * @param memory Its memory.
 * @param call Calls one of its functions on its own stack.
 * @param options The segments' size, and the allocator.
 * @throws {RangeError} When the size is too small.
 * @throws {UnsupportedGuestError} When the guest has no allocator.
 */
export function createSegments(
  exports: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  call: (exported: WasmFunction, ...args: number[]) => number,
  { stackSize = STACK_SIZE, allocator }: GuestOptions,
): StackSegments {
  if (!Number.isInteger(stackSize) || stackSize < SMALLEST_STACK) {
    throw new RangeError(
      `Cannot make stack segments of ${stackSize} bytes: 'stackSize' must be an integer of at least ${SMALLEST_STACK}`,
    );
  }
  const source = segmentSource(exports, memory, call, allocator);
  return new StackSegments(memory, stackSize, source);
}

/** Pages from the end of a memory. All blocks have one size, so a free one fits the next need. */
function pagesOf(memory: WebAssembly.Memory): SegmentSource {
  const spare: number[] = [];
  return {
    allocate(size) {
      const reused = spare.pop();
      if (reused !== undefined) return reused;
      try {
        return memory.grow(Math.ceil(size / PAGE)) * PAGE;
      } catch {
        // The memory is at its maximum, which the caller reports.
        return 0;
      }
    },
    free: (address) => void spare.push(address),
  };
}
