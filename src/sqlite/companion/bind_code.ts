/** The companion's code for binding parameters. @module */

import { FunctionBody } from "../../engine/codegen/function_body.ts";
import { CELL_OFFSET, CELL_SIZE, CONTROL } from "./layout.ts";
import type { SqliteFunctions } from "./sqlite_functions.ts";

/** SQLite leaves the memory alone: it stays as it is until the statement is reset. */
const SQLITE_STATIC = 0;

/**
 * `bind(control)`: binds the cells one after the other, until one fails.
 *
 * @param sqlite The indexes of SQLite's functions.
 * @returns The function's body.
 */
export function bindBody(sqlite: SqliteFunctions): FunctionBody {
  const body = new FunctionBody(1);
  const control = 0;
  const statement = body.local("i32");
  const cell = body.local("i32");
  const left = body.local("i32");
  const index = body.local("i32");
  const code = body.local("i32");

  body.get(control).memory("i32Load", CONTROL.statement * 4).set(statement)
    .get(control).memory("i32Load", CONTROL.parameters * 4).set(cell)
    .get(control).memory("i32Load", CONTROL.parameterCount * 4).set(left);

  body.open("block").open("loop")
    .get(left).op("i32Eqz").indexed("brIf", 1)
    .get(index).constant(1).op("i32Add").set(index);

  // The tags count from 1: integer, float, text, blob, null, big integer.
  body.open("block"); // the end of the choice
  for (let i = 0; i < 5; i++) body.open("block");
  body.get(cell).memory("i32Load", CELL_OFFSET.tag).constant(1).op("i32Sub")
    .branchTable([0, 1, 2, 3, 4, 0], 4);

  const target = () => body.get(statement, index);
  const bytes = () =>
    body.get(cell).memory("i32Load", CELL_OFFSET.value)
      .get(cell).memory("i32Load", CELL_OFFSET.length)
      .constant(SQLITE_STATIC);

  body.op("end");
  target().get(cell).memory("i64Load", CELL_OFFSET.value)
    .call(sqlite.bind_int64).set(code).indexed("br", 4);
  body.op("end");
  target().get(cell).memory("f64Load", CELL_OFFSET.value)
    .call(sqlite.bind_double).set(code).indexed("br", 3);
  body.op("end");
  target();
  bytes().call(sqlite.bind_text).set(code).indexed("br", 2);
  body.op("end");
  target();
  bytes().call(sqlite.bind_blob).set(code).indexed("br", 1);
  body.op("end");
  target().call(sqlite.bind_null).set(code);
  body.op("end");

  body.get(code).indexed("brIf", 1)
    .get(cell).constant(CELL_SIZE).op("i32Add").set(cell)
    .get(left).constant(1).op("i32Sub").set(left)
    .indexed("br", 0).op("end", "end");
  return body.get(code);
}
