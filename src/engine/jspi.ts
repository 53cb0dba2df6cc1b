/**
 * JavaScript Promise Integration, typed: the one place that touches it.
 *
 * TypeScript's library does not know these functions yet, and a package must not add to global
 * types, hence the cast here and nowhere else.
 *
 * @module
 */

import { UnsupportedRuntimeError } from "../errors.ts";
import type { WasmValue } from "./host_function.ts";

/** An exported WebAssembly function. */
export type WasmFunction = (...args: WasmValue[]) => WasmValue;

/** An exported function that returns a promise because it may be suspended. */
export type PromisingFunction = (...args: WasmValue[]) => Promise<WasmValue>;

/** An import that suspends the WebAssembly stack until its promise settles. */
export type SuspendingImport = WebAssembly.ImportValue;

/** https://github.com/WebAssembly/js-promise-integration */
interface PromiseIntegration {
  promising(exported: WasmFunction): PromisingFunction;
  Suspending: new (call: WasmFunction) => SuspendingImport;
  SuspendError: new (message?: string) => Error;
}

function integration(): PromiseIntegration {
  const found = WebAssembly as typeof WebAssembly & Partial<PromiseIntegration>;
  const { promising, Suspending, SuspendError } = found;
  if (!promising || !Suspending || !SuspendError) {
    throw new UnsupportedRuntimeError(
      "Cannot suspend WebAssembly: this runtime has no JavaScript Promise Integration; Deno has it from 2.9.5 on",
    );
  }
  return { promising, Suspending, SuspendError };
}

/**
 * Makes an exported function suspendable: it runs at once up to its first suspension.
 *
 * @throws {UnsupportedRuntimeError} When the runtime has no JavaScript Promise Integration.
 */
export function promising(exported: WasmFunction): PromisingFunction {
  return integration().promising(exported);
}

/**
 * Makes a JavaScript function an import that suspends its caller when it returns a promise.
 *
 * @throws {UnsupportedRuntimeError} When the runtime has no JavaScript Promise Integration.
 */
export function suspendingImport(call: WasmFunction): SuspendingImport {
  const { Suspending } = integration();
  return new Suspending(call);
}

/** Whether the runtime refused a suspension: no promising call below, or JavaScript between. */
export function isSuspendError(error: unknown): boolean {
  return error instanceof integration().SuspendError;
}
