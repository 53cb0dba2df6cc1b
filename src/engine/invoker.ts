/** Calling host functions without collecting their arguments in arrays. @module */

import type { GuestWait } from "./guest_wait.ts";
import type {
  InterruptOptions,
  PollingFunction,
  SuspendingFunction,
  WasmValue,
} from "./host_function.ts";

type Call = (...args: WasmValue[]) => WasmValue;

/** Calls a host function with its arguments and, last, the wait. */
export type Invoke = (wait: GuestWait, ...args: WasmValue[]) => WasmValue;

/** A host function that can suspend, ready to be called. */
export interface BlockingFunction {
  /** For errors and reports: `module.name`. */
  readonly label: string;
  /** Its `wait`. */
  readonly invoke: Invoke;
  /** Whether it declares a parameter for the {@linkcode HostCall}. */
  readonly takesCall: boolean;
  /** What a kill or a timeout does to a call. */
  readonly interrupt: InterruptOptions;
}

/**
 * One for each number of parameters: rest and spread would cost as much as the rest of a
 * suspension's JavaScript.
 */
const INVOKERS: readonly ((call: Call) => Invoke)[] = [
  (call) => (wait) => call(wait),
  (call) => (wait, a) => call(a, wait),
  (call) => (wait, a, b) => call(a, b, wait),
  (call) => (wait, a, b, c) => call(a, b, c, wait),
  (call) => (wait, a, b, c, d) => call(a, b, c, d, wait),
  (call) => (wait, a, b, c, d, e) => call(a, b, c, d, e, wait),
  (call) => (wait, a, b, c, d, e, f) => call(a, b, c, d, e, f, wait),
];

/** The same without the wait. */
const PLAIN_INVOKERS: typeof INVOKERS = [
  (call) => () => call(),
  (call) => (_, a) => call(a),
  (call) => (_, a, b) => call(a, b),
  (call) => (_, a, b, c) => call(a, b, c),
  (call) => (_, a, b, c, d) => call(a, b, c, d),
  (call) => (_, a, b, c, d, e) => call(a, b, c, d, e),
  (call) => (_, a, b, c, d, e, f) => call(a, b, c, d, e, f),
];

/** The most parameters that a host function takes without the detour over an array. */
export const MOST_PARAMETERS: number = INVOKERS.length - 1;

/** A host function, ready to be called with so many arguments. */
export function blockingFunction(
  label: string,
  host: SuspendingFunction | PollingFunction,
  arity: number,
): BlockingFunction {
  const { wait: call, interrupt } = host;
  const takesCall = host.takesCall ?? call.length > arity;
  const direct = (takesCall ? INVOKERS : PLAIN_INVOKERS)[arity]?.(call);
  const rest: Invoke = takesCall
    ? (wait, ...args) => call(...args, wait)
    : (_, ...args) => call(...args);
  return { label, invoke: direct ?? rest, takesCall, interrupt };
}
