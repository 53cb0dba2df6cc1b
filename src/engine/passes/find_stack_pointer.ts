/**
 * Finds the pointer of a module's shadow stack.
 *
 * Compilers of C and Rust keep what has an address in linear memory, on a stack
 * of their own, and its pointer in a global.
 *
 * @module
 */

import type { BinaryModule } from "../binary/binary_module.ts";
import type { FunctionType, GlobalType, Limits } from "../binary/types.ts";

/** A module that imports its stack pointer. */
export interface ImportedStackPointer {
  /** Tells it from the other findings. */
  readonly kind: "imported";
  /** The import's first name. */
  readonly module: string;
  /** The import's second name. */
  readonly name: string;
  /** The index among all globals. */
  readonly index: number;
}

/** A module whose first defined global is its stack pointer. */
export interface DefinedStackPointer {
  /** Tells it from the other findings. */
  readonly kind: "defined";
  /** The index among all globals. */
  readonly index: number;
  /** Its first value: the top of the stack, an address in bytes. */
  readonly initial: number;
}

/** A module that exports functions to read and set its stack pointer. */
export interface StackPointerAccessors {
  /** Tells it from the other findings. */
  readonly kind: "accessors";
  /** The export that returns the stack pointer. */
  readonly get: string;
  /** The export that takes a new stack pointer. */
  readonly set: string;
}

/** A module that cannot have a shadow stack. */
export interface NoStackPointer {
  /** Tells it from the other findings. */
  readonly kind: "none";
}

/** A module that may have a shadow stack, but nobody knows where. */
export interface UnknownStackPointer {
  /** Tells it from the other findings. */
  readonly kind: "unknown";
  /** Why, as the end of a sentence. */
  readonly reason: string;
}

/** Where a module keeps its stack pointer. */
export type StackPointer =
  | ImportedStackPointer
  | DefinedStackPointer
  | StackPointerAccessors
  | NoStackPointer
  | UnknownStackPointer;

// The name that LLVM's linker gives it.
const STACK_POINTER = "__stack_pointer";

/** The pairs of exports that Emscripten gives access by, from the newest to the oldest. */
export const STACK_POINTER_ACCESSORS = [
  { get: "emscripten_stack_get_current", set: "_emscripten_stack_restore" },
  { get: "stackSave", set: "stackRestore" },
] as const;

// The ABI aligns the stack so, and linkers keep the first KiB free.
const ALIGNMENT = 16;
const LOWEST_TOP = 1024;
const LOG2_OF_A_WASM_PAGE = 16;

/**
 * Finds where a module keeps its stack pointer.
 *
 * It counts as found when it is imported as or named `__stack_pointer`; without
 * names, when the first defined global looks like one: a mutable i32 that
 * starts as a multiple of 16 from 1024 to the size of the memory. Failing that,
 * functions that Emscripten exports.
 *
 * Source: the tool conventions of WebAssembly, "Basic C ABI", and `wasm-ld`,
 * which defines the stack pointer before every other global.
 */
export function findStackPointer(module: BinaryModule): StackPointer {
  const memory = module.memoryLimits(0);
  if (memory === undefined) return { kind: "none" };
  if (memory.is64) return unknown("its memory is a 64-bit one");
  return findImported(module) ?? findDefined(module, memory) ??
    findAccessors(module) ?? explainAbsence(module);
}

function findImported(module: BinaryModule): ImportedStackPointer | undefined {
  const named = namedGlobals(module);
  const imports = module.imports.filter((entry) => entry.kind === "global");
  const index = imports.findIndex(({ name, type }, index) =>
    isPointer(type) && (name === STACK_POINTER || named.has(index))
  );
  const found = imports[index];
  if (found === undefined) return undefined;
  return { kind: "imported", module: found.module, name: found.name, index };
}

function findDefined(
  module: BinaryModule,
  memory: Limits,
): DefinedStackPointer | undefined {
  const index = module.importedCount("global");
  const [first] = module.globals;
  if (first === undefined || !isPointer(first)) return undefined;
  const { constant } = first;
  if (typeof constant !== "number") return undefined;
  // i32 is signed here, an address is not.
  const initial = constant >>> 0;
  const named = namedGlobals(module);
  const accepted = named.size > 0
    ? named.has(index)
    : isStackTop(initial, memory);
  return accepted ? { kind: "defined", index, initial } : undefined;
}

function findAccessors(
  module: BinaryModule,
): StackPointerAccessors | undefined {
  return STACK_POINTER_ACCESSORS
    .filter(({ get, set }) =>
      isSignature(module.exportedFunctionType(get), [], ["i32"]) &&
      isSignature(module.exportedFunctionType(set), ["i32"], [])
    )
    .map(({ get, set }) => ({ kind: "accessors", get, set }) as const)[0];
}

function explainAbsence(
  module: BinaryModule,
): NoStackPointer | UnknownStackPointer {
  const [named] = namedGlobals(module);
  if (named !== undefined) {
    return unknown(
      `global ${named} is named '${STACK_POINTER}', but is not an i32 that is imported or the first defined global`,
    );
  }
  const imported = module.imports.flatMap((entry) =>
    entry.kind === "global" ? [entry.type] : []
  );
  const hasCandidate = [...imported, ...module.globals].some(
    ({ type, mutable }) => mutable && (type === "i32" || type === "i64"),
  );
  if (!hasCandidate) return { kind: "none" };
  return unknown("no mutable global looks like a stack pointer");
}

/** The globals that the name section or an export calls the stack pointer. */
function namedGlobals(module: BinaryModule): ReadonlySet<number> {
  const named = new Set<number>();
  for (const [index, name] of module.globalNames) {
    if (name === STACK_POINTER && module.globalType(index)) named.add(index);
  }
  const exported = module.exportNamed(STACK_POINTER);
  if (exported?.kind === "global") named.add(exported.index);
  return named;
}

function isPointer({ type, mutable }: GlobalType): boolean {
  return mutable && type === "i32";
}

function isStackTop(address: number, memory: Limits): boolean {
  const pageSize = 2 ** (memory.pageSizeLog2 ?? LOG2_OF_A_WASM_PAGE);
  return address % ALIGNMENT === 0 && address >= LOWEST_TOP &&
    address <= Number(memory.minimum) * pageSize;
}

function isSignature(
  type: FunctionType | undefined,
  params: FunctionType["params"],
  results: FunctionType["results"],
): boolean {
  if (type === undefined) return false;
  return type.params.join() === params.join() &&
    type.results.join() === results.join();
}

function unknown(reason: string): UnknownStackPointer {
  return { kind: "unknown", reason };
}
