/** From SQL to a prepared statement. @module */

import { GuestArgumentError } from "../errors.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import { cleanUp } from "./clean_up.ts";
import type { ErrorReporter } from "./connection_error.ts";
import type { SqliteGuest } from "./sqlite_guest.ts";
import { SqliteError } from "./sqlite_error.ts";
import { Statement } from "./statement.ts";

/** `SQLITE_PREPARE_PERSISTENT`: the statement is kept, so its memory is not taken from the pool. */
const PERSISTENT = 1;

const encoder = new TextEncoder();

/**
 * Prepares the only statement of an SQL text; comments may stand around it.
 *
 * @param greenlet Who runs it: SQLite may have to read the schema.
 * @param sqlite The instance.
 * @param database The `sqlite3`.
 * @param sql The SQL.
 * @param errors Reports what SQLite says.
 * @throws {GuestArgumentError} When there is no statement, or more than one.
 * @throws {SqliteError} When SQLite does not understand it.
 */
export async function prepareStatement(
  greenlet: Greenlet<unknown>,
  sqlite: SqliteGuest,
  database: number,
  sql: string,
  errors: ErrorReporter,
): Promise<Statement> {
  const { allocator, memory } = sqlite;
  const bytes = encoder.encode(sql);
  if (bytes.includes(0)) {
    throw new GuestArgumentError(
      "Cannot run the statement: the SQL contains a NUL character",
    );
  }
  // The statement and the rest of the SQL, then the SQL itself.
  const out = allocator.allocate(8 + bytes.length + 1);
  const end = out + 8 + bytes.length;

  /** Prepares the next statement of the text; 0 where there is none any more. */
  async function next(start: number): Promise<{ found: number; rest: number }> {
    memory.writeInt64(out, 0n);
    try {
      const code = await sqlite.guest.run(greenlet, "sqlite3_prepare_v3", [
        database,
        start,
        end - start + 1,
        PERSISTENT,
        out,
        out + 4,
      ]);
      if (code !== 0) throw errors.report(code, "run the statement", sql);
    } catch (error) {
      await discard(sqlite.readWord(out));
      throw error;
    }
    return { found: sqlite.readWord(out), rest: sqlite.readWord(out + 4) };
  }

  async function discard(statement: number): Promise<void> {
    if (statement === 0) return;
    await cleanUp(
      sqlite.guest.hub,
      (uninterrupted) =>
        sqlite.guest.run(uninterrupted, "sqlite3_finalize", [statement]),
    );
  }

  try {
    memory.bytes(out + 8, bytes.length + 1).set(bytes);
    memory.bytes(end, 1)[0] = 0;
    let { found, rest } = await next(out + 8);
    while (rest < end) {
      let following: number;
      try {
        ({ found: following, rest } = await next(rest));
      } catch (error) {
        await discard(found);
        // What SQLite does not understand is another statement, too.
        throw found !== 0 && error instanceof SqliteError ? tooMany() : error;
      }
      if (found !== 0 && following !== 0) {
        await discard(following);
        await discard(found);
        throw tooMany();
      }
      found ||= following;
    }
    if (found === 0) {
      throw new GuestArgumentError(
        "Cannot run the statement: the SQL has none",
      );
    }
    return new Statement(found, sql, parameterNames(sqlite, found));
  } finally {
    allocator.free(out);
  }
}

function tooMany(): GuestArgumentError {
  return new GuestArgumentError(
    "Cannot run the statement: the SQL has more than one; run them one by one",
  );
}

function parameterNames(
  sqlite: SqliteGuest,
  statement: number,
): (string | undefined)[] {
  const count = sqlite.call("bind_parameter_count", statement);
  return Array.from({ length: count }, (_, i) =>
    sqlite.memory.string(
      sqlite.call("bind_parameter_name", statement, i + 1),
    ));
}
