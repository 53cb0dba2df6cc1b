/** What SQLite says of an error, as an error. @module */

import type { SqliteGuest } from "./sqlite_guest.ts";
import { SqliteError } from "./sqlite_error.ts";
import type { VfsFailure } from "./vfs/sqlite_vfs.ts";

/** Finds out what was behind a connection's errors. */
export class ErrorReporter {
  readonly #sqlite: SqliteGuest;
  readonly #database: number;
  readonly #file: string;
  #known: VfsFailure | undefined;

  /** For a connection, by its `sqlite3` and the full path of its file. */
  constructor(sqlite: SqliteGuest, database: number, file: string) {
    this.#sqlite = sqlite;
    this.#database = database;
    this.#file = file;
    this.#known = sqlite.vfs.lastError(file);
  }

  /**
   * The error of the connection's last call; to be asked before the next one.
   *
   * @param code The result code of that call.
   * @param action What could not be done: "run the statement".
   * @param sql The SQL.
   */
  report(code: number, action: string, sql?: string): SqliteError {
    const { memory } = this.#sqlite;
    const pointer = this.#sqlite.call("errmsg", this.#database);
    const offset = this.#sqlite.call("error_offset", this.#database);
    return new SqliteError(`Cannot ${action}: ${memory.string(pointer)}`, {
      code,
      sql,
      ...(offset >= 0 ? { offset } : {}),
      ...this.#cause(code),
    });
  }

  /** The file's error, when it is a new one and the one that SQLite was told. */
  #cause(code: number): { cause?: unknown } {
    const failure = this.#sqlite.vfs.lastError(this.#file);
    if (failure === undefined || failure === this.#known) return {};
    this.#known = failure;
    return failure.code === code ? { cause: failure.cause } : {};
  }
}
