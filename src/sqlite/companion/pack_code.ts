/** The companion's code for packing one row. @module */

import type { FunctionBody } from "../../engine/codegen/function_body.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { CELL, CELL_OFFSET, CELL_SIZE } from "./layout.ts";
import type { SqliteFunctions } from "./sqlite_functions.ts";

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The local variables of `fetch` that packing uses. */
export interface FetchLocals {
  /** The statement. */
  readonly statement: number;
  /** Where the next cell goes. */
  readonly cell: number;
  /** Where the next text goes. */
  readonly text: number;
  /** Where the last blob went: the end of the room. */
  readonly blobs: number;
  /** How many columns the row has. */
  readonly columns: number;
  /** The column at hand. */
  readonly column: number;
  /** Where SQLite has the column's bytes. */
  readonly pointer: number;
  /** How many bytes these are. */
  readonly length: number;
  /** Whether something of the row did not fit and stayed where SQLite has it. */
  readonly direct: number;
  /** The result code. */
  readonly code: number;
  /** An integer. */
  readonly integer: number;
}

/** Packs the statement's row. Sets `code` to `SQLITE_NOMEM` when SQLite has no memory for it. */
export function packRow(
  body: FunctionBody,
  sqlite: SqliteFunctions,
  locals: FetchLocals,
): void {
  const { statement, cell, columns, column, direct } = locals;
  const argument = () => body.get(statement, column);
  body.constant(0).set(column).constant(0).set(direct);
  body.open("block").open("loop")
    .get(column, columns).op("i32GeU").indexed("brIf", 1);

  body.open("block"); // the end of the choice
  for (let i = 0; i < 5; i++) body.open("block");
  argument().call(sqlite.column_type).constant(CELL.integer).op("i32Sub")
    .branchTable([0, 1, 2, 3, 4], 4);
  body.op("end"); // integer
  packInteger(body, sqlite, locals);
  body.indexed("br", 4).op("end"); // float
  tag(body, cell, CELL.float);
  body.get(cell);
  argument().call(sqlite.column_double)
    .memory("f64Store", CELL_OFFSET.value).indexed("br", 3)
    .op("end"); // text
  tag(body, cell, CELL.text);
  argument().call(sqlite.column_text).set(locals.pointer);
  packBytes(body, sqlite, locals, "text", 3);
  body.indexed("br", 2).op("end"); // blob
  tag(body, cell, CELL.blob);
  argument().call(sqlite.column_blob).set(locals.pointer);
  packBytes(body, sqlite, locals, "blob", 2);
  body.indexed("br", 1).op("end"); // null
  tag(body, cell, CELL.null);
  body.op("end");

  body.get(cell).constant(CELL_SIZE).op("i32Add").set(cell)
    .get(column).constant(1).op("i32Add").set(column)
    .indexed("br", 0).op("end", "end");
}

/** As 32 bits, as a double where that is exact, else as 64 bits: what JavaScript reads fastest. */
function packInteger(
  body: FunctionBody,
  sqlite: SqliteFunctions,
  { statement, cell, column, integer }: FetchLocals,
): void {
  body.get(cell).get(statement, column).call(sqlite.column_int64)
    .indexed("localTee", integer).memory("i64Store", CELL_OFFSET.value)
    .get(integer).op("i32WrapI64", "i64ExtendI32S").get(integer).op("i64Eq")
    .open("if");
  tag(body, cell, CELL.integer);
  body.op("else")
    .get(integer).constant64(MAX_SAFE).op("i64Add")
    .constant64(2n * MAX_SAFE).op("i64LeU").open("if");
  tag(body, cell, CELL.float);
  body.get(cell).get(integer).op("f64ConvertI64S")
    .memory("f64Store", CELL_OFFSET.value).op("else");
  tag(body, cell, CELL.bigInteger);
  body.op("end", "end");
}

/**
 * Copies bytes where there is room and writes the cell. What does not fit is not copied: the batch
 * ends with this row, and its bytes stay where they are until the next step.
 *
 * Texts grow from the low end of the room and blobs from its high end, so that many texts can be
 * decoded at once.
 */
function packBytes(
  body: FunctionBody,
  sqlite: SqliteFunctions,
  locals: FetchLocals,
  kind: "text" | "blob",
  rowLoop: number,
): void {
  const { cell, pointer, length, text, blobs, direct } = locals;
  body.get(locals.statement, locals.column).call(sqlite.column_bytes)
    .set(length);
  // No bytes where there should be some: SQLite could not convert or expand the value.
  body.get(pointer).op("i32Eqz").get(length).constant(0).op("i32Ne", "i32And")
    .open("if").constant(RESULT_CODES.SQLITE_NOMEM).set(locals.code)
    .indexed("br", rowLoop + 2).op("end");
  body.get(direct).op("i32Eqz").get(length).get(blobs, text).op("i32Sub")
    .op("i32LeU", "i32And").open("if");
  if (kind === "blob") body.get(blobs, length).op("i32Sub").set(blobs);
  const place = kind === "blob" ? blobs : text;
  body.get(place, pointer, length).memoryCopy().get(place).set(pointer);
  if (kind === "text") body.get(text, length).op("i32Add").set(text);
  body.op("else").constant(1).set(direct).op("end")
    .get(cell, pointer).memory("i32Store", CELL_OFFSET.value)
    .get(cell, length).memory("i32Store", CELL_OFFSET.length);
}

function tag(body: FunctionBody, cell: number, value: number): void {
  body.get(cell).constant(value).memory("i32Store", CELL_OFFSET.tag);
}
