/** Checking the arguments of a call before it is spawned. @module */

import type { FunctionType, ValueType } from "../engine/binary/types.ts";
import type { WasmValue } from "../engine/host_function.ts";
import { GuestArgumentError, UnsupportedGuestError } from "../errors.ts";

/** What is known of an export's signature. */
export interface Signature {
  /** The types of its parameters; only their number where the types are unknown. */
  readonly params: readonly ValueType[] | number;
  /** Whether all its values have a form in JavaScript, which a v128 has not. */
  readonly crosses: boolean;
}

interface Rule {
  readonly expected: string;
  readonly accepts: (value: WasmValue) => boolean;
}

const isNumber = (value: WasmValue) => typeof value === "number";

/** What each type takes, as the JavaScript API converts it, minus what it would mangle. */
const RULES: Readonly<Record<string, Rule>> = {
  i32: {
    expected: "an integer from -2147483648 to 4294967295",
    accepts: (value) =>
      Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32,
  },
  i64: {
    expected: "a bigint of 64 bits",
    accepts: (value) =>
      typeof value === "bigint" && value >= -(2n ** 63n) && value < 2n ** 64n,
  },
  f32: { expected: "a number", accepts: isNumber },
  f64: { expected: "a number", accepts: isNumber },
  funcref: {
    expected: "a WebAssembly function or null",
    accepts: (value) => value === null || isExportedFunction(value),
  },
};

/**
 * The signature of an export.
 *
 * @param type As the guest's bytes say.
 * @param arity The number of its parameters, for a guest that came compiled.
 */
export function signatureOf(
  type: FunctionType | undefined,
  arity: number,
): Signature {
  if (type === undefined) return { params: arity, crosses: true };
  const { params, results } = type;
  return { params, crosses: ![...params, ...results].includes("v128") };
}

/**
 * Checks a call's arguments against the guest's signature.
 *
 * @param name The export, for the message.
 * @param signature The export's.
 * @param args The arguments.
 * @throws {GuestArgumentError} When their number, a type or a range is wrong.
 * @throws {UnsupportedGuestError} When JavaScript cannot make such a call.
 */
export function checkArguments(
  name: string,
  { params, crosses }: Signature,
  args: readonly WasmValue[],
): void {
  if (!crosses) {
    throw new UnsupportedGuestError(
      `Cannot call '${name}': its signature has a v128, which cannot cross to JavaScript`,
    );
  }
  const count = typeof params === "number" ? params : params.length;
  if (args.length !== count) {
    throw new GuestArgumentError(
      `Cannot call '${name}': it takes ${count} ${
        count === 1 ? "argument" : "arguments"
      }, not ${args.length}`,
    );
  }
  if (typeof params === "number") return;
  // Counted, as an iterator would cost more than the checks.
  for (let index = 0; index < params.length; index++) {
    const type = params[index];
    const rule = typeof type === "string" ? RULES[type] : undefined;
    if (rule === undefined || rule.accepts(args[index])) continue;
    throw new GuestArgumentError(
      `Cannot call '${name}': argument ${
        index + 1
      } must be ${rule.expected}, not ${describe(args[index])}`,
    );
  }
}

/** Whether a value is a function that came out of WebAssembly: a table takes no other. */
function isExportedFunction(value: WasmValue): boolean {
  if (typeof value !== "function") return false;
  try {
    new WebAssembly.Table({ element: "anyfunc", initial: 1 }).set(0, value);
    return true;
  } catch {
    // The refusal is the answer.
    return false;
  }
}

function describe(value: WasmValue): string {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "number":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : "an object";
    default:
      return `a ${typeof value}`;
  }
}
