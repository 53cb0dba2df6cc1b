/** `xFileControl`: what SQLite tells and asks besides reading and writing. @module */

import type { HostCall, HostFunction } from "../../engine/host_function.ts";
import { RESULT_CODES } from "../result_codes.ts";
import { fileMethod, UNINTERRUPTED } from "./file_method.ts";
import type { VfsFile } from "./vfs_file.ts";
import type { VfsState } from "./vfs_state.ts";

const OK = RESULT_CODES.SQLITE_OK;

/** `SQLITE_FCNTL_…`, from https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html. */
const CONTROLS = {
  lockState: 1,
  lastErrno: 4,
  sizeHint: 5,
  hasMoved: 20,
  sync: 21,
  commitPhaseTwo: 22,
} as const;

/**
 * The method. Unknown controls get `SQLITE_NOTFOUND`.
 *
 * SQLite sends `sync` and `commitPhaseTwo` also where `PRAGMA synchronous` is off and no `xSync`
 * comes: what it reports as committed has then reached the operating system, and survives the end of
 * the process.
 *
 * @param state The VFS's state.
 * @returns The host function.
 */
export function fileControlMethod(state: VfsState): HostFunction {
  function attempt(
    file: VfsFile,
    _pointer: number,
    control: number,
    argument: number,
  ): number | undefined {
    switch (control) {
      case CONTROLS.lockState:
        state.memory.writeInt32(argument, file.lockLevel);
        return OK;
      case CONTROLS.lastErrno:
        state.memory.writeInt32(argument, state.lastErrno);
        return OK;
      case CONTROLS.hasMoved:
        if (!file.volatile) return undefined;
        state.memory.writeInt32(argument, 0);
        return OK;
      case CONTROLS.sync:
      case CONTROLS.commitPhaseTwo:
        return file.clean ? OK : undefined;
      case CONTROLS.sizeHint:
        return OK;
      default:
        return RESULT_CODES.SQLITE_NOTFOUND;
    }
  }

  async function wait(
    file: VfsFile,
    pointer: number,
    control: number,
    argument: number,
    call: HostCall,
  ): Promise<number> {
    const answer = attempt(file, pointer, control, argument);
    if (answer !== undefined) return answer;
    if (control === CONTROLS.hasMoved) {
      const moved = await file.hasMoved();
      if (call.active) state.memory.writeInt32(argument, moved ? 1 : 0);
    } else {
      await file.flush();
    }
    return OK;
  }

  const type = ["i32", "i32"] as const;
  return fileMethod(state, "control", UNINTERRUPTED, { type, attempt, wait });
}
