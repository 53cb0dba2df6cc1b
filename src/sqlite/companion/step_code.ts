/** The companion's code for stepping statements. @module */

import { FunctionBody } from "../../engine/codegen/function_body.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { CONTROL } from "./layout.ts";
import { type FetchLocals, packRow } from "./pack_code.ts";
import type { SqliteFunctions } from "./sqlite_functions.ts";

const { SQLITE_DONE, SQLITE_ROW } = RESULT_CODES;

/** `SQLITE_STMTSTATUS_REPREPARE`. */
const REPREPARE = 5;

const control = 0;

/**
 * `fetch(control)`: steps and packs rows until the statement ends, fails, or the room is used up.
 *
 * @param sqlite The indexes of SQLite's functions.
 * @returns The function's body.
 */
export function fetchBody(sqlite: SqliteFunctions): FunctionBody {
  const body = new FunctionBody(1);
  const rows = body.local("i32");
  const cellsEnd = body.local("i32");
  const locals: FetchLocals = {
    statement: body.local("i32"),
    cell: body.local("i32"),
    text: body.local("i32"),
    blobs: body.local("i32"),
    columns: body.local("i32"),
    column: body.local("i32"),
    pointer: body.local("i32"),
    length: body.local("i32"),
    direct: body.local("i32"),
    code: body.local("i32"),
    integer: body.local("i64"),
  };
  const { statement, cell, text, blobs, columns, direct, code } = locals;
  input(body, CONTROL.statement, statement);
  input(body, CONTROL.cells, cell);
  input(body, CONTROL.cellsEnd, cellsEnd);
  input(body, CONTROL.heap, text);
  input(body, CONTROL.heapEnd, blobs);

  body.open("block").open("loop")
    .get(statement).call(sqlite.step).indexed("localTee", code)
    .constant(SQLITE_ROW).op("i32Ne").indexed("brIf", 1)
    // A changed schema may have changed the columns, but only before the first row.
    .get(rows).op("i32Eqz").open("if")
    .get(statement).call(sqlite.data_count).set(columns).op("end");
  packRow(body, sqlite, locals);
  body.get(code).constant(SQLITE_ROW).op("i32Ne").indexed("brIf", 1)
    .get(rows).constant(1).op("i32Add").set(rows)
    // Enough when the row was left where it is, or when the next one may not fit.
    .get(direct).indexed("brIf", 1)
    .get(cell).get(columns).constant(4).op("i32Shl", "i32Add")
    .get(cellsEnd).op("i32LeU").indexed("brIf", 0)
    .op("end", "end");

  output(body, CONTROL.rows, rows);
  output(body, CONTROL.columns, columns);
  output(body, CONTROL.textEnd, text);
  body.get(control).get(statement).constant(REPREPARE).constant(0)
    .call(sqlite.stmt_status).memory("i32Store", CONTROL.reprepares * 4);
  finish(body, sqlite, statement, code);
  return body.get(code);
}

/**
 * `execute(control)`: binds, steps to the end past all rows, and tells what changed.
 *
 * @param sqlite The indexes of SQLite's functions.
 * @param bind The index of the companion's own `bind`.
 * @returns The function's body.
 */
export function executeBody(
  sqlite: SqliteFunctions,
  bind: number,
): FunctionBody {
  const body = new FunctionBody(1);
  const statement = body.local("i32");
  const database = body.local("i32");
  const code = body.local("i32");
  const before = body.local("i64");
  input(body, CONTROL.statement, statement);
  input(body, CONTROL.database, database);

  body.open("block")
    .get(control).call(bind).indexed("localTee", code).indexed("brIf", 0)
    .get(database).call(sqlite.total_changes64).set(before)
    .open("loop")
    .get(statement).call(sqlite.step).indexed("localTee", code)
    .constant(SQLITE_ROW).op("i32Eq").indexed("brIf", 0)
    .op("end");
  // SQLite's own counter keeps its value over statements that change nothing.
  body.get(control)
    .get(database).call(sqlite.changes64).constant64(0n)
    .get(database).call(sqlite.total_changes64).get(before).op("i64Ne")
    .op("select").memory("i64Store", CONTROL.changes * 4)
    .get(control).get(database).call(sqlite.last_insert_rowid)
    .memory("i64Store", CONTROL.lastInsertRowid * 4)
    .op("end");
  finish(body, sqlite, statement, code);
  return body.get(code);
}

function input(body: FunctionBody, word: number, local: number): void {
  body.get(control).memory("i32Load", word * 4).set(local);
}

function output(body: FunctionBody, word: number, local: number): void {
  body.get(control).get(local).memory("i32Store", word * 4);
}

/** Tells the result. After an error the caller resets, when it has read the message. */
function finish(
  body: FunctionBody,
  sqlite: SqliteFunctions,
  statement: number,
  code: number,
): void {
  body.get(code).constant(SQLITE_DONE).op("i32Eq").open("if")
    .get(statement).call(sqlite.reset).op("drop")
    .get(statement).call(sqlite.clear_bindings).op("drop")
    .op("end");
  body.get(control)
    .get(control).memory("i32Load", CONTROL.database * 4)
    .call(sqlite.get_autocommit)
    .memory("i32Store", CONTROL.autocommit * 4);
  output(body, CONTROL.result, code);
}
