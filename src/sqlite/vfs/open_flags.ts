/** Flags of SQLite's `xOpen`, from https://sqlite.org/c3ref/c_open_autoproxy.html. @module */

/** The flags that this VFS looks at. */
export const OPEN_FLAGS = {
  readOnly: 0x1,
  readWrite: 0x2,
  create: 0x4,
  deleteOnClose: 0x8,
  exclusive: 0x10,
  mainDatabase: 0x100,
  tempDatabase: 0x200,
  transientDatabase: 0x400,
  mainJournal: 0x800,
  tempJournal: 0x1000,
  subJournal: 0x2000,
  superJournal: 0x4000,
  wal: 0x80000,
} as const;

/** Files that nobody opens again: they live in memory. */
const TRANSIENT = OPEN_FLAGS.deleteOnClose | OPEN_FLAGS.tempDatabase |
  OPEN_FLAGS.transientDatabase | OPEN_FLAGS.tempJournal | OPEN_FLAGS.subJournal;

/** Files that a crash must find again, so that their directory entry has to be on the disk. */
const JOURNALS = OPEN_FLAGS.mainJournal | OPEN_FLAGS.superJournal |
  OPEN_FLAGS.wal;

/**
 * Whether a file is kept in memory.
 *
 * @param flags The flags of `xOpen`.
 * @param path The path, `undefined` where SQLite gave none.
 * @returns Whether nobody can open the file again.
 */
export function isTransient(flags: number, path: string | undefined): boolean {
  return path === undefined || (flags & TRANSIENT) !== 0;
}

/**
 * Whether a file is a rollback journal, a super-journal or a write-ahead log.
 *
 * @param flags The flags of `xOpen`.
 * @returns Whether it is one.
 */
export function isJournal(flags: number): boolean {
  return (flags & JOURNALS) !== 0;
}
