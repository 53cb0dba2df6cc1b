/**
 * A small WebAssembly module of ours on SQLite's memory and exports, so that many calls of SQLite
 * cost one crossing from JavaScript.
 *
 * Crossing into a call that may be suspended costs about a microsecond, SQLite's work for a row
 * less than half of that: a crossing for each row, let alone for each column, would be the greater
 * part of every query.
 *
 * @module
 */

import { ModuleBuilder } from "../../engine/codegen/module_builder.ts";
import type { WasmFunction } from "../../engine/jspi.ts";
import { bindBody } from "./bind_code.ts";
import { executeBody, fetchBody } from "./step_code.ts";
import { importSqlite } from "./sqlite_functions.ts";

/** The functions of the module; each takes the address of a control block. */
export interface Companion {
  /** Binds the parameters. Never suspends. Returns a result code. */
  readonly bind: WasmFunction;
  /**
   * Steps and packs rows until the statement ends or the memory for rows is full; then `result` is
   * `SQLITE_ROW` and the next call goes on. A row too big for the memory is the last of its batch,
   * and its texts and blobs stay in SQLite's own memory until then. May suspend.
   */
  readonly fetch: WasmFunction;
  /**
   * Binds the parameters, steps to the statement's end, and resets it if that went well. May
   * suspend.
   */
  readonly execute: WasmFunction;
}

let compiled: WebAssembly.Module | undefined;

/**
 * Instantiates the companion of an instance of SQLite.
 *
 * @param exports The exports of SQLite.
 * @param memory Its memory.
 * @returns The functions.
 */
export function createCompanion(
  exports: WebAssembly.Exports,
  memory: WebAssembly.Memory,
): Companion {
  compiled ??= new WebAssembly.Module(companionBytes());
  const instance = new WebAssembly.Instance(compiled, {
    sqlite: { ...exports, memory },
  });
  const { bind, fetch, execute } = instance.exports;
  return {
    bind: bind as WasmFunction,
    fetch: fetch as WasmFunction,
    execute: execute as WasmFunction,
  };
}

/** The module's bytes. */
export function companionBytes(): Uint8Array<ArrayBuffer> {
  const builder = new ModuleBuilder();
  builder.importMemory("sqlite", "memory");
  const sqlite = importSqlite(builder);
  const type = { params: ["i32"], results: ["i32"] } as const;
  const bind = builder.defineFunction("bind", type, bindBody(sqlite));
  builder.defineFunction("fetch", type, fetchBody(sqlite));
  builder.defineFunction("execute", type, executeBody(sqlite, bind));
  return builder.finish();
}
