/**
 * Synchronous libraries compiled to WebAssembly, unmodified, inside Deno's event loop: a call that
 * would block suspends only its own greenlet, and outside it is a promise.
 *
 * @example
 * ```ts
 * import { load, sleep, suspending } from "@hedgesnake/greenlet";
 *
 * // (import "env" "sleep" (func (param i32))) (func (export "nap") … call 0 three times)
 * const nap = Uint8Array.fromBase64(
 *   "AGFzbQEAAAABCAJgAX8AYAAAAg0BA2VudgVzbGVlcAAAAwIBAQcHAQNuYXAAAQoQAQ4AQQEQAEEBEABBARAACw==",
 * );
 * await using library = await load<{ nap(): void }>(nap, {
 *   imports: {
 *     env: { sleep: suspending((ms, { signal }) => sleep(ms, { signal })) },
 *   },
 *   concurrency: "interleaved",
 * });
 * await Promise.all(Array.from({ length: 100 }, () => library.exports.nap()));
 * ```
 *
 * @module
 */

export * from "./src/errors.ts";
export type {
  Concurrency,
  GuestOptions,
  KillMode,
} from "./src/engine/guest_options.ts";
export type {
  MemoryRange,
  SwitchedState,
} from "./src/engine/switched_state.ts";
export type { GuestCallbacks } from "./src/engine/callbacks.ts";
export type { HostImport, HostImports } from "./src/engine/guest_imports.ts";
export {
  type HostCall,
  type HostFunction,
  type HostFunctionType,
  type HostResult,
  type HostValueType,
  type InterruptOptions,
  polling,
  type PollingFunction,
  type PollingFunctions,
  suspending,
  type SuspendingFunction,
  type SuspendingOptions,
  sync,
  type SyncFunction,
  type SyncOptions,
  type WasmValue,
  WOULD_BLOCK,
} from "./src/engine/host_function.ts";
export type { AllocatorNames } from "./src/engine/stack_segments.ts";
export {
  Greenlet,
  type GreenletBody,
  type GreenletState,
  type KillOptions,
  type SpawnOptions,
} from "./src/greenlet/greenlet.ts";
export type { GreenletOutcome } from "./src/greenlet/outcome.ts";
export type { LinkCallback } from "./src/greenlet/links.ts";
export { Timeout } from "./src/greenlet/timeout.ts";
export type { WaitOptions } from "./src/greenlet/sync/wait_options.ts";
export {
  withTimeout,
  type WithTimeoutOptions,
} from "./src/greenlet/with_timeout.ts";
export {
  iwait,
  type Linkable,
  type Ready,
  type ReadyIterator,
  type WaitAllOptions,
} from "./src/greenlet/iwait.ts";
export {
  joinAll,
  type JoinAllOptions,
  killAll,
  type KillAllOptions,
  wait,
} from "./src/greenlet/wait_all.ts";
export { waitFor } from "./src/greenlet/wait_for.ts";
export { idle } from "./src/greenlet/idle.ts";
export type {
  GreenletSet,
  JoinSetOptions,
  KillSetOptions,
  Spawned,
} from "./src/greenlet/greenlet_set.ts";
export type {
  MapBody,
  MapInput,
  MapOptions,
  ResultIterator,
} from "./src/greenlet/result_iterator.ts";
export { Group } from "./src/greenlet/group.ts";
export { Pool, type PoolSpawnOptions } from "./src/greenlet/pool.ts";
export { type Scope, scope } from "./src/greenlet/scope.ts";
export { GreenletLocal } from "./src/greenlet/local.ts";
export {
  configureGreenlets,
  getCurrent,
  type GreenletsOptions,
  sleep,
  type SleepOptions,
  spawn,
  spawnLater,
} from "./src/host/greenlets.ts";
export type {
  CloseOptions,
  GreenletExports,
  GuestExports,
  GuestHandle,
  ImportsOption,
  Library,
  LibraryOptions,
} from "./src/library/library.ts";
export type { GuestSource } from "./src/library/source.ts";
export type { BlockedGreenlet, LibraryStats } from "./src/library/stats.ts";
export { load, type LoadLimits, type LoadOptions } from "./src/load.ts";
