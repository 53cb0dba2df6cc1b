/** From the runtime's errors to SQLite's result codes. @module */

import { errorCode, FileError } from "../../host/file_error.ts";
import { RESULT_CODES } from "../result_codes.ts";

/** What SQLite asked for, and the code where nothing more precise is known. */
const FALLBACKS = {
  open: RESULT_CODES.SQLITE_CANTOPEN,
  fullPath: RESULT_CODES.SQLITE_CANTOPEN_FULLPATH,
  read: RESULT_CODES.SQLITE_IOERR_READ,
  write: RESULT_CODES.SQLITE_IOERR_WRITE,
  truncate: RESULT_CODES.SQLITE_IOERR_TRUNCATE,
  sync: RESULT_CODES.SQLITE_IOERR_FSYNC,
  syncDirectory: RESULT_CODES.SQLITE_IOERR_DIR_FSYNC,
  measure: RESULT_CODES.SQLITE_IOERR_FSTAT,
  delete: RESULT_CODES.SQLITE_IOERR_DELETE,
  access: RESULT_CODES.SQLITE_IOERR_ACCESS,
  lock: RESULT_CODES.SQLITE_IOERR_LOCK,
  unlock: RESULT_CODES.SQLITE_IOERR_UNLOCK,
  close: RESULT_CODES.SQLITE_IOERR_CLOSE,
  control: RESULT_CODES.SQLITE_IOERR,
} as const;

/** What SQLite asked the VFS to do. */
export type VfsOperation = keyof typeof FALLBACKS;

/**
 * The result code for an error.
 *
 * A buffered write that failed keeps the code of a write, whichever later call reports it.
 *
 * @param operation What SQLite asked for.
 * @param error What the runtime threw.
 * @returns An extended result code.
 */
export function resultCodeOf(operation: VfsOperation, error: unknown): number {
  const failed = error instanceof FileError && error.operation === "write"
    ? "write"
    : operation;
  const cause = error instanceof FileError ? error.cause : error;
  const code = errorCode(error);
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return RESULT_CODES.SQLITE_FULL;
    case "EROFS":
      if (failed === "write" || failed === "truncate") {
        return RESULT_CODES.SQLITE_READONLY;
      }
      break;
    case "EISDIR":
      if (failed === "open") return RESULT_CODES.SQLITE_CANTOPEN_ISDIR;
      break;
    case "ENOENT":
      if (failed === "delete") return RESULT_CODES.SQLITE_IOERR_DELETE_NOENT;
      break;
    case "ENOMEM":
      return RESULT_CODES.SQLITE_IOERR_NOMEM;
  }
  if (cause instanceof Deno.errors.NotCapable && failed === "open") {
    return RESULT_CODES.SQLITE_PERM;
  }
  // What JavaScript throws when a file in memory cannot grow any more.
  if (cause instanceof RangeError && failed === "write") {
    return RESULT_CODES.SQLITE_IOERR_NOMEM;
  }
  return FALLBACKS[failed];
}
