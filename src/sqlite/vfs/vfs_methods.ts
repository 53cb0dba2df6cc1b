/** The host functions behind `sqlite3_vfs`. @module */

import * as fs from "node:fs";
import {
  type HostCall,
  type HostFunction,
  polling,
  suspending,
  sync,
  WOULD_BLOCK,
} from "../../engine/host_function.ts";
import { errorCode } from "../../host/file_error.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { syncDirectoryOf } from "./directory.ts";
import { ABANDON, takes, UNINTERRUPTED } from "./file_method.ts";
import { MemoryFile } from "./memory_file.ts";
import { openDiskFile } from "./open_file.ts";
import { isTransient } from "./open_flags.ts";
import { fullPathOf } from "./path_name.ts";
import type { VfsMethodName } from "./struct_layout.ts";
import type { VfsState } from "./vfs_state.ts";

const OK = RESULT_CODES.SQLITE_OK;

/** What `xAccess` may ask, besides whether the file exists. */
const ACCESS_READWRITE = 1;
const ACCESS_READ = 2;

/** The Julian day of 1970-01-01, and its milliseconds. */
const UNIX_EPOCH_DAY = 2440587.5;
const UNIX_EPOCH_MS = 210866760000000n;
const MS_A_DAY = 86400000;

/** `crypto.getRandomValues` gives no more at once. */
const RANDOM_CHUNK = 65536;

/**
 * The methods of `sqlite3_vfs`.
 *
 * A kill does not fail `xOpen`, which would leak the file, nor `xDelete`, which commits: both run to
 * their end.
 *
 * @param state What the methods share.
 * @returns The host functions, by the struct's member.
 */
export function vfsMethods(
  state: VfsState,
): Readonly<Record<VfsMethodName, HostFunction>> {
  const { memory } = state;
  return {
    xOpen: openMethod(state),

    xDelete: suspending(
      (_vfs: number, name: number, syncDirectory: number) =>
        deleteFile(state, memory.string(name) ?? "", syncDirectory !== 0),
      { type: takes("i32", "i32", "i32"), ...UNINTERRUPTED },
    ),

    xAccess: suspending(
      async (
        _vfs: number,
        name: number,
        question: number,
        out: number,
        call: HostCall,
      ) => {
        const path = memory.string(name) ?? "";
        try {
          const answer = await mayAccess(path, question);
          if (call.active) memory.writeInt32(out, answer ? 1 : 0);
          return OK;
        } catch (error) {
          return state.fail("access", path, error);
        }
      },
      { type: takes("i32", "i32", "i32", "i32"), ...ABANDON },
    ),

    xFullPathname: suspending(
      async (
        _vfs: number,
        name: number,
        capacity: number,
        out: number,
        call: HostCall,
      ) => {
        const given = memory.string(name) ?? "";
        try {
          const { path, isLink } = await fullPathOf(given);
          if (!call.active) return OK;
          if (!memory.writeString(out, capacity, path)) {
            throw new RangeError(
              `Cannot open '${path}': the path is longer than ${
                capacity - 1
              } bytes`,
            );
          }
          return isLink ? RESULT_CODES.SQLITE_OK_SYMLINK : OK;
        } catch (error) {
          return state.fail("fullPath", given, error);
        }
      },
      { type: takes("i32", "i32", "i32", "i32"), ...ABANDON },
    ),

    xRandomness: sync((_vfs: number, length: number, out: number) => {
      for (let done = 0; done < length; done += RANDOM_CHUNK) {
        const chunk = new Uint8Array(Math.min(RANDOM_CHUNK, length - done));
        // Not straight into the guest, whose memory may be shared.
        memory.bytes(out + done, chunk.length).set(
          crypto.getRandomValues(chunk),
        );
      }
      return length;
    }, { type: takes("i32", "i32", "i32") }),

    xSleep: suspending(
      (_vfs: number, microseconds: number, call: HostCall) =>
        sleep(microseconds, call.signal),
      {
        type: takes("i32", "i32"),
        interrupted: () => 0,
        onInterrupt: "abandon",
      },
    ),

    xCurrentTime: sync((_vfs: number, out: number) => {
      memory.writeFloat64(out, Date.now() / MS_A_DAY + UNIX_EPOCH_DAY);
      return OK;
    }, { type: takes("i32", "i32") }),

    xGetLastError: sync(() => state.lastErrno, {
      type: takes("i32", "i32", "i32"),
    }),

    xCurrentTimeInt64: sync((_vfs: number, out: number) => {
      memory.writeInt64(out, BigInt(Date.now()) + UNIX_EPOCH_MS);
      return OK;
    }, { type: takes("i32", "i32") }),
  };
}

function openMethod(state: VfsState): HostFunction {
  const { memory } = state;

  function report(
    pointer: number,
    outFlags: number,
    flags: number | undefined,
  ): void {
    // SQLite closes only what has methods, also after an xOpen that failed.
    memory.writeInt32(pointer, flags === undefined ? 0 : state.ioMethods);
    if (outFlags !== 0) memory.writeInt32(outFlags, flags ?? 0);
  }

  function openInMemory(pointer: number, flags: number, out: number): number {
    state.files.set(pointer >>> 0, new MemoryFile());
    report(pointer, out, flags);
    return OK;
  }

  return polling({
    attempt: (
      _vfs: number,
      name: number,
      pointer: number,
      flags: number,
      out: number,
    ) => {
      const transient = isTransient(flags, name === 0 ? undefined : "");
      return transient ? openInMemory(pointer, flags, out) : WOULD_BLOCK;
    },
    wait: async (
      _vfs: number,
      name: number,
      pointer: number,
      flags: number,
      out: number,
      call: HostCall,
    ) => {
      const path = memory.string(name);
      if (path === undefined || isTransient(flags, path)) {
        return openInMemory(pointer, flags, out);
      }
      const result = await openDiskFile(state, path, flags);
      if ("code" in result) {
        if (call.active) report(pointer, out, undefined);
        return result.code;
      }
      if (call.active) {
        state.files.set(pointer >>> 0, result.file);
        report(pointer, out, result.flags);
        return OK;
      }
      // Nobody will ever close it: the guest was torn down meanwhile.
      await result.file.close();
      state.releaseGroup(path);
      return RESULT_CODES.SQLITE_INTERRUPT;
    },
  }, { type: takes("i32", "i32", "i32", "i32", "i32"), ...UNINTERRUPTED });
}

async function deleteFile(
  state: VfsState,
  path: string,
  syncDirectory: boolean,
): Promise<number> {
  try {
    // Without its journal a change cannot be undone, so the change must have been made.
    await state.groupOf(path).flush();
    state.releaseGroup(path);
    if ((await Deno.lstat(path)).isDirectory) {
      throw new Deno.errors.IsADirectory(
        `Cannot delete '${path}': the path is a directory`,
      );
    }
    await Deno.remove(path);
  } catch (error) {
    return state.fail("delete", path, error);
  }
  try {
    if (syncDirectory) await syncDirectoryOf(path);
    return OK;
  } catch (error) {
    return state.fail("syncDirectory", path, error);
  }
}

async function mayAccess(path: string, question: number): Promise<boolean> {
  try {
    if (question === ACCESS_READWRITE || question === ACCESS_READ) {
      const { R_OK, W_OK } = fs.constants;
      const mode = question === ACCESS_READ ? R_OK : R_OK | W_OK;
      await fs.promises.access(path, mode);
      return true;
    }
    const status = await Deno.stat(path);
    // An empty file counts as none: a journal without a header has nothing to roll back.
    return !status.isFile || status.size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const code = errorCode(error);
    if (question === ACCESS_READWRITE || question === ACCESS_READ) return false;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

/** Waits, or ends early with the signal; tells the microseconds that passed. */
function sleep(microseconds: number, signal: AbortSignal): Promise<number> {
  const start = performance.now();
  return new Promise((resolve) => {
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve(Math.round((performance.now() - start) * 1000));
    }
    const timer = setTimeout(end, Math.ceil(microseconds / 1000));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}
