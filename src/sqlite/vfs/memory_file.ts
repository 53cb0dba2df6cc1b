/**
 * Files that only one database sees, and only while it is open: temporary tables, statement
 * journals, sorters that spill.
 *
 * In memory they need no permission and never suspend; their size is bounded by the process's
 * memory alone.
 *
 * @module
 */

import { LOCK_LEVELS, type LockLevel } from "../file_locks.ts";
import { RESULT_CODES } from "../result_codes.ts";
import type { VfsFile } from "./vfs_file.ts";

/** A file in memory. */
export class MemoryFile implements VfsFile {
  /** Nothing leads to the file. */
  readonly path: undefined;
  /** Nothing ever waits. */
  readonly clean = true;
  /** There is no disk behind it. */
  readonly volatile = true;
  #bytes = new Uint8Array(0);
  #size = 0;
  #lockLevel: LockLevel = LOCK_LEVELS.none;

  /** The level that SQLite asked for; nobody else could hold one. */
  get lockLevel(): LockLevel {
    return this.#lockLevel;
  }

  /** The size, in bytes. */
  get knownSize(): number {
    return this.#size;
  }

  /** Reads up to the end of the file. */
  tryRead(into: Uint8Array, position: number): number {
    const end = Math.min(position + into.length, this.#size);
    if (end <= position) return 0;
    into.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  /** Reads up to the end of the file. */
  read(into: Uint8Array, position: number): Promise<number> {
    return Promise.resolve(this.tryRead(into, position));
  }

  /**
   * Writes; a gap behind the end of the file reads as zeros.
   *
   * @throws {RangeError} When there is no memory left.
   */
  tryWrite(data: Uint8Array, position: number): boolean {
    const end = position + data.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.max(end, this.#bytes.length * 2, 0x10000),
      );
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(data, position);
    this.#size = Math.max(this.#size, end);
    return true;
  }

  /** Writes, as {@linkcode MemoryFile.tryWrite} does. */
  // deno-lint-ignore require-await -- so that errors reject
  async write(data: Uint8Array, position: number): Promise<void> {
    this.tryWrite(data, position);
  }

  /** Changes the size; bytes behind the old end read as zeros. */
  tryTruncate(size: number): boolean {
    if (size > this.#size) {
      this.tryWrite(new Uint8Array(1), size - 1);
    } else {
      // What is cut off must not come back when the file grows again.
      this.#bytes.fill(0, size, this.#size);
      this.#size = size;
    }
    return true;
  }

  /** Changes the size, as {@linkcode MemoryFile.tryTruncate} does. */
  // deno-lint-ignore require-await -- so that errors reject
  async truncate(size: number): Promise<void> {
    this.tryTruncate(size);
  }

  /** Does nothing. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  /** Does nothing. */
  sync(): Promise<void> {
    return Promise.resolve();
  }

  /** The size, in bytes. */
  size(): Promise<number> {
    return Promise.resolve(this.#size);
  }

  /** A file without a path cannot move. */
  hasMoved(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Takes any lock: nobody else has the file. */
  lock(level: LockLevel): number {
    if (level > this.#lockLevel) this.#lockLevel = level;
    return RESULT_CODES.SQLITE_OK;
  }

  /** Lowers the lock. */
  unlock(level: LockLevel): void {
    if (level < this.#lockLevel) this.#lockLevel = level;
  }

  /** Whether the file's own database plans to write. */
  checkReserved(): boolean {
    return this.#lockLevel >= LOCK_LEVELS.reserved;
  }

  /** Frees the memory. */
  close(): Promise<void> {
    this.#bytes = new Uint8Array(0);
    this.#size = 0;
    return Promise.resolve();
  }
}
