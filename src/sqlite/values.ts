/** The values that go into SQLite and come out of it. @module */

/**
 * A value of a row. An integer is a number where that is exact and a bigint where it is not, so
 * that no id is ever rounded. A text is a string: bytes that are not UTF-8 come as U+FFFD. A blob is
 * a copy of its bytes.
 */
export type SqliteValue = number | bigint | string | Uint8Array | null;

/** A row by column names; of columns with one name the last one wins. */
export type SqliteRow = Record<string, SqliteValue>;

/**
 * A value for a parameter.
 *
 * - A number is an `INTEGER` when it is a safe integer, else a `REAL`; so is -0, which stays what it
 *   is. NaN is refused: SQLite would store NULL.
 * - A bigint is an `INTEGER` of 64 bits.
 * - A boolean is 1 or 0.
 * - A string is a `TEXT` in UTF-8; half a surrogate pair becomes U+FFFD.
 * - Bytes are a `BLOB`.
 */
export type SqliteParameter =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | ArrayBuffer;

/**
 * The parameters of a statement: in an array by SQLite's numbers of them, or in an object by their
 * names, with or without the `:`, `@` or `$` before it.
 */
export type SqliteParameters =
  | readonly SqliteParameter[]
  | { readonly [name: string]: SqliteParameter };

/** What a statement changed. */
export interface ExecuteResult {
  /** How many rows it inserted, updated or deleted itself, without those of triggers. */
  readonly changes: number;
  /** The id of the row that the connection inserted last; 0 before the first. */
  readonly lastInsertRowid: number | bigint;
}

/** Options of a query. */
export interface QueryOptions {
  /**
   * How rows come: objects by column names, or arrays in the columns' order.
   *
   * @default {"object"}
   */
  readonly rowMode?: "object" | "array" | undefined;
}
