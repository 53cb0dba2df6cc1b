/**
 * Lets the host see a module's stack pointer.
 *
 * @module
 */

import type { BinaryModule } from "../binary/binary_module.ts";
import type { GlobalImport } from "../binary/types.ts";
import { findStackPointer, type StackPointer } from "./find_stack_pointer.ts";
import type { Pass, PassResult } from "./pass.ts";

/** Options of {@linkcode stackPointerPass}. */
export interface StackPointerPassOptions {
  /** The first name of the new import. Default "hedgesnake". */
  readonly module?: string;
  /** The second name of the new import. Default "stack_pointer". */
  readonly name?: string;
}

/**
 * A pass that turns a defined stack pointer into an imported one.
 *
 * The host then provides a mutable i32 `WebAssembly.Global` that starts as the
 * finding's `initial`. Where the module imports its stack pointer already,
 * exports accessors for it, has none, or has one that cannot be found, nothing
 * changes.
 *
 * The finding is where the stack pointer was before the pass. Afterwards a
 * `defined` one is imported, under the names of the options.
 *
 * Source offsets in the file change by a few bytes, so those in stack traces
 * do not match a source map any more. Those of DWARF still do, as they count
 * from the start of the code section.
 */
export function stackPointerPass(
  options: StackPointerPassOptions = {},
): Pass<StackPointer> {
  const { module = "hedgesnake", name = "stack_pointer" } = options;
  return {
    name: "stack pointer",
    apply: (guest) => importStackPointer(guest, module, name),
  };
}

function importStackPointer(
  guest: BinaryModule,
  module: string,
  name: string,
): PassResult<StackPointer> {
  const finding = findStackPointer(guest);
  if (finding.kind !== "defined") return { module: guest, finding };
  const entry: GlobalImport = {
    kind: "global",
    module,
    name,
    type: { type: "i32", mutable: true },
  };
  // The last imported global comes right before the first defined one, so that
  // this one keeps its index, and all the others theirs.
  const imports = [...guest.imports, entry];
  const globals = guest.globals.slice(1);
  return { module: guest.with({ imports, globals }), finding };
}
