/**
 * The files of one database: itself, its rollback journal, its write-ahead log.
 *
 * A crash of the process must never leave the operating system with a change of the database but
 * without the journal that undoes it, also with `PRAGMA synchronous=OFF`, where SQLite asks for no
 * sync. So at any time only one file of a group has buffered writes: before another one is written,
 * the first is flushed.
 *
 * @module
 */

import type { RandomAccessFile } from "../../host/file.ts";

/** The open files of one database. */
export class FileGroup {
  readonly #files = new Set<RandomAccessFile>();

  /** Whether no file of the group is open. */
  get empty(): boolean {
    return this.#files.size === 0;
  }

  /** Adds an open file. */
  add(file: RandomAccessFile): void {
    this.#files.add(file);
  }

  /** Removes a file. */
  delete(file: RandomAccessFile): void {
    this.#files.delete(file);
  }

  /**
   * Whether nothing waits to be written.
   *
   * @param except A file that does not count.
   * @returns Whether all others are clean.
   */
  isClean(except?: RandomAccessFile): boolean {
    for (const file of this.#files) {
      if (file !== except && file.dirty) return false;
    }
    return true;
  }

  /**
   * Hands what waits to the operating system.
   *
   * @param except A file that may keep what waits.
   */
  async flush(except?: RandomAccessFile): Promise<void> {
    for (const file of this.#files) {
      if (file !== except && file.dirty) await file.flush();
    }
  }

  /**
   * The permission bits of the database, for the journals that are created beside it.
   *
   * @param path The database's path.
   * @returns The bits, or `undefined` while it is not open.
   */
  modeOf(path: string): number | undefined {
    for (const file of this.#files) {
      if (file.path === path) return file.identity.mode;
    }
    return undefined;
  }
}

/**
 * The database that a file belongs to.
 *
 * @param path A database's, a journal's or a write-ahead log's path.
 * @returns The database's path.
 */
export function databasePath(path: string): string {
  return path.replace(/-(journal|wal)$/, "");
}
