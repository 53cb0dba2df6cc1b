/** A guest's code: compiled once, instantiated as often as needed. @module */

import { InvalidModuleError, UnsupportedGuestError } from "../errors.ts";
import type { BinaryModule } from "./binary/binary_module.ts";
import type { FunctionType } from "./binary/types.ts";
import {
  STACK_POINTER_ACCESSORS,
  type StackPointer,
} from "./passes/find_stack_pointer.ts";
import { memoryLimitPass } from "./passes/memory_limit_pass.ts";
import { applyPasses, type Pass } from "./passes/pass.ts";
import { stackPointerPass } from "./passes/stack_pointer_pass.ts";

/** Options of {@linkcode compileGuest}. */
export interface CompileOptions {
  /** Most bytes that the guest's memory may grow to. By default as much as the guest says. */
  readonly maxMemory?: number | undefined;
}

/** A compiled guest, and what is known of its bytes. */
export interface GuestModule {
  /** The compiled module, after the passes. */
  readonly module: WebAssembly.Module;
  /** Where its shadow-stack pointer is. */
  readonly stackPointer: StackPointer;
  /** Its structure; unknown when the guest came compiled. */
  readonly binary: BinaryModule | undefined;
  /** Whether the guest can catch exceptions, and so clean up when one unwinds it. */
  readonly catchesExceptions: boolean;
}

/**
 * Rewrites and compiles a guest.
 *
 * @param bytes A core WebAssembly module.
 * @param options Its memory limit.
 * @throws {InvalidModuleError} When the bytes are not a core module that this runtime accepts.
 */
export async function compileGuest(
  bytes: Uint8Array,
  options: CompileOptions = {},
): Promise<GuestModule> {
  const passes: Pass<unknown>[] = [];
  if (options.maxMemory !== undefined) {
    passes.push(memoryLimitPass(options.maxMemory));
  }
  const { bytes: rewritten, module: binary, findings: [stackPointer] } =
    applyPasses(bytes, [stackPointerPass(), ...passes]);
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(rewritten);
  } catch (cause) {
    throw new InvalidModuleError(
      "Cannot load the guest: the runtime does not accept it after the rewrite",
      { cause },
    );
  }
  return {
    module,
    stackPointer,
    binary,
    catchesExceptions: binary.hasExceptionHandling,
  };
}

/**
 * A guest that came compiled: it runs as it is, and its signatures are unknown.
 *
 * @throws {UnsupportedGuestError} When a memory limit is asked for, which takes the bytes.
 */
export function adoptModule(
  module: WebAssembly.Module,
  options: CompileOptions = {},
): GuestModule {
  const exports = WebAssembly.Module.exports(module);
  const imports = WebAssembly.Module.imports(module);
  if (
    options.maxMemory !== undefined &&
    !imports.some((entry) => entry.kind === "memory")
  ) {
    throw new UnsupportedGuestError(
      "Cannot limit the guest's memory: it came compiled; load it from its bytes",
    );
  }
  const names = new Set(exports.map((entry) => entry.name));
  const accessors = STACK_POINTER_ACCESSORS.find(({ get, set }) =>
    names.has(get) && names.has(set)
  );
  return {
    module,
    stackPointer: accessors !== undefined
      ? { kind: "accessors", ...accessors }
      : {
        kind: "unknown",
        reason:
          "the guest came compiled and exports no functions for it; load it from its bytes",
      },
    binary: undefined,
    catchesExceptions: [...imports, ...exports].some((entry) =>
      // TypeScript's list of kinds lacks the tags of exception handling.
      (entry.kind as string) === "tag"
    ),
  };
}

/** The signature of an imported function, where the guest's bytes are known. */
export function importedType(
  guest: GuestModule,
  module: string,
  name: string,
): FunctionType | undefined {
  return guest.binary?.importedFunctions.find((entry) =>
    entry.module === module && entry.name === name
  )?.type;
}
