/** A guest without SQLite, for driving the VFS directly. @module */

import assert from "node:assert/strict";
import {
  type HostCall,
  type HostFunction,
  WOULD_BLOCK,
} from "../../src/engine/host_function.ts";
import { FileLocks, LOCK_LEVELS } from "../../src/sqlite/file_locks.ts";
import { GuestMemory } from "../../src/sqlite/vfs/guest_memory.ts";
import { OPEN_FLAGS } from "../../src/sqlite/vfs/open_flags.ts";
import { SqliteVfs } from "../../src/sqlite/vfs/sqlite_vfs.ts";
import type {
  IoMethodName,
  VfsMethodName,
} from "../../src/sqlite/vfs/struct_layout.ts";

export const { shared, reserved, exclusive, none } = LOCK_LEVELS;
export const { readOnly, readWrite, create, mainDatabase, mainJournal } =
  OPEN_FLAGS;
export const DATABASE = readWrite | create | mainDatabase;
export const JOURNAL = readWrite | create | mainJournal;
export const IO_METHODS = 0x1230;

/** Where the tests keep things in the guest's memory. */
export const [NAME, OUT, BUFFER, FILES] = [1024, 4096, 8192, 65536];

export type MethodName = VfsMethodName | IoMethodName;

/** Plays the guest and the engine: calls methods on a memory without any code. */
export class Guest {
  readonly memory = new WebAssembly.Memory({ initial: 4 });
  readonly guest = new GuestMemory(() => this.memory);
  readonly controller = new AbortController();
  readonly vfs: SqliteVfs;
  /** Whether the last call had to wait. */
  suspended = false;
  /** Whether calls are made as when the time slice is used up. */
  mustWait = false;
  active = true;

  constructor(locks = new FileLocks()) {
    this.vfs = new SqliteVfs({ memory: () => this.memory, locks });
    this.vfs.ioMethods = IO_METHODS;
  }

  get hostCall(): HostCall {
    const isActive = () => this.active;
    return {
      signal: this.controller.signal,
      get active() {
        return isActive();
      },
      callback: () => Promise.reject(new Error("No callbacks here")),
    };
  }

  async call(name: MethodName, ...args: (number | bigint)[]): Promise<number> {
    const method: HostFunction = this.vfs.methods[name];
    assert.equal(method.type?.params.length, args.length, name);
    this.suspended = false;
    if (method.kind === "sync") return method.call(...args);
    if (method.kind === "polling" && !this.mustWait) {
      const result = method.attempt(...args);
      if (result !== WOULD_BLOCK) return result;
    }
    this.suspended = true;
    return await method.wait(...args, this.hostCall);
  }

  async open(
    path: string | undefined,
    flags: number,
    index = 0,
  ): Promise<{ file: number; code: number; flags: number; methods: number }> {
    const file = FILES + index * 16;
    if (path !== undefined) this.guest.writeString(NAME, 2048, path);
    const name = path === undefined ? 0 : NAME;
    const code = await this.call("xOpen", 0, name, file, flags, OUT);
    return { file, code, flags: this.int32(OUT), methods: this.int32(file) };
  }

  async write(file: number, text: string, position: number): Promise<number> {
    const bytes = new TextEncoder().encode(text);
    this.guest.bytes(BUFFER, bytes.length).set(bytes);
    const code = await this.call(
      "xWrite",
      file,
      BUFFER,
      bytes.length,
      BigInt(position),
    );
    // Whatever the guest does with its buffer next must not matter.
    this.guest.bytes(BUFFER, bytes.length).fill(0xff);
    return code;
  }

  async read(
    file: number,
    length: number,
    position: number,
  ): Promise<{ code: number; text: string }> {
    this.guest.bytes(BUFFER, length).fill(0xff);
    const code = await this.call(
      "xRead",
      file,
      BUFFER,
      length,
      BigInt(position),
    );
    const bytes = this.guest.bytes(BUFFER, length).slice();
    return { code, text: new TextDecoder().decode(bytes) };
  }

  async size(file: number): Promise<number> {
    assert.equal(await this.call("xFileSize", file, OUT), 0);
    return Number(new DataView(this.memory.buffer).getBigInt64(OUT, true));
  }

  async access(path: string, question = 0): Promise<number> {
    this.guest.writeString(NAME, 2048, path);
    assert.equal(await this.call("xAccess", 0, NAME, question, OUT), 0);
    return this.int32(OUT);
  }

  delete(path: string): Promise<number> {
    this.guest.writeString(NAME, 2048, path);
    return this.call("xDelete", 0, NAME, 1);
  }

  int32(pointer: number): number {
    return new DataView(this.memory.buffer).getInt32(pointer, true);
  }
}

export async function withGuest(
  run: (guest: Guest, path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const guest = new Guest();
    await using _vfs = guest.vfs;
    await run(guest, `${await Deno.realPath(directory)}/x.db`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
