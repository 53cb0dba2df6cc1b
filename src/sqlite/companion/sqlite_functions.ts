/** The functions of SQLite that the companion calls. @module */

import type { ModuleBuilder } from "../../engine/codegen/module_builder.ts";
import type { HostValueType } from "../../engine/host_function.ts";

type Signature = readonly [
  params: readonly HostValueType[],
  result: HostValueType,
];

const POINTER: Signature = [["i32"], "i32"];
const COLUMN: Signature = [["i32", "i32"], "i32"];

/** Without their prefix `sqlite3_`; pointers are `i32`. */
const SIGNATURES = {
  step: POINTER,
  reset: POINTER,
  clear_bindings: POINTER,
  data_count: POINTER,
  stmt_status: [["i32", "i32", "i32"], "i32"],
  column_type: COLUMN,
  column_int64: [["i32", "i32"], "i64"],
  column_double: [["i32", "i32"], "f64"],
  column_text: COLUMN,
  column_blob: COLUMN,
  column_bytes: COLUMN,
  bind_int64: [["i32", "i32", "i64"], "i32"],
  bind_double: [["i32", "i32", "f64"], "i32"],
  bind_text: [["i32", "i32", "i32", "i32", "i32"], "i32"],
  bind_blob: [["i32", "i32", "i32", "i32", "i32"], "i32"],
  bind_zeroblob: [["i32", "i32", "i32"], "i32"],
  bind_null: COLUMN,
  get_autocommit: POINTER,
  changes64: [["i32"], "i64"],
  total_changes64: [["i32"], "i64"],
  last_insert_rowid: [["i32"], "i64"],
} as const satisfies Readonly<Record<string, Signature>>;

/** The indexes of SQLite's functions in the companion. */
export type SqliteFunctions = Readonly<Record<keyof typeof SIGNATURES, number>>;

/** Imports the functions into the companion. */
export function importSqlite(builder: ModuleBuilder): SqliteFunctions {
  const entries = Object.entries(SIGNATURES).map(([name, [params, result]]) => [
    name,
    builder.importFunction("sqlite", `sqlite3_${name}`, {
      params,
      results: [result],
    }),
  ]);
  return Object.fromEntries(entries);
}
