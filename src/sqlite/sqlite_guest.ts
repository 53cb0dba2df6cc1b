/**
 * The instance of SQLite that all databases of a thread share.
 *
 * One instance runs any number of databases at once, each call on a stack segment of its own.
 * SQLite is built without mutexes, so a connection runs one call at a time; different connections
 * share little more than the allocator, and no call is suspended in there.
 *
 * @module
 */

import { InternalError } from "../errors.ts";
import { Guest } from "../engine/guest.ts";
import { adoptModule } from "../engine/guest_module.ts";
import type { Hub } from "../greenlet/hub.ts";
import { threadHub } from "../host/thread_hub.ts";
import { type Companion, createCompanion } from "./companion/companion.ts";
import { Handlers } from "./handlers.ts";
import { resultCodeName } from "./result_codes.ts";
import sqlite3Module from "./sqlite3_module.js";
import { sqliteImports, sqliteMemory } from "./sqlite_imports.ts";
import { GuestMemory } from "./vfs/guest_memory.ts";
import { SqliteVfs } from "./vfs/sqlite_vfs.ts";
import { sizeOfVfsStructs, writeVfsStructs } from "./vfs/struct_layout.ts";
import {
  type GuestAllocator,
  guestAllocator,
  MemoryViews,
  WorkAreas,
} from "./work_area.ts";

const VFS_NAME = "hedgesnake";

/**
 * The stack of a call, in bytes. SQLite recurses on nested SQL: 500 selects joined by UNION take
 * 178,000 bytes, the worst that was found within its limits (900 nested BETWEENs) 664,000. Memory
 * that a call does not touch costs nothing.
 */
const STACK_SIZE = 786_432;

let shared: SqliteGuest | undefined;

/**
 * The thread's instance, made when first asked for. One that trapped is replaced: its databases
 * are lost to their users, but their files are closed and their locks released.
 */
export function sqliteGuest(): SqliteGuest {
  const { tainted } = shared?.guest ?? {};
  if (shared === undefined || tainted !== undefined) {
    // Nobody is left who could be told of a file that does not close.
    shared?.vfs.closeAll().catch(() => {});
    shared = new SqliteGuest(threadHub());
  }
  return shared;
}

/** An instance of SQLite with its files and its companion. */
export class SqliteGuest {
  /** The instance. */
  readonly guest: Guest;
  /** Its files. */
  readonly vfs: SqliteVfs;
  /** Its memory, for strings. */
  readonly memory: GuestMemory;
  /** Its memory, for numbers. */
  readonly views: MemoryViews;
  /** Its allocator. */
  readonly allocator: GuestAllocator;
  /** Functions of ours that call many of SQLite's at once. */
  readonly companion: Companion;
  /** Memory for parameters and rows. */
  readonly workAreas: WorkAreas;
  /** What SQLite calls back. */
  readonly handlers: Handlers = new Handlers();
  /** The function pointers of the handlers. */
  readonly handlerPointers: Readonly<Record<"progress" | "busy", number>>;

  /**
   * Instantiates SQLite on a hub.
   *
   * @throws {UnsupportedRuntimeError} When the runtime has no JavaScript Promise Integration.
   */
  constructor(hub: Hub) {
    const memory = sqliteMemory();
    const guest = this.guest = new Guest(
      hub,
      adoptModule(sqlite3Module),
      sqliteImports(sqlite3Module, memory),
      { concurrency: "interleaved", killMode: "errno", stackSize: STACK_SIZE },
    );
    guest.call("__wasm_call_ctors");
    this.memory = new GuestMemory(() => memory);
    this.allocator = guestAllocator(
      (size) => guest.call("malloc", size),
      (address) => void guest.call("free", address),
    );
    this.views = new MemoryViews(memory);
    this.workAreas = new WorkAreas(this.allocator, this.views);
    this.companion = createCompanion(guest.exports, memory);
    const pointers = guest.addFunctions(this.handlers.functions);
    this.handlerPointers = {
      progress: pointers.progress!,
      busy: pointers.busy!,
    };
    this.vfs = new SqliteVfs({ memory: () => memory });
    this.#registerVfs(memory);
  }

  /** Calls a function of SQLite that never suspends. */
  call(name: string, ...args: number[]): number {
    return this.guest.call(`sqlite3_${name}`, ...args);
  }

  /** A word of the memory, at an address that is a multiple of 4. */
  readWord(address: number): number {
    return this.views.refresh().words[address >>> 2]!;
  }

  #registerVfs(memory: WebAssembly.Memory): void {
    const { guest, vfs } = this;
    const functions = guest.addFunctions(vfs.methods) as Record<
      keyof typeof vfs.methods,
      number
    >;
    const address = this.allocator.allocate(sizeOfVfsStructs(VFS_NAME));
    const structs = writeVfsStructs(memory, address, {
      name: VFS_NAME,
      functions,
    });
    vfs.ioMethods = structs.ioMethods;
    const code = this.call("initialize") ||
      this.call("vfs_register", structs.vfs, 1);
    if (code !== 0) {
      throw new InternalError(
        `Cannot start SQLite: it answers ${resultCodeName(code)}`,
      );
    }
  }
}
