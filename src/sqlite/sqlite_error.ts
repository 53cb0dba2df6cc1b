/** The error of an SQL statement or a database. @module */

import { HedgesnakeError } from "../errors.ts";
import { type ResultCodeName, resultCodeName } from "./result_codes.ts";

/** What is known of an {@linkcode SqliteError}. */
export interface SqliteErrorOptions extends ErrorOptions {
  /** SQLite's extended result code. */
  readonly code: number;
  /** The byte of the SQL, in UTF-8, that the error is about. */
  readonly offset?: number | undefined;
  /** The SQL. */
  readonly sql?: string | undefined;
}

/**
 * SQLite refused: an error in the SQL, a constraint, a lock of another database, a broken or
 * missing file.
 *
 * `cause` is the runtime's error where one is behind it, such as a missing permission. You do not
 * get it for parameters that do not fit the statement (`GuestArgumentError`), nor for a database
 * that you closed (`ResourceClosedError`).
 */
export class SqliteError extends HedgesnakeError {
  /** SQLite's extended result code, such as 2067; its low byte is the primary code. */
  readonly code: number;
  /** The code's name, such as `SQLITE_CONSTRAINT_UNIQUE`. */
  readonly codeName: ResultCodeName | `SQLITE_${number}`;
  /** The byte of the SQL, in UTF-8, that the error is about, where SQLite knows it. */
  readonly offset: number | undefined;
  /** The SQL, where it came to that. */
  readonly sql: string | undefined;

  /**
   * An error with its result code.
   *
   * @param message What could not be done, then SQLite's own message.
   * @param options The code, and where it happened.
   */
  constructor(message: string, options: SqliteErrorOptions) {
    super(message, options);
    this.code = options.code;
    this.codeName = resultCodeName(options.code) as SqliteError["codeName"];
    this.offset = options.offset;
    this.sql = options.sql;
  }
}
