/** Building host functions whose first argument is an open file. @module */

import {
  type HostFunction,
  type HostFunctionType,
  type HostValueType,
  type InterruptOptions,
  polling,
  sync,
  type WasmValue,
  WOULD_BLOCK,
} from "../../engine/host_function.ts";
import { RESULT_CODES } from "../result_codes.ts";
import type { VfsOperation } from "./error_codes.ts";
import type { VfsFile } from "./vfs_file.ts";
import type { VfsState } from "./vfs_state.ts";

/** A call that a kill fails softly, at once; what it still does harms nobody. */
export const ABANDON: InterruptOptions = {
  interrupted: (): number => RESULT_CODES.SQLITE_INTERRUPT,
  onInterrupt: "abandon",
};

/** A call that a kill fails softly, once it is done. */
export const FINISH: InterruptOptions = {
  interrupted: (): number => RESULT_CODES.SQLITE_INTERRUPT,
  onInterrupt: "finish",
};

/** A call that a kill must not fail: SQLite could not undo what it does, or would leak a lock. */
export const UNINTERRUPTED: InterruptOptions = { onInterrupt: "finish" };

/** What a method does with an open file; the arguments are those of the guest. */
export interface FileMethod {
  /** The arguments' types, after the file's. */
  readonly type: readonly HostValueType[];
  /** Does it all without waiting, or nothing: then it returns `undefined`. */
  readonly attempt: (
    file: VfsFile,
    ...args: WasmValue[]
  ) => number | undefined;
  /** Does it all, whatever `attempt` would have said; gets the call as its last argument. */
  readonly wait: (file: VfsFile, ...args: WasmValue[]) => Promise<number>;
}

/**
 * A method that may have to wait. Errors become result codes.
 *
 * @param state The VFS's state.
 * @param operation What SQLite asks for.
 * @param interrupt What a kill does.
 * @param method The two halves.
 * @returns The host function.
 */
export function fileMethod(
  state: VfsState,
  operation: VfsOperation,
  interrupt: InterruptOptions,
  method: FileMethod,
): HostFunction {
  const { type, attempt, wait } = method;
  return polling({
    attempt: (pointer: number, ...args: WasmValue[]) => {
      const file = state.files.get(pointer >>> 0);
      try {
        const result = attempt(file ?? missing(pointer), pointer, ...args);
        return result === undefined ? WOULD_BLOCK : result;
      } catch (error) {
        return state.fail(operation, file?.path, error);
      }
    },
    wait: async (pointer: number, ...args: WasmValue[]) => {
      const file = state.files.get(pointer >>> 0);
      try {
        return await wait(file ?? missing(pointer), pointer, ...args);
      } catch (error) {
        return state.fail(operation, file?.path, error);
      }
    },
  }, { type: takes("i32", ...type), takesCall: true, ...interrupt });
}

/**
 * A method that never waits. Errors become result codes.
 *
 * @param state The VFS's state.
 * @param operation What SQLite asks for.
 * @param type The arguments' types, after the file's.
 * @param call What it does.
 * @returns The host function.
 */
export function syncMethod(
  state: VfsState,
  operation: VfsOperation,
  type: readonly HostValueType[],
  call: (file: VfsFile, ...args: WasmValue[]) => number,
): HostFunction {
  return sync((pointer: number, ...args: WasmValue[]) => {
    const file = state.files.get(pointer >>> 0);
    try {
      return call(file ?? missing(pointer), pointer, ...args);
    } catch (error) {
      return state.fail(operation, file?.path, error);
    }
  }, { type: takes("i32", ...type) });
}

/**
 * The signature of a method, which returns a result code.
 *
 * @param params The arguments' types.
 * @returns The signature.
 */
export function takes(...params: HostValueType[]): HostFunctionType {
  return { params, results: ["i32"] };
}

function missing(pointer: number): never {
  throw new ReferenceError(`No file is open at ${pointer >>> 0}`);
}
