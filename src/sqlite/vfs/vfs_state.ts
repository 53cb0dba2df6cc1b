/** What the methods of one VFS share. @module */

import { constants } from "node:os";
import { errorCode } from "../../host/file_error.ts";
import { type FileLocks, threadLocks } from "../file_locks.ts";
import { resultCodeOf, type VfsOperation } from "./error_codes.ts";
import { databasePath, FileGroup } from "./file_group.ts";
import { GuestMemory } from "./guest_memory.ts";
import type { VfsFile } from "./vfs_file.ts";

/** Options of a VFS. */
export interface VfsOptions {
  /** Tells the guest's memory; called by the methods only. */
  readonly memory: () => WebAssembly.Memory;
  /** The locks to share with other VFSs. @default {threadLocks} */
  readonly locks?: FileLocks;
}

/** An error behind a result code that SQLite was given. */
export interface VfsFailure {
  /** The extended result code. */
  readonly code: number;
  /** What SQLite asked for. */
  readonly operation: VfsOperation;
  /** The file's path; empty for a file in memory. */
  readonly path: string;
  /** The runtime's error. */
  readonly cause: unknown;
}

/** For so many databases the last failure is kept. */
const MAX_FAILURES = 64;

/** The state of one VFS. */
export class VfsState {
  /** The guest's memory. */
  readonly memory: GuestMemory;
  /** The locks on databases. */
  readonly locks: FileLocks;
  /** The open files, by the address of their `sqlite3_file`. */
  readonly files: Map<number, VfsFile> = new Map();
  /** The address of the `sqlite3_io_methods` in the guest. */
  ioMethods = 0;
  readonly #groups = new Map<string, FileGroup>();
  readonly #failures = new Map<string, VfsFailure>();
  #lastFailure: VfsFailure | undefined;

  /**
   * A VFS without open files.
   *
   * @param options The guest's memory and the locks.
   */
  constructor(options: VfsOptions) {
    this.memory = new GuestMemory(options.memory);
    this.locks = options.locks ?? threadLocks;
  }

  /** The operating system's number of the last error, 0 for none. */
  get lastErrno(): number {
    const code = errorCode(this.#lastFailure?.cause);
    const numbers: Readonly<Record<string, number>> = constants.errno;
    return (code === undefined ? undefined : numbers[code]) ?? 0;
  }

  /**
   * The group of a database's files.
   *
   * @param path The path of the database or of one of its journals.
   * @returns The group, which is made when there is none.
   */
  groupOf(path: string): FileGroup {
    const key = databasePath(path);
    const group = this.#groups.get(key) ?? new FileGroup();
    this.#groups.set(key, group);
    return group;
  }

  /**
   * Forgets the group of a database with no open files.
   *
   * @param path The path of the database or of one of its journals.
   */
  releaseGroup(path: string): void {
    const key = databasePath(path);
    if (this.#groups.get(key)?.empty) this.#groups.delete(key);
  }

  /**
   * Keeps an error for {@linkcode VfsState.lastFailure}.
   *
   * @param operation What SQLite asked for.
   * @param path The file's path.
   * @param cause What the runtime threw.
   * @param code The result code, where the error alone does not tell it.
   * @returns The result code.
   */
  fail(
    operation: VfsOperation,
    path: string | undefined,
    cause: unknown,
    code: number = resultCodeOf(operation, cause),
  ): number {
    const failure = { code, operation, path: path ?? "", cause };
    this.#lastFailure = failure;
    const key = databasePath(failure.path);
    this.#failures.delete(key);
    this.#failures.set(key, failure);
    if (this.#failures.size > MAX_FAILURES) {
      for (const oldest of this.#failures.keys()) {
        this.#failures.delete(oldest);
        break;
      }
    }
    return code;
  }

  /**
   * The last error of a database's files.
   *
   * @param path The database's path, or none for the last error of all.
   * @returns The error, or `undefined` where there was none.
   */
  lastFailure(path?: string): VfsFailure | undefined {
    return path === undefined ? this.#lastFailure : this.#failures.get(path);
  }
}
