/**
 * SQLite's locks between the databases of one thread, as in https://sqlite.org/lockingv3.html.
 *
 * Several databases may have one file open, in one guest or in several. Other threads and other
 * processes are not held off: their locks would be those of the operating system, which this does
 * not take.
 *
 * @module
 */

import { RESULT_CODES } from "./result_codes.ts";

/** A lock level, with SQLite's number. */
export const LOCK_LEVELS = {
  /** Neither reading nor writing. */
  none: 0,
  /** Reading. Any number of databases at once. */
  shared: 1,
  /** Planning to write. One at a time, beside readers. */
  reserved: 2,
  /** Waiting to write: no new readers get in. */
  pending: 3,
  /** Writing. No other lock beside it. */
  exclusive: 4,
} as const;

/** The number of a lock level. */
export type LockLevel = (typeof LOCK_LEVELS)[keyof typeof LOCK_LEVELS];

const { none, shared, reserved, pending, exclusive } = LOCK_LEVELS;

/** All locks on all files. */
export class FileLocks {
  readonly #files = new Map<string, Set<FileLock>>();

  /** How many files have at least one open {@linkcode FileLock}. */
  get size(): number {
    return this.#files.size;
  }

  /**
   * A database's own lock on a file, at level {@linkcode LOCK_LEVELS} `none`.
   *
   * @param key What identifies the file however it was named: its device and inode.
   * @returns The lock. Close it with the file.
   */
  open(key: string): FileLock {
    const locks = this.#files.get(key) ?? new Set();
    this.#files.set(key, locks);
    const lock = new FileLock(locks, () => {
      if (locks.delete(lock) && locks.size === 0) this.#files.delete(key);
    });
    locks.add(lock);
    return lock;
  }
}

/** The locks that databases share unless told otherwise: those of this thread. */
export const threadLocks: FileLocks = new FileLocks();

/** One database's lock on a file. */
export class FileLock {
  readonly #all: ReadonlySet<FileLock>;
  readonly #remove: () => void;
  #level: LockLevel = none;

  /**
   * A lock among others. {@linkcode FileLocks.open} makes them.
   *
   * @param all All locks on the file, this one included.
   * @param remove Takes this one out of them.
   */
  constructor(all: ReadonlySet<FileLock>, remove: () => void) {
    this.#all = all;
    this.#remove = remove;
  }

  /** The level that is held now. */
  get level(): LockLevel {
    return this.#level;
  }

  /**
   * Raises the level. A level at or below the one held changes nothing.
   *
   * SQLite asks only for `shared`, then `reserved` or `exclusive`. A database at `reserved` that
   * fails to become `exclusive` since others still read is left at `pending`; one that comes from
   * `shared`, to roll back a hot journal, keeps `shared`, as in SQLite's own unix VFS.
   *
   * @param level The level to reach.
   * @returns `SQLITE_OK`, or `SQLITE_BUSY` when another database's lock is in the way.
   */
  lock(level: LockLevel): number {
    if (level <= this.#level) return RESULT_CODES.SQLITE_OK;
    const highest = this.#highestOther();
    const limit = level === shared ? pending : reserved;
    if (highest >= limit) return RESULT_CODES.SQLITE_BUSY;
    if (level === exclusive && highest >= shared) {
      if (this.#level === reserved) this.#level = pending;
      return RESULT_CODES.SQLITE_BUSY;
    }
    this.#level = level;
    return RESULT_CODES.SQLITE_OK;
  }

  /**
   * Lowers the level. A level at or above the one held changes nothing.
   *
   * @param level `shared` or `none`.
   */
  unlock(level: LockLevel): void {
    if (level < this.#level) this.#level = level;
  }

  /**
   * Whether any database, this one included, holds `reserved` or more.
   *
   * @returns `true` when somebody is about to write.
   */
  checkReserved(): boolean {
    return this.#level >= reserved || this.#highestOther() >= reserved;
  }

  /** Releases the lock for good. */
  close(): void {
    this.#level = none;
    this.#remove();
  }

  #highestOther(): LockLevel {
    let highest: LockLevel = none;
    for (const lock of this.#all) {
      if (lock !== this && lock.#level > highest) highest = lock.#level;
    }
    return highest;
  }
}
