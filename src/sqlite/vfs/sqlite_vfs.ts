/**
 * A VFS for SQLite in WebAssembly, over Deno's files. Put its methods into the guest's function
 * table, write the structs with {@linkcode writeVfsStructs}, call `sqlite3_vfs_register`.
 *
 * @module
 */

import type { HostFunction } from "../../engine/host_function.ts";
import { ioMethods } from "./io_methods.ts";
import type { IoMethodName, VfsMethodName } from "./struct_layout.ts";
import { vfsMethods } from "./vfs_methods.ts";
import { type VfsFailure, type VfsOptions, VfsState } from "./vfs_state.ts";

export type { VfsFailure, VfsOptions } from "./vfs_state.ts";

/** The VFS of one guest. */
export class SqliteVfs implements AsyncDisposable {
  /** The methods of both structs, by the struct's member. */
  readonly methods: Readonly<
    Record<VfsMethodName | IoMethodName, HostFunction>
  >;
  readonly #state: VfsState;

  /**
   * A VFS without open files.
   *
   * @param options The guest's memory.
   */
  constructor(options: VfsOptions) {
    this.#state = new VfsState(options);
    this.methods = Object.freeze({
      ...vfsMethods(this.#state),
      ...ioMethods(this.#state),
    });
  }

  /** Where the guest has the `sqlite3_io_methods`; set it before SQLite opens the first file. */
  get ioMethods(): number {
    return this.#state.ioMethods;
  }

  set ioMethods(pointer: number) {
    this.#state.ioMethods = pointer;
  }

  /** How many files are open, those in memory included. 0 when every database was closed. */
  get openFiles(): number {
    return this.#state.files.size;
  }

  /**
   * What the runtime threw when SQLite was last given an error code.
   *
   * Compare the code with the one that SQLite reports before you believe that it is the cause: not
   * every error comes from a file.
   *
   * @param path The database's full path; without it, the last error of all databases.
   * @returns The error, or `undefined` where there was none.
   */
  lastError(path?: string): VfsFailure | undefined {
    return this.#state.lastFailure(path);
  }

  /**
   * Closes what a guest that died left open, and releases its locks.
   *
   * @throws The first error, when all files are closed.
   */
  async closeAll(): Promise<void> {
    const files = [...this.#state.files.values()];
    this.#state.files.clear();
    const results = await Promise.allSettled(files.map((file) => file.close()));
    for (const file of files) {
      if (file.path !== undefined) this.#state.releaseGroup(file.path);
    }
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  /** Closes everything, as {@linkcode SqliteVfs.closeAll} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.closeAll();
  }
}
