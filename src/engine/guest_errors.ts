/** What went wrong in a guest, as errors that say so. @module */

import { GuestArgumentError, GuestTrapError, SuspendError } from "../errors.ts";
import { isSuspendError } from "./jspi.ts";

/**
 * Whether an error is the runtime's own, about the guest's code: a trap, or a stack that is full.
 */
export function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError ||
    // V8 reports a full machine stack so, wherever it happens.
    (error instanceof RangeError &&
      error.message === "Maximum call stack size exceeded");
}

/**
 * The error that a caller of a guest gets for one that came out of WebAssembly. Exceptions of host
 * functions are returned as they are.
 *
 * @param error What came out.
 * @param called The export that was called.
 * @param importName The host function that the guest was in last, if that is known.
 */
export function guestError(
  error: unknown,
  called: string,
  importName: string | undefined,
): unknown {
  if (isTrap(error)) {
    const trap = new GuestTrapError(
      `The guest trapped in '${called}': ${error.message}`,
      { cause: error },
    );
    // The WebAssembly frames are in the cause's stack; ours would only say where they arrived.
    if (error.stack !== undefined) {
      trap.stack = `${trap.name}: ${trap.message}\n${frames(error.stack)}`;
    }
    return trap;
  }
  if (isSuspendError(error)) {
    return new SuspendError(
      `Cannot suspend '${called}' in host function '${
        importName ?? "unknown"
      }': a JavaScript frame lies between the guest's functions, such as an import that calls the guest again by itself; make the inner call a callback()`,
      { cause: error },
    );
  }
  return error;
}

/**
 * The error for arguments that the runtime could not convert to the guest's types, before
 * anything of the guest ran.
 */
export function argumentError(
  called: string,
  cause: unknown,
): GuestArgumentError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GuestArgumentError(`Cannot call '${called}': ${reason}`, {
    cause,
  });
}

function frames(stack: string): string {
  return stack.slice(stack.indexOf("\n") + 1);
}
