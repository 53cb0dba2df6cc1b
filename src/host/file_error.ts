/** What went wrong with a file, whichever of Deno's two file APIs reported it. @module */

import { HedgesnakeError } from "../errors.ts";

/** What was done to the file when it failed. */
export type FileOperation =
  | "open"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "measure"
  | "close";

/**
 * The operating system, or Deno's permissions, refused an operation on a file.
 *
 * You get it from {@linkcode RandomAccessFile} only, with the runtime's own error as `cause`. You do
 * not get it for a file that you closed: that is a `ResourceClosedError`.
 */
export class FileError extends HedgesnakeError {
  /** What was done to the file. */
  readonly operation: FileOperation;
  /** The file's path, as it was opened. */
  readonly path: string;
  /** The operating system's name for the error, such as `ENOSPC`, where it has one. */
  readonly code: string | undefined;

  /**
   * An error with the operation that failed.
   *
   * @param operation What was done to the file.
   * @param path The file's path.
   * @param cause The runtime's error.
   */
  constructor(operation: FileOperation, path: string, cause: unknown) {
    super(`Cannot ${operation} '${path}': ${reasonOf(cause)}`, { cause });
    this.operation = operation;
    this.path = path;
    this.code = errorCode(cause);
  }
}

/**
 * The operating system's name for an error, such as `ENOENT`.
 *
 * @param error An error of `Deno.*`, of `node:fs` or a {@linkcode FileError}.
 * @returns The name, or `undefined` where there is none, as for a missing Deno permission.
 */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error) {
    if (typeof error.code === "string") return error.code;
  }
  return error instanceof Deno.errors.IsADirectory ? "EISDIR" : undefined;
}

/** The text without what the two APIs put around it: "(os error 2): open '/x'", "ENOENT: …, open". */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (errorCode(cause) === "EISDIR") return "the path is a directory";
  const text = cause.message
    .replace(/ \(os error \d+\).*$/s, "")
    .replace(/^E[A-Z0-9]+: (.*?)(, [a-z]+( '.*')?)?$/s, "$1");
  return text.charAt(0).toLowerCase() + text.slice(1);
}
