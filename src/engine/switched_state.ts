/** State of a guest that belongs to a greenlet, beyond its stack: `errno` and the like. @module */

import { UnsupportedGuestError } from "../errors.ts";
import { FunctionBody } from "./codegen/function_body.ts";
import { ModuleBuilder } from "./codegen/module_builder.ts";
import type { HostFunctionType } from "./host_function.ts";
import type { WasmFunction } from "./jspi.ts";

/** A range of a guest's memory. */
export interface MemoryRange {
  /** Where it starts, in bytes. */
  readonly address: number;
  /** How long it is, in bytes. */
  readonly length: number;
}

/** What every greenlet has a copy of its own of. */
export interface SwitchedState {
  /**
   * Names of exported mutable globals, such as `__tls_base`.
   *
   * @default {[]}
   */
  readonly globals?: readonly string[];
  /**
   * Ranges of the guest's memory, such as the four bytes of `errno`.
   *
   * @default {[]}
   */
  readonly ranges?: readonly MemoryRange[];
}

const PAGE = 65_536;
const WORD_BYTES = 8;
const SLOT: HostFunctionType = { params: ["i32"], results: [] };
const LENGTHS = [8, 4, 1] as const;

/** Loads and stores of so many bytes. */
const MOVES = {
  8: { load: "i64Load", store: "i64Store" },
  4: { load: "i32Load", store: "i32Store" },
  1: { load: "i32Load8U", store: "i32Store8" },
} as const;

/** A global's type, as far as its value tells. */
const GLOBAL_TYPES = ["i32", "i64", "f32", "f64"] as const;

type GlobalTypeName = typeof GLOBAL_TYPES[number];

const GLOBAL_MOVES = {
  i32: { load: "i32Load", store: "i32Store" },
  i64: { load: "i64Load", store: "i64Store" },
  f32: { load: "f32Load", store: "f32Store" },
  f64: { load: "f64Load", store: "f64Store" },
} as const;

/**
 * The two functions that a shim calls around a suspension, generated for what was declared. They
 * copy between the guest and a memory with a slot for each activation.
 */
export class StateSwitch {
  /** Copies the guest's state into a slot. */
  readonly save: WasmFunction;
  /** Copies a slot into the guest. */
  readonly restore: WasmFunction;
  readonly #area: WebAssembly.Memory;
  readonly #stride: number;

  /**
   * Generates the functions; slot 0 gets the state as it is now, which new greenlets begin with.
   *
   * @throws {UnsupportedGuestError} When a global is not exported, or not a mutable number, or
   * there is no memory for a range.
   * @throws {RangeError} When a range is not in the memory.
   */
  constructor(
    exports: WebAssembly.Exports,
    memory: WebAssembly.Memory | undefined,
    { globals = [], ranges = [] }: SwitchedState,
  ) {
    const builder = new ModuleBuilder();
    const imports: Record<string, WebAssembly.ImportValue> = {};
    for (const range of ranges) imports.memory = memoryOf(range, memory);
    const area = ranges.length > 0 ? 1 : 0;
    if (area === 1) builder.importMemory("guest", "memory");
    const save = new FunctionBody(1);
    const restore = new FunctionBody(1);
    const copy = {
      offset: WORD_BYTES,
      area,
      save,
      restore,
    };
    const typed = globals.map((name) => ({ name, ...globalOf(exports, name) }));
    for (const { name, type } of typed) {
      builder.importGlobal("guest", name, type);
    }
    this.#stride = strideOf(globals.length, ranges);
    for (const body of [save, restore]) {
      body.get(0).constant(this.#stride).op("i32Mul").set(0);
    }
    for (const [index, { name, type, global }] of typed.entries()) {
      imports[name] = global;
      copyGlobal(copy, index, type);
      copy.offset += WORD_BYTES;
    }
    for (const range of ranges) copyRange(copy, range);
    builder.defineMemory("area", 1);
    builder.defineFunction("save", SLOT, save);
    builder.defineFunction("restore", SLOT, restore);
    const module = new WebAssembly.Module(builder.finish());
    const made = new WebAssembly.Instance(module, { guest: imports }).exports;
    this.save = made.save as WasmFunction;
    this.restore = made.restore as WasmFunction;
    this.#area = made.area as WebAssembly.Memory;
    this.save(0);
  }

  /** Makes room for an activation's slot. */
  reserve(slot: number): void {
    const needed = (slot + 1) * this.#stride;
    const size = this.#area.buffer.byteLength;
    if (needed > size) {
      this.#area.grow(Math.ceil(Math.max(needed - size, size) / PAGE));
    }
  }
}

interface Copy {
  offset: number;
  readonly area: number;
  readonly save: FunctionBody;
  readonly restore: FunctionBody;
}

function copyGlobal(copy: Copy, index: number, type: GlobalTypeName): void {
  const { load, store } = GLOBAL_MOVES[type];
  copy.save.get(0).indexed("globalGet", index)
    .memory(store, copy.offset, copy.area);
  copy.restore.get(0).memory(load, copy.offset, copy.area)
    .indexed("globalSet", index);
}

function copyRange(copy: Copy, { address, length }: MemoryRange): void {
  let at = 0;
  for (const size of LENGTHS) {
    const { load, store } = MOVES[size];
    for (; length - at >= size; at += size) {
      copy.save.get(0).constant(address + at | 0).memory(load, 0)
        .memory(store, copy.offset, copy.area);
      copy.restore.constant(address + at | 0).get(0)
        .memory(load, copy.offset, copy.area).memory(store, 0);
      copy.offset += size;
    }
  }
  copy.offset = Math.ceil(copy.offset / WORD_BYTES) * WORD_BYTES;
}

function strideOf(globals: number, ranges: readonly MemoryRange[]): number {
  const words = ranges.reduce(
    (sum, { length }) => sum + Math.ceil(length / WORD_BYTES),
    globals + 1,
  );
  return words * WORD_BYTES;
}

/** The memory that a range is in. */
function memoryOf(
  { address, length }: MemoryRange,
  memory: WebAssembly.Memory | undefined,
): WebAssembly.Memory {
  if (memory === undefined) {
    throw new UnsupportedGuestError(
      "Cannot keep a range of memory for each greenlet: the guest neither exports nor imports a memory",
    );
  }
  const size = memory.buffer.byteLength;
  if (
    Number.isInteger(address) && Number.isInteger(length) &&
    address >= 0 && length > 0 && address + length <= size
  ) return memory;
  throw new RangeError(
    `Cannot keep ${length} bytes at ${address} for each greenlet: the guest's memory has ${size} bytes`,
  );
}

function globalOf(
  exports: WebAssembly.Exports,
  name: string,
): { global: WebAssembly.Global; type: GlobalTypeName } {
  const global = exports[name];
  const type = global instanceof WebAssembly.Global
    ? GLOBAL_TYPES.find((type) => isMutable(global, type))
    : undefined;
  if (global instanceof WebAssembly.Global && type !== undefined) {
    return { global, type };
  }
  throw new UnsupportedGuestError(
    `Cannot keep '${name}' for each greenlet: the guest exports no mutable global of that name that holds a number`,
  );
}

/** Whether a global is mutable and of a type: JavaScript cannot ask, a module that imports can. */
function isMutable(global: WebAssembly.Global, type: GlobalTypeName): boolean {
  const builder = new ModuleBuilder();
  builder.importGlobal("guest", "global", type);
  const module = new WebAssembly.Module(builder.finish());
  try {
    new WebAssembly.Instance(module, { guest: { global } });
    return true;
  } catch {
    // The link error is the answer: another type, or immutable.
    return false;
  }
}
