/** Memory of the guest for one operation's parameters and rows. @module */

import { GuestOutOfMemoryError } from "../errors.ts";
import { CONTROL, CONTROL_SIZE } from "./companion/layout.ts";

/** Room for small parameters and short SQL, in bytes. */
const SCRATCH_SIZE = 16_384;

/** Room for cells: two rows of SQLite's 2,000 columns at least. */
const CELLS_SIZE = 65_536;

/**
 * Room for texts and blobs. A batch of 64 KiB stays in the processor's cache, and the crossing
 * that it costs is small beside it.
 */
const HEAP_SIZE = 65_536;

const AREA_SIZE = CONTROL_SIZE + SCRATCH_SIZE + CELLS_SIZE + HEAP_SIZE;

/** Free areas that are kept for the next operations. */
const MAX_POOLED = 16;

/** Allocates in the guest. */
export interface GuestAllocator {
  /** A block of so many bytes. @throws {GuestOutOfMemoryError} When there is none. */
  allocate(size: number): number;
  /** Gives a block back. */
  free(address: number): void;
}

/** Views of the guest's memory; valid until the guest runs again. */
export class MemoryViews {
  readonly #memory: WebAssembly.Memory;
  #words!: Int32Array;
  #doubles!: Float64Array;
  #bytes!: Uint8Array;

  /** Views of a memory. */
  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.refresh();
  }

  /** The memory as 32-bit words. */
  get words(): Int32Array {
    return this.#words;
  }

  /** The memory as doubles. */
  get doubles(): Float64Array {
    return this.#doubles;
  }

  /** The memory as bytes. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Looks whether the memory has grown; call it whenever the guest may have run. */
  refresh(): this {
    // A memory that grew has a new buffer and the old one is empty.
    if (this.#words === undefined || this.#words.length === 0) {
      const { buffer } = this.#memory;
      this.#words = new Int32Array(buffer);
      this.#doubles = new Float64Array(buffer);
      this.#bytes = new Uint8Array(buffer);
    }
    return this;
  }
}

/** One operation's memory: a control block, scratch, room for cells, texts and blobs. */
export class WorkArea {
  /** The address of the control block. */
  readonly control: number;
  /** The address of the scratch, a multiple of 8. */
  readonly scratch: number;
  /** The size of the scratch, in bytes. */
  readonly scratchSize = SCRATCH_SIZE;
  /** The address of the cells of rows. */
  readonly cells: number;
  /** The address of the texts of rows. */
  readonly heap: number;
  /** The guest's memory. */
  readonly views: MemoryViews;

  /** An area at an address. */
  constructor(address: number, views: MemoryViews) {
    this.views = views;
    this.control = address;
    this.scratch = address + CONTROL_SIZE;
    this.cells = this.scratch + SCRATCH_SIZE;
    this.heap = this.cells + CELLS_SIZE;
    this.write(CONTROL.cells, this.cells);
    this.write(CONTROL.cellsEnd, this.heap);
    this.write(CONTROL.heap, this.heap);
    this.write(CONTROL.heapEnd, this.heap + HEAP_SIZE);
  }

  /** Prepares the control block for a statement. */
  begin(statement: number, database: number): void {
    this.write(CONTROL.statement, statement);
    this.write(CONTROL.database, database);
  }

  /** A word of the control block. */
  read(word: number): number {
    return this.views.refresh().words[(this.control >>> 2) + word]!;
  }

  /** Sets a word of the control block. */
  write(word: number, value: number): void {
    this.views.refresh().words[(this.control >>> 2) + word] = value;
  }

  /** A 64-bit integer of the control block: a number when that is exact, else a bigint. */
  readInteger(word: number): number | bigint {
    const high = this.read(word + 1);
    const low = this.read(word) >>> 0;
    const value = high * 2 ** 32 + low;
    if (Number.isSafeInteger(value)) return value;
    return BigInt(high) << 32n | BigInt(low);
  }
}

/** The areas of an instance. */
export class WorkAreas {
  readonly #allocator: GuestAllocator;
  readonly #views: MemoryViews;
  readonly #free: WorkArea[] = [];
  #allocated = 0;

  /** No areas yet. */
  constructor(allocator: GuestAllocator, views: MemoryViews) {
    this.#allocator = allocator;
    this.#views = views;
  }

  /** How many areas are in use. */
  get used(): number {
    return this.#allocated - this.#free.length;
  }

  /** An area for one operation. @throws {GuestOutOfMemoryError} When the guest has no memory left. */
  acquire(): WorkArea {
    const pooled = this.#free.pop();
    if (pooled !== undefined) return pooled;
    const address = this.#allocator.allocate(AREA_SIZE);
    this.#allocated += 1;
    return new WorkArea(address, this.#views);
  }

  /** Takes an area back. */
  release(area: WorkArea): void {
    if (this.#free.length < MAX_POOLED) this.#free.push(area);
    else {
      this.#allocated -= 1;
      this.#allocator.free(area.control);
    }
  }
}

/** An allocator that reports a full memory. */
export function guestAllocator(
  malloc: (size: number) => number,
  free: (address: number) => void,
): GuestAllocator {
  return {
    allocate(size) {
      const address = malloc(size) >>> 0;
      if (address !== 0) return address;
      throw new GuestOutOfMemoryError(
        `Cannot run the statement: SQLite has no ${size} bytes of memory left`,
      );
    },
    free,
  };
}
