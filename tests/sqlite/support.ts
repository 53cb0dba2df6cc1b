/** What the tests of the SQLite adapter share. @module */

import * as assert from "node:assert/strict";
import {
  Database,
  type DatabaseOptions,
  SqliteError,
} from "../../src/sqlite/mod.ts";
import { sqliteGuest } from "../../src/sqlite/sqlite_guest.ts";

/** A directory that is removed at the end of the block. */
export class TemporaryDirectory implements Disposable {
  readonly #path = Deno.makeTempDirSync({ prefix: "hedgesnake-" });

  /** The path of a file in it. */
  file(name: string): string {
    return `${this.#path}/${name}`;
  }

  /** The names of the files in it. */
  names(): string[] {
    return [...Deno.readDirSync(this.#path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path, { recursive: true });
  }
}

/** How much of SQLite is in use now; the same before and after whatever leaks nothing. */
export function usage(): { files: number; areas: number; calls: number } {
  const { vfs, workAreas, guest } = sqliteGuest();
  return {
    files: vfs.openFiles,
    areas: workAreas.used,
    calls: guest.running,
  };
}

/** The first column of the first row. */
export async function scalar(db: Database, sql: string): Promise<unknown> {
  const [row] = await db.query<unknown[]>(sql, [], { rowMode: "array" });
  return row?.[0];
}

/** Opens a database that nobody waits long for. */
export function open(
  path: string,
  options: DatabaseOptions = {},
): Promise<Database> {
  return Database.open(path, { timeout: 100, ...options });
}

/** Asserts that something rejects with SQLite's code. */
export async function rejectsWith(
  promise: PromiseLike<unknown>,
  codeName: SqliteError["codeName"],
  message?: RegExp,
): Promise<SqliteError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof SqliteError, String(error));
    assert.equal(error.codeName, codeName, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return error;
  }
  assert.fail(`Did not reject with ${codeName}`);
}
