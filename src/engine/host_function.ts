/**
 * Host functions: what a guest imports, each with a kind that says whether it may block.
 *
 * The kind is data, never guessed from the function: {@linkcode sync} functions return at once,
 * {@linkcode suspending} ones always suspend their greenlet, {@linkcode polling} ones suspend only
 * when an attempt finds nothing ready.
 *
 * @module
 */

import type { GuestCallbacks } from "./callbacks.ts";

/** A WebAssembly value as JavaScript sees it: `i64` is a bigint, references are anything. */
// deno-lint-ignore no-explicit-any -- typed by the guest's signature, which TypeScript cannot see
export type WasmValue = any;

/** What a host function returns: nothing, one value, or an array for several results. */
export type HostResult = WasmValue | void;

/** A value type that can cross between a guest and JavaScript. */
export type HostValueType =
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "externref"
  | "funcref";

/** The WebAssembly signature of a host function. */
export interface HostFunctionType {
  /** The parameters' types, in order. */
  readonly params: readonly HostValueType[];
  /** The results' types, in order. */
  readonly results: readonly HostValueType[];
}

/**
 * One call of a suspending or polling host function, handed to it as its last argument, if it
 * declares one parameter more than the guest passes.
 */
export interface HostCall extends GuestCallbacks {
  /** Aborted when the greenlet is killed or timed out during this call, or the library closes. */
  readonly signal: AbortSignal;
  /**
   * Whether the guest still waits for this call. Once false, the guest runs on: its memory must
   * not be written any more.
   */
  readonly active: boolean;
}

/** What happens to a call of a host function when its greenlet is killed or timed out. */
export interface InterruptOptions {
  /**
   * The result that the guest gets from the call that a kill or a timeout hits, typically an error
   * code. Without it the call cannot fail softly: in mode `errno` it runs to its end and the
   * next call that can fail does.
   */
  readonly interrupted?: (reason: Error) => HostResult;
  /**
   * `abandon` answers the guest at once and ignores what the function does later; `finish` lets
   * the function run to its end first, for work that must not be orphaned, such as a write.
   *
   * @default {"abandon"}
   */
  readonly onInterrupt?: "abandon" | "finish";
}

/** Options of {@linkcode sync}. */
export interface SyncOptions {
  /** The signature. Needed only where the guest's bytes are not at hand to read it from. */
  readonly type?: HostFunctionType;
}

/** Options of {@linkcode suspending} and {@linkcode polling}. */
export interface SuspendingOptions extends SyncOptions, InterruptOptions {
  /**
   * Whether the function gets a {@linkcode HostCall} after the guest's arguments. Say so where the
   * number of its declared parameters does not tell, as in a wrapper with rest parameters.
   *
   * @default {whether it declares more parameters than the guest passes}
   */
  readonly takesCall?: boolean | undefined;
}

/** The functions of a polling host function. */
export interface PollingFunctions {
  /**
   * Tries without waiting. Returns the result when there is one, {@linkcode WOULD_BLOCK} when the
   * greenlet has to wait. Never called when the time slice is used up.
   */
  readonly attempt: (...args: WasmValue[]) => HostResult | typeof WOULD_BLOCK;
  /** Waits, then returns the result. Gets a {@linkcode HostCall} as its last argument, if it declares one. */
  readonly wait: (...args: WasmValue[]) => HostResult | PromiseLike<HostResult>;
}

/** What `attempt` of a {@linkcode polling} host function returns when the result is not ready. */
export const WOULD_BLOCK: unique symbol = Symbol("hedgesnake.would-block");

/** A host function that returns at once. */
export interface SyncFunction {
  /** Discriminates the kinds. */
  readonly kind: "sync";
  /** The function itself. */
  readonly call: (...args: WasmValue[]) => HostResult;
  /** The signature, where it was declared. */
  readonly type: HostFunctionType | undefined;
}

/** A host function that suspends the calling greenlet until its promise settles. */
export interface SuspendingFunction {
  /** Discriminates the kinds. */
  readonly kind: "suspending";
  /** The function itself; a {@linkcode HostCall} is its last argument, if declared. */
  readonly wait: (...args: WasmValue[]) => HostResult | PromiseLike<HostResult>;
  /** The signature, where it was declared. */
  readonly type: HostFunctionType | undefined;
  /** Whether it gets a {@linkcode HostCall}; `undefined`: if it declares a parameter for it. */
  readonly takesCall: boolean | undefined;
  /** What a kill or a timeout does to a call. */
  readonly interrupt: InterruptOptions;
}

/** A host function that suspends only when its attempt finds nothing ready. */
export interface PollingFunction {
  /** Discriminates the kinds. */
  readonly kind: "polling";
  /** Tries without waiting. */
  readonly attempt: PollingFunctions["attempt"];
  /** Waits, then returns the result; a {@linkcode HostCall} is its last argument, if declared. */
  readonly wait: PollingFunctions["wait"];
  /** The signature, where it was declared. */
  readonly type: HostFunctionType | undefined;
  /** Whether it gets a {@linkcode HostCall}; `undefined`: if it declares a parameter for it. */
  readonly takesCall: boolean | undefined;
  /** What a kill or a timeout does to a call. */
  readonly interrupt: InterruptOptions;
}

/** A function that a guest can import. */
export type HostFunction = SyncFunction | SuspendingFunction | PollingFunction;

/**
 * A host function that never blocks. A plain JavaScript function in an import table means the same.
 *
 * Returning a promise from it is an error: the guest would get nonsense.
 *
 * @param call The function; it gets the guest's arguments.
 * @param options The signature, where the guest's bytes are not at hand.
 * @returns The entry for an import table.
 */
export function sync(
  call: (...args: WasmValue[]) => HostResult,
  options: SyncOptions = {},
): SyncFunction {
  return { kind: "sync", call, type: options.type };
}

/**
 * A host function that may block: the guest's greenlet is suspended until its promise settles,
 * and the guest sees an ordinary call that returns the value or throws. When it returns no
 * promise, the greenlet gives way to all that is ready and goes on with the value.
 *
 * @param wait The function; it gets the guest's arguments and, if it declares one parameter more
 * than those, a {@linkcode HostCall}.
 * @param options The signature, and what a kill or a timeout does to a call.
 * @returns The entry for an import table.
 */
export function suspending(
  wait: (...args: WasmValue[]) => HostResult | PromiseLike<HostResult>,
  options: SuspendingOptions = {},
): SuspendingFunction {
  return {
    kind: "suspending",
    wait,
    type: options.type,
    takesCall: options.takesCall,
    interrupt: options,
  };
}

/**
 * A host function that usually has its result at hand: `attempt` is an ordinary call that costs
 * tens of nanoseconds, and only when it returns {@linkcode WOULD_BLOCK} is the greenlet suspended
 * in `wait`.
 *
 * When the time slice of the hub is used up, `attempt` is skipped, so that a guest whose data is
 * always ready cannot starve the event loop.
 *
 * @param functions The two halves.
 * @param options The signature, and what a kill or a timeout does to a call.
 * @returns The entry for an import table.
 */
export function polling(
  functions: PollingFunctions,
  options: SuspendingOptions = {},
): PollingFunction {
  return {
    kind: "polling",
    attempt: functions.attempt,
    wait: functions.wait,
    type: options.type,
    takesCall: options.takesCall,
    interrupt: options,
  };
}
