/** Loading a guest. @module */

import { threadHub } from "./host/thread_hub.ts";
import {
  type GuestExports,
  Library,
  type LibraryOptions,
} from "./library/library.ts";
import { type GuestSource, readGuest } from "./library/source.ts";

/** What a library may use at most. */
export interface LoadLimits {
  /** The size that the guest's memory may grow to, in bytes. By default what the guest says. */
  readonly maxMemory?: number;
}

/** Options of {@linkcode load}. */
export interface LoadOptions extends LibraryOptions {
  /** What the library may use at most. */
  readonly limits?: LoadLimits;
}

/**
 * Loads a synchronous library that was compiled to WebAssembly. Its calls look synchronous to
 * itself and are promises outside: where it would block, only the calling greenlet waits.
 *
 * @example
 * ```ts
 * import { load, sleep, suspending } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * // (import "env" "sleep" (func (param i32))) (func (export "nap") … call 0 three times)
 * const nap = Uint8Array.fromBase64(
 *   "AGFzbQEAAAABCAJgAX8AYAAAAg0BA2VudgVzbGVlcAAAAwIBAQcHAQNuYXAAAQoQAQ4AQQEQAEEBEABBARAACw==",
 * );
 * await using library = await load<{ nap(): void }>(nap, {
 *   imports: {
 *     env: { sleep: suspending((ms, { signal }) => sleep(ms, { signal })) },
 *   },
 * });
 * const call = library.exports.nap();
 * assert.equal(call.state, "queued");
 * await call;
 * ```
 *
 * @typeParam E The guest's functions, for typed calls.
 * @param source The guest's code.
 * @param options Its imports, how many greenlets may run in it, its limits.
 * @returns The library.
 * @throws {InvalidModuleError} When the source is not a core WebAssembly module.
 * @throws {ResourceBrokenError} When it cannot be fetched.
 * @throws {MissingImportError} When nobody provides an import; all are listed.
 * @throws {UnsupportedGuestError} When the guest cannot run as the options ask.
 * @throws {RangeError} When a number in the options is out of range.
 * @throws {UnsupportedRuntimeError} When the runtime cannot suspend WebAssembly.
 */
export async function load<E = GuestExports>(
  source: GuestSource | PromiseLike<GuestSource>,
  options: LoadOptions = {},
): Promise<Library<E>> {
  const guest = await readGuest(await source, {
    maxMemory: options.limits?.maxMemory,
  });
  return await Library.open<E>(threadHub(), guest, options);
}
