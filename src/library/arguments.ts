/** Checking the arguments of a call before it is spawned. @module */

import type { ValueType } from "../engine/binary/types.ts";
import type { WasmValue } from "../engine/host_function.ts";
import { GuestArgumentError } from "../errors.ts";

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
    accepts: (value) => value === null || typeof value === "function",
  },
};

/**
 * Checks a call's arguments against the guest's signature.
 *
 * @param name The export, for the message.
 * @param params The types of its parameters; only their number where the types are unknown.
 * @param args The arguments.
 * @throws {GuestArgumentError} When their number, a type or a range is wrong.
 */
export function checkArguments(
  name: string,
  params: readonly ValueType[] | number,
  args: readonly WasmValue[],
): void {
  const count = typeof params === "number" ? params : params.length;
  if (args.length !== count) {
    throw new GuestArgumentError(
      `Cannot call '${name}': it takes ${count} ${
        count === 1 ? "argument" : "arguments"
      }, not ${args.length}`,
    );
  }
  if (typeof params === "number") return;
  for (const [index, type] of params.entries()) {
    const rule = typeof type === "string" ? RULES[type] : undefined;
    if (rule === undefined || rule.accepts(args[index])) continue;
    throw new GuestArgumentError(
      `Cannot call '${name}': argument ${
        index + 1
      } must be ${rule.expected}, not ${describe(args[index])}`,
    );
  }
}

function describe(value: WasmValue): string {
  return typeof value === "bigint"
    ? `${value}n`
    : typeof value === "number"
    ? String(value)
    : value === null
    ? "null"
    : `a ${typeof value}`;
}
