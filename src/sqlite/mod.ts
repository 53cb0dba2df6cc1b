/**
 * SQLite that never blocks the event loop: the official WebAssembly build, unmodified, with every
 * operation a greenlet.
 *
 * @module
 */

export {
  Database,
  type DatabaseOptions,
  type DatabaseStats,
} from "./database.ts";
export { SqliteError, type SqliteErrorOptions } from "./sqlite_error.ts";
export { RESULT_CODES, type ResultCodeName } from "./result_codes.ts";
export {
  type Transaction,
  type TransactionBody,
  type TransactionMode,
  type TransactionOptions,
} from "./transaction.ts";
export type {
  ExecuteResult,
  QueryOptions,
  SqliteParameter,
  SqliteParameters,
  SqliteRow,
  SqliteValue,
} from "./values.ts";
