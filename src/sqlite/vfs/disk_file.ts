/** A database, a journal or a write-ahead log on the disk. @module */

import * as fs from "node:fs";
import type { RandomAccessFile } from "../../host/file.ts";
import { type FileLock, LOCK_LEVELS, type LockLevel } from "../file_locks.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { syncDirectoryOf } from "./directory.ts";
import type { FileGroup } from "./file_group.ts";
import { ReadAhead } from "./read_ahead.ts";
import type { VfsFile } from "./vfs_file.ts";

/** What a {@linkcode DiskFile} consists of. */
export interface DiskFileParts {
  /** The file, which the {@linkcode DiskFile} owns from now on. */
  readonly file: RandomAccessFile;
  /** The files of the same database, this one not included yet. */
  readonly group: FileGroup;
  /** The lock; only databases have one. */
  readonly lock: FileLock | undefined;
  /** Whether the first sync must make the directory entry durable too. */
  readonly newEntry: boolean;
}

/** A file on the disk. */
export class DiskFile implements VfsFile {
  /** There is a disk behind it. */
  readonly volatile = false;
  readonly #file: RandomAccessFile;
  readonly #group: FileGroup;
  readonly #lock: FileLock | undefined;
  readonly #ahead = new ReadAhead();
  #newEntry: boolean;
  /** A database's size is known only while its lock keeps others from changing it. */
  #size: number | undefined;
  /** Counts the times that the lock was taken or given up, for answers that come late. */
  #lockings = 0;

  /**
   * An open file.
   *
   * @param parts The file, its group and its lock.
   */
  constructor(parts: DiskFileParts) {
    this.#file = parts.file;
    this.#group = parts.group;
    this.#lock = parts.lock;
    this.#newEntry = parts.newEntry;
    if (parts.lock === undefined) this.#size = parts.file.identity.size;
    parts.group.add(parts.file);
  }

  /** The path, as it was opened. */
  get path(): string {
    return this.#file.path;
  }

  /** The lock level; `none` for a journal. */
  get lockLevel(): LockLevel {
    return this.#lock?.level ?? LOCK_LEVELS.none;
  }

  /** Whether no file of the database has buffered writes. */
  get clean(): boolean {
    return this.#group.isClean();
  }

  /** The size, while nobody else can change it. */
  get knownSize(): number | undefined {
    return this.#size;
  }

  /** Reads what is buffered or was read ahead. */
  tryRead(into: Uint8Array, position: number): number | undefined {
    const atHand = this.#ahead.tryRead(into, position) ||
      this.#file.tryRead(into, position);
    return atHand ? into.length : undefined;
  }

  /** Reads up to the end of the file, and ahead while nobody else can change it. */
  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    if (!this.#isStable) return this.#file.read(into, position);
    return this.#ahead.read(
      into,
      position,
      (bytes, from) => this.#file.read(bytes, from),
    );
  }

  /** Buffers, unless the buffer is full or another file of the database has to be flushed first. */
  tryWrite(data: Uint8Array, position: number): boolean {
    if (!this.#file.hasRoom(data.length)) return false;
    if (!this.#group.isClean(this.#file)) return false;
    this.#ahead.wrote(data, position);
    this.#file.write(data, position);
    this.#grow(position + data.length);
    return true;
  }

  /** Flushes the database's other files, then buffers and waits until there is room again. */
  async write(data: Uint8Array, position: number): Promise<void> {
    const end = position + data.length;
    this.#ahead.wrote(data, position);
    if (this.#group.isClean(this.#file)) {
      await this.#file.write(data, position);
    } else {
      // The guest's memory may change, or move, while the other files are flushed.
      const copy = data.slice();
      await this.#group.flush(this.#file);
      await this.#file.write(copy, position);
    }
    this.#grow(end);
  }

  /** Always waits. */
  tryTruncate(): boolean {
    return false;
  }

  /** Flushes the database's other files, then changes the size. */
  async truncate(size: number): Promise<void> {
    this.#ahead.forget();
    await this.#group.flush(this.#file);
    await this.#file.truncate(size);
    if (this.#size !== undefined) this.#size = size;
  }

  /** Hands all buffered writes of the database to the operating system. */
  flush(): Promise<void> {
    return this.#group.flush();
  }

  /** Brings the file to the disk, and a new journal's directory entry with it. */
  async sync(dataOnly: boolean): Promise<void> {
    await this.#file.sync({ dataOnly });
    if (!this.#newEntry) return;
    await syncDirectoryOf(this.#file.path);
    this.#newEntry = false;
  }

  /** Asks for the size, and remembers it while the lock allows. */
  async size(): Promise<number> {
    const lockings = this.#lockings;
    const size = await this.#file.size();
    if (this.#isStable && lockings === this.#lockings) this.#size = size;
    return size;
  }

  /** Looks whether the path still leads to this file. */
  hasMoved(): Promise<boolean> {
    return new Promise((resolve) => {
      fs.stat(this.#file.path, { bigint: true }, (error, status) => {
        const key = error ? "" : `${status.dev}:${status.ino}`;
        resolve(key !== this.#file.identity.key);
      });
    });
  }

  /** Raises the lock level. */
  lock(level: LockLevel): number {
    if (this.#lock === undefined) return RESULT_CODES.SQLITE_OK;
    const unlocked = this.#lock.level === LOCK_LEVELS.none;
    const code = this.#lock.lock(level);
    if (unlocked) this.#forget();
    return code;
  }

  /** Lowers the lock level. */
  unlock(level: LockLevel): void {
    this.#lock?.unlock(level);
    if (this.#lock?.level === LOCK_LEVELS.none) this.#forget();
  }

  /** Whether a database holds `reserved` or more on the file. */
  checkReserved(): boolean {
    return this.#lock?.checkReserved() ?? false;
  }

  /** Writes what is buffered, closes the file and releases its lock, also when that fails. */
  async close(): Promise<void> {
    try {
      await this.#file.close();
    } finally {
      this.#group.delete(this.#file);
      this.#lock?.close();
    }
  }

  #grow(end: number): void {
    if (this.#size !== undefined) this.#size = Math.max(this.#size, end);
  }

  /** Whether a lock, or being a journal, keeps all others from changing the file. */
  get #isStable(): boolean {
    return this.#lock === undefined || this.#lock.level >= LOCK_LEVELS.shared;
  }

  /** Forgets what others may change from now on. */
  #forget(): void {
    this.#lockings++;
    this.#size = undefined;
    this.#ahead.forget();
  }
}
