/** Calling back into a guest from a host function. @module */

import type { WasmValue } from "./host_function.ts";

/** Calls into the guest while the caller of a host function waits. */
export interface GuestCallbacks {
  /**
   * Calls an export of the guest, or a function of its table (a C function pointer).
   *
   * In an `interleaved` instance the callback is a greenlet of its own; elsewhere it runs on top
   * of the caller's stack, last in first out, and the caller does not resume before it has ended.
   *
   * @param target An export's name, or an index in the guest's function table.
   * @param args The arguments.
   * @returns The results.
   */
  callback(
    target: string | number,
    ...args: WasmValue[]
  ): Promise<WasmValue>;
}
