/** The host functions behind `sqlite3_io_methods`. @module */

import {
  type HostCall,
  type HostFunction,
  sync,
} from "../../engine/host_function.ts";
import type { LockLevel } from "../file_locks.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { fileControlMethod } from "./file_control.ts";
import {
  ABANDON,
  fileMethod,
  FINISH,
  syncMethod,
  takes,
  UNINTERRUPTED,
} from "./file_method.ts";
import type { IoMethodName } from "./struct_layout.ts";
import type { VfsState } from "./vfs_state.ts";

const OK = RESULT_CODES.SQLITE_OK;

/** `SQLITE_SYNC_DATAONLY`: metadata that reading does not need may stay behind. */
const SYNC_DATAONLY = 0x10;

/** What most disks write at once, and the page size of every usual file system. */
const SECTOR_SIZE = 4096;

/**
 * `SQLITE_IOCAP_POWERSAFE_OVERWRITE`, as SQLite's own unix VFS claims: a write that power fails
 * during does not harm the bytes around it. Nothing else is true of every disk.
 */
const DEVICE_CHARACTERISTICS = 0x800;

/**
 * The methods of `sqlite3_io_methods`.
 *
 * - Those that only look at memory never suspend; a write suspends only when the buffer is full, or
 *   when the database's journal must go first; unlocking only when something is buffered.
 * - A kill fails a read at once and a write after it was made. It does not fail what ends a
 *   transaction (`xSync`, `xTruncate`, `xUnlock`, `xClose`): a commit that is reported as failed has
 *   failed.
 *
 * @param state What the methods share.
 * @returns The host functions, by the struct's member.
 */
export function ioMethods(
  state: VfsState,
): Readonly<Record<IoMethodName, HostFunction>> {
  const { memory } = state;

  return {
    xClose: fileMethod(state, "close", UNINTERRUPTED, {
      type: [],
      attempt: (file, pointer: number) => {
        if (!file.volatile) return undefined;
        state.files.delete(pointer >>> 0);
        file.close();
        return OK;
      },
      wait: async (file, pointer: number) => {
        try {
          await file.close();
        } finally {
          state.files.delete(pointer >>> 0);
          if (file.path !== undefined) state.releaseGroup(file.path);
        }
        return OK;
      },
    }),

    xRead: fileMethod(state, "read", ABANDON, {
      type: ["i32", "i32", "i64"],
      attempt: (file, _pointer, to: number, length: number, from: bigint) => {
        const into = memory.bytes(to, length);
        const got = file.tryRead(into, Number(from));
        return got === undefined ? undefined : fillShortRead(into, got);
      },
      wait: async (
        file,
        _pointer,
        to: number,
        length: number,
        from: bigint,
        call: HostCall,
      ) => {
        // The guest's memory may move during the wait, or not be waiting for it any more.
        const scratch = new Uint8Array(length);
        const got = await file.read(scratch, Number(from));
        const code = fillShortRead(scratch, got);
        if (call.active) memory.bytes(to, length).set(scratch);
        return code;
      },
    }),

    xWrite: fileMethod(state, "write", FINISH, {
      type: ["i32", "i32", "i64"],
      attempt: (file, _pointer, from: number, length: number, to: bigint) =>
        file.tryWrite(memory.bytes(from, length), Number(to)) ? OK : undefined,
      wait: async (
        file,
        _pointer,
        from: number,
        length: number,
        to: bigint,
      ) => {
        await file.write(memory.bytes(from, length), Number(to));
        return OK;
      },
    }),

    xTruncate: fileMethod(state, "truncate", UNINTERRUPTED, {
      type: ["i64"],
      attempt: (file, _pointer, size: bigint) =>
        file.tryTruncate(Number(size)) ? OK : undefined,
      wait: async (file, _pointer, size: bigint) => {
        await file.truncate(Number(size));
        return OK;
      },
    }),

    xSync: fileMethod(state, "sync", UNINTERRUPTED, {
      type: ["i32"],
      attempt: (file) => file.volatile ? OK : undefined,
      wait: async (file, _pointer, flags: number) => {
        await file.sync((flags & SYNC_DATAONLY) !== 0);
        return OK;
      },
    }),

    xFileSize: fileMethod(state, "measure", ABANDON, {
      type: ["i32"],
      attempt: (file, _pointer, out: number) => {
        if (file.knownSize === undefined) return undefined;
        memory.writeInt64(out, BigInt(file.knownSize));
        return OK;
      },
      wait: async (file, _pointer, out: number, call: HostCall) => {
        const size = await file.size();
        if (call.active) memory.writeInt64(out, BigInt(size));
        return OK;
      },
    }),

    xLock: syncMethod(
      state,
      "lock",
      ["i32"],
      (file, _pointer, level: LockLevel) => file.lock(level),
    ),

    xUnlock: fileMethod(state, "unlock", UNINTERRUPTED, {
      type: ["i32"],
      attempt: (file, _pointer, level: LockLevel) => {
        if (!file.clean) return undefined;
        file.unlock(level);
        return OK;
      },
      wait: async (file, _pointer, level: LockLevel) => {
        try {
          // Whoever gets the lock next must see what was written under it.
          await file.flush();
        } finally {
          file.unlock(level);
        }
        return OK;
      },
    }),

    xCheckReservedLock: syncMethod(
      state,
      "lock",
      ["i32"],
      (file, _pointer, out: number) => {
        memory.writeInt32(out, file.checkReserved() ? 1 : 0);
        return OK;
      },
    ),

    xFileControl: fileControlMethod(state),

    xSectorSize: sync(() => SECTOR_SIZE, { type: takes("i32") }),

    xDeviceCharacteristics: sync(() => DEVICE_CHARACTERISTICS, {
      type: takes("i32"),
    }),
  };
}

/** SQLite wants zeros where the file ended too early, and to be told. */
function fillShortRead(into: Uint8Array, got: number): number {
  if (got === into.length) return OK;
  into.fill(0, got);
  return RESULT_CODES.SQLITE_IOERR_SHORT_READ;
}
