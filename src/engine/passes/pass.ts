/**
 * The pipeline of passes that rewrite a module before it is compiled.
 *
 * @module
 */

import { InvalidModuleError } from "../../errors.ts";
import type { BinaryModule } from "../binary/binary_module.ts";
import { readModule } from "../binary/module_reader.ts";
import { writeModule } from "../binary/module_writer.ts";

/** What a pass made of a module. */
export interface PassResult<Finding> {
  /** The new module, or the same one where nothing had to change. */
  readonly module: BinaryModule;
  /** What the pass found out. */
  readonly finding: Finding;
}

/**
 * A step that rewrites a module.
 *
 * A pass is pure: it makes a new module and leaves the given one as it is.
 *
 * @typeParam Finding What it tells about the module.
 */
export interface Pass<Finding> {
  /** Its name, for people. */
  readonly name: string;
  /**
   * Rewrites a module.
   *
   * @throws {InvalidModuleError} when the module cannot be rewritten so.
   */
  apply(module: BinaryModule): PassResult<Finding>;
}

/** The findings of a list of passes, in its order. */
export type Findings<Passes extends readonly Pass<unknown>[]> = {
  -readonly [Index in keyof Passes]: Passes[Index] extends Pass<infer Finding>
    ? Finding
    : never;
};

/** What {@linkcode applyPasses} made of a module. */
export interface RewrittenModule<Passes extends readonly Pass<unknown>[]> {
  /** The bytes to compile. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The module that they encode. */
  readonly module: BinaryModule;
  /** What each pass found. */
  readonly findings: Findings<Passes>;
}

/**
 * Reads a module, applies passes one after the other, and writes it.
 *
 * The module is validated first: otherwise a pass might turn an invalid module
 * into a valid one, by replacing what was wrong with it.
 *
 * ```ts ignore
 * const { bytes, findings: [stackPointer, memory] } = applyPasses(
 *   file,
 *   [stackPointerPass(), memoryLimitPass(64 * 2 ** 20)],
 * );
 * ```
 *
 * @param bytes A core module. They are copied, and stay as they are.
 * @throws {InvalidModuleError} when this runtime does not accept the module, or
 * a pass does not.
 */
export function applyPasses<const Passes extends readonly Pass<unknown>[]>(
  bytes: Uint8Array,
  passes: Passes,
): RewrittenModule<Passes> {
  const copy = new Uint8Array(bytes);
  // Read before it is validated, for the better message: that a file is a
  // component, for example.
  let module = readModule(copy);
  requireValid(copy);
  const findings: unknown[] = [];
  for (const pass of passes) {
    const result = pass.apply(module);
    module = result.module;
    findings.push(result.finding);
  }
  return {
    bytes: writeModule(module),
    module,
    findings: findings as Findings<Passes>,
  };
}

function requireValid(bytes: Uint8Array<ArrayBuffer>): void {
  if (WebAssembly.validate(bytes)) return;
  throw new InvalidModuleError(
    "Cannot rewrite the WebAssembly module: this runtime does not accept it",
    { cause: compileError(bytes) },
  );
}

/** Why the runtime does not accept a module, which validate() keeps back. */
function compileError(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    new WebAssembly.Module(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}
