/** Opening files as SQLite's own unix VFS does. @module */

import { FileError } from "../../host/file_error.ts";
import {
  RandomAccessFile,
  type RandomAccessFileOptions,
} from "../../host/file.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { DiskFile } from "./disk_file.ts";
import { databasePath } from "./file_group.ts";
import { isJournal, OPEN_FLAGS } from "./open_flags.ts";
import type { VfsState } from "./vfs_state.ts";

/** The permission bits of a new database, before the process's umask. */
const DATABASE_MODE = 0o644;

/** How an attempt to open a file ended. */
export type OpenResult =
  | { readonly file: DiskFile; readonly flags: number }
  | { readonly code: number };

/**
 * Opens a file on the disk. What cannot be opened for writing is opened for reading, if it exists.
 *
 * @param state The VFS's state; errors are kept there.
 * @param path The path.
 * @param flags The flags of `xOpen`.
 * @returns The file and the flags it was opened with, or a result code.
 */
export async function openDiskFile(
  state: VfsState,
  path: string,
  flags: number,
): Promise<OpenResult> {
  const writable = (flags & OPEN_FLAGS.readWrite) !== 0;
  try {
    const file = await RandomAccessFile.open(
      path,
      writable ? writeOptions(state, path, flags) : { read: true },
    );
    return { file: adopt(state, file, flags), flags };
  } catch (error) {
    if (!writable || isDirectory(error)) {
      return { code: state.fail("open", path, error) };
    }
    return await openForReading(state, path, flags, error);
  }
}

async function openForReading(
  state: VfsState,
  path: string,
  flags: number,
  refusal: unknown,
): Promise<OpenResult> {
  try {
    const file = await RandomAccessFile.open(path, { read: true });
    const { readWrite, create, readOnly } = OPEN_FLAGS;
    const reduced = flags & ~(readWrite | create) | readOnly;
    return { file: adopt(state, file, reduced), flags: reduced };
  } catch {
    // Why it cannot be written says more than that it does not exist.
    const code = isJournal(flags) && errorCodeIs(refusal, "EACCES")
      ? RESULT_CODES.SQLITE_READONLY_DIRECTORY
      : undefined;
    return { code: state.fail("open", path, refusal, code) };
  }
}

function writeOptions(
  state: VfsState,
  path: string,
  flags: number,
): RandomAccessFileOptions {
  const create = (flags & OPEN_FLAGS.create) !== 0;
  // Whoever may use the database must be able to roll back its journal.
  const mode = isJournal(flags)
    ? state.groupOf(path).modeOf(databasePath(path))
    : undefined;
  return {
    read: true,
    write: true,
    create,
    createNew: create && (flags & OPEN_FLAGS.exclusive) !== 0,
    mode: mode ?? DATABASE_MODE,
  };
}

function adopt(
  state: VfsState,
  file: RandomAccessFile,
  flags: number,
): DiskFile {
  const isDatabase = (flags & OPEN_FLAGS.mainDatabase) !== 0;
  return new DiskFile({
    file,
    group: state.groupOf(file.path),
    lock: isDatabase ? state.locks.open(file.identity.key) : undefined,
    newEntry: isJournal(flags) && (flags & OPEN_FLAGS.create) !== 0,
  });
}

function isDirectory(error: unknown): boolean {
  return errorCodeIs(error, "EISDIR");
}

function errorCodeIs(error: unknown, code: string): boolean {
  return error instanceof FileError && error.code === code;
}
