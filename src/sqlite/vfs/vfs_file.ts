/** What the VFS needs of an open file, on the disk or in memory. @module */

import type { LockLevel } from "../file_locks.ts";

/**
 * An open file.
 *
 * Each `tryX` does the whole of `x` without waiting, or nothing; `x` may always be called in its
 * place. Sizes and positions are in bytes; errors are the runtime's.
 */
export interface VfsFile {
  /** The path; `undefined` for a file in memory. */
  readonly path: string | undefined;
  /** The lock level that is held. */
  readonly lockLevel: LockLevel;
  /** Reads without waiting; tells how many bytes, `undefined` where it has to wait. */
  tryRead(into: Uint8Array, position: number): number | undefined;
  /** Reads up to the end of the file; `into` must not be guest memory. */
  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number>;
  /** Writes without waiting; `false` where it has to wait. */
  tryWrite(data: Uint8Array, position: number): boolean;
  /** Writes; the bytes are copied at once. */
  write(data: Uint8Array, position: number): Promise<void>;
  /** Changes the size without waiting; `false` where it has to wait. */
  tryTruncate(size: number): boolean;
  /** Changes the size. */
  truncate(size: number): Promise<void>;
  /** Whether nothing waits to be written, neither here nor in the database's other files. */
  readonly clean: boolean;
  /** Hands what waits to the operating system. */
  flush(): Promise<void>;
  /** Whether there is no disk to wait for. */
  readonly volatile: boolean;
  /** Brings the file to the disk. */
  sync(dataOnly: boolean): Promise<void>;
  /** The size, where it is known without asking. */
  readonly knownSize: number | undefined;
  /** Asks for the size. */
  size(): Promise<number>;
  /** Whether the file's path leads elsewhere by now. */
  hasMoved(): Promise<boolean>;
  /** Raises the lock level; tells a result code. */
  lock(level: LockLevel): number;
  /** Lowers the lock level. */
  unlock(level: LockLevel): void;
  /** Whether anybody holds `reserved` or more. */
  checkReserved(): boolean;
  /** Closes the file and releases its lock. */
  close(): Promise<void>;
}
