/**
 * What SQLite's WebAssembly build imports: a memory, clocks, the local time, and the files of
 * Emscripten, which it never touches as all its files go through our own VFS.
 *
 * @module
 */

import type { HostFunction } from "../engine/host_function.ts";
import {
  type HostResult,
  sync,
  type WasmValue,
} from "../engine/host_function.ts";
import type { HostImports } from "../engine/guest_imports.ts";
import { localTimeImports } from "./local_time.ts";

const PAGE = 65_536;

/** The smallest memory that the build accepts, and the largest one that it declares: 2 GiB. */
const INITIAL_PAGES = 128;
const MAXIMUM_PAGES = 32_768;

/** Emscripten's number for a system call that does not exist; WASI's is the same. */
const ENOSYS = 52;

/** As Emscripten grows memories: by a fifth, but by 96 MiB at most, so that growths are few. */
const GROWTH_FACTOR = 1.2;
const MAX_EXTRA = 96 * 1024 * 1024;

/** A new memory for an instance of SQLite. */
export function sqliteMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({
    initial: INITIAL_PAGES,
    maximum: MAXIMUM_PAGES,
  });
}

/**
 * The imports of an instance.
 *
 * @param module The module, whose other imports answer that they do not exist.
 * @param memory The memory that the instance gets.
 * @returns The import table.
 */
export function sqliteImports(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): HostImports {
  const view = () => new DataView(memory.buffer);
  const provided: Record<string, (...args: WasmValue[]) => HostResult> = {
    emscripten_date_now: () => Date.now(),
    emscripten_get_now: () => performance.now(),
    emscripten_get_heap_max: () => MAXIMUM_PAGES * PAGE,
    emscripten_resize_heap: (size: number) => resize(memory, size >>> 0),
    clock_time_get: (_clock: number, _precision: bigint, out: number) => {
      const nanoseconds = BigInt(Date.now()) * 1_000_000n;
      view().setBigUint64(out, nanoseconds, true);
      return 0;
    },
    environ_get: () => 0,
    environ_sizes_get: (count: number, size: number) => {
      view().setInt32(count, 0, true);
      view().setInt32(size, 0, true);
      return 0;
    },
    ...localTimeImports(memory),
  };
  const imports: Record<
    string,
    Record<string, HostFunction | WebAssembly.Memory>
  > = {
    env: { memory },
  };
  for (const entry of WebAssembly.Module.imports(module)) {
    if (entry.kind !== "function") continue;
    // A system call returns a negative error, a WASI function a positive one.
    const refusal = entry.module === "env" ? -ENOSYS : ENOSYS;
    const functions = imports[entry.module] ??= {};
    functions[entry.name] = sync(provided[entry.name] ?? (() => refusal));
  }
  return imports;
}

function resize(memory: WebAssembly.Memory, size: number): number {
  const current = memory.buffer.byteLength;
  if (size <= current) return 1;
  const generous = Math.min(current * GROWTH_FACTOR, current + MAX_EXTRA);
  const limit = MAXIMUM_PAGES * PAGE;
  for (const target of [Math.min(Math.max(size, generous), limit), size]) {
    try {
      memory.grow(Math.ceil((target - current) / PAGE));
      return 1;
    } catch {
      // The process has no such block; the guest asked for less.
    }
  }
  return 0;
}
