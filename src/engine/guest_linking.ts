/** Connecting an instance with what surrounds it: stack pointer, memory, names. @module */

import { InvalidModuleError } from "../errors.ts";
import type { Hub } from "../greenlet/hub.ts";
import type { HostImports, ShimContext } from "./guest_imports.ts";
import type { GuestModule } from "./guest_module.ts";
import type { WasmFunction } from "./jspi.ts";
import { LATE } from "./shim.ts";
import type { SwitchState } from "./switch_state.ts";
import { WORD } from "./switch_words.ts";

/** Reads and writes a guest's shadow-stack pointer. */
export interface StackPointerAccess {
  /** The address of the newest frame. */
  get(): number;
  /** Moves it. */
  set(address: number): void;
}

/** What the shims of an instance are made with. */
export function shimContext(
  hub: Hub,
  switches: SwitchState,
  { stackPointer }: GuestModule,
  imports: HostImports,
  interleaved: boolean,
  declaresState: boolean,
): ShimContext {
  const state = interleaved && declaresState;
  const late = state || stackPointer.kind === "accessors"
    ? new WebAssembly.Table({
      element: "anyfunc",
      initial: Object.keys(LATE).length,
    })
    : undefined;
  const shared = { hub, switches, state, stackPointerGlobal: undefined, late };
  switch (stackPointer.kind) {
    case "defined":
      return {
        ...shared,
        stackPointer: interleaved ? "global" : "none",
        stackPointerGlobal: new WebAssembly.Global(
          { value: "i32", mutable: true },
          stackPointer.initial,
        ),
      };
    case "imported": {
      const { module, name } = stackPointer;
      const found = imports[module]?.[name];
      const known = found instanceof WebAssembly.Global;
      return {
        ...shared,
        stackPointer: interleaved && known ? "global" : "none",
        stackPointerGlobal: known ? found : undefined,
      };
    }
    case "accessors":
      return { ...shared, stackPointer: interleaved ? "functions" : "none" };
    default:
      return { ...shared, stackPointer: "none" };
  }
}

/**
 * Instantiates a module whose imports are complete.
 *
 * @returns Its exports.
 */
export function instantiate(
  { module }: GuestModule,
  imports: WebAssembly.Imports,
  switches: SwitchState,
): WebAssembly.Exports {
  const current = switches.words[WORD.current]!;
  // Whoever makes the guest, its start function is no part of that greenlet.
  switches.words[WORD.current] = 0;
  try {
    return new WebAssembly.Instance(module, imports).exports;
  } catch (cause) {
    // What the guest's start function or a host function threw is not ours to change.
    if (!(cause instanceof WebAssembly.LinkError)) throw cause;
    throw new InvalidModuleError(
      `Cannot load the guest: an import does not fit (${cause.message})`,
      { cause },
    );
  } finally {
    switches.words[WORD.current] = current;
  }
}

/** The guest's linear memory: the one that it exports, else the one that it was given. */
export function findMemory(
  { module }: GuestModule,
  exports: WebAssembly.Exports,
  imports: HostImports,
): WebAssembly.Memory | undefined {
  const isMemory = (value: unknown) => value instanceof WebAssembly.Memory;
  const given = WebAssembly.Module.imports(module)
    .filter(({ kind }) => kind === "memory")
    .map(({ module, name }) => imports[module]?.[name]);
  return [exports.memory, ...Object.values(exports), ...given].find(isMemory);
}

/** Access to the guest's stack pointer from JavaScript; gives the shims theirs too. */
export function connectStackPointer(
  { stackPointer }: GuestModule,
  exports: WebAssembly.Exports,
  { stackPointerGlobal: global, late }: ShimContext,
): StackPointerAccess | undefined {
  if (global !== undefined) {
    return {
      get: () => global.value,
      set: (address) => void (global.value = address),
    };
  }
  if (stackPointer.kind !== "accessors") return undefined;
  const get = exports[stackPointer.get] as WasmFunction;
  const set = exports[stackPointer.set] as WasmFunction;
  late?.set(LATE.getStackPointer, get);
  late?.set(LATE.setStackPointer, set);
  return { get: () => get(), set: (address) => void set(address) };
}

/** What a message says about a name that is not exported: the names that are near it. */
export function nearNames(name: string, functions: readonly string[]): string {
  const near = functions
    .map((key) => ({ key, distance: editDistance(name, key) }))
    .filter(({ key, distance }) =>
      distance <= Math.max(2, name.length / 3) ||
      key.includes(name) || name.includes(key)
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ key }) => `'${key}'`);
  if (near.length > 0) {
    return `the guest has no such function; near are ${near.join(", ")}`;
  }
  return functions.length === 0
    ? "the guest exports no functions"
    : `the guest has no such function; it has ${
      functions.slice(0, 5).map((key) => `'${key}'`).join(", ")
    }${functions.length > 5 ? ", …" : ""}`;
}

/** How many letters to add, drop or change to make one name of another (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[to.length]!;
}
