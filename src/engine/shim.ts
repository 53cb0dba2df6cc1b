/**
 * The generated module between a guest and the host functions that may suspend it.
 *
 * A suspension switches the machine's stack and nothing else. What a guest keeps elsewhere (its
 * shadow-stack pointer, the state that the loader declared) belongs to whoever ran last, so the
 * shim puts it back on the way home: inside WebAssembly, before an instruction of the guest runs,
 * when the call returns and when it throws. Doing it in a promise callback is too late: several
 * greenlets can resume in one microtask checkpoint, and the last callback would win for all.
 *
 * For a polling function the shim first makes the plain call `attempt`; only when that left the
 * "would block" word set does it go on to the suspending `wait`.
 *
 * @module
 */

import { FunctionBody } from "./codegen/function_body.ts";
import { ModuleBuilder } from "./codegen/module_builder.ts";
import { CATCH_ALL_REF, OPCODE, TYPE_CODE } from "./codegen/opcode.ts";
import type { HostFunctionType } from "./host_function.ts";
import { RECORDS, WORD } from "./switch_words.ts";

/** The module name of a shim's imports, and of a guest's stack pointer when a pass moved it out. */
export const SHIM_NAMESPACE = "hedgesnake";

/** Entries of the table through which a shim reaches functions of a guest made after it. */
export const LATE = {
  getStackPointer: 0,
  setStackPointer: 1,
  save: 2,
  restore: 3,
};

/** One function of a shim. */
export interface ShimFunction {
  /** Whether `attempt` comes before `wait`. */
  readonly kind: "suspending" | "polling";
  /** Its signature. */
  readonly type: HostFunctionType;
}

/** What a shim is generated from. */
export interface ShimPlan {
  /**
   * Where the guest keeps its shadow-stack pointer: in a global that is imported as
   * `hedgesnake.stack_pointer`, behind two functions in the late table, or nowhere.
   */
  readonly stackPointer: "global" | "functions" | "none";
  /** Whether the late table has functions that save and restore declared state. */
  readonly state: boolean;
  /** The functions, exported as `f0`, `f1`, …. */
  readonly functions: readonly ShimFunction[];
}

const I32_TO_NOTHING: HostFunctionType = { params: ["i32"], results: [] };
const NOTHING_TO_I32: HostFunctionType = { params: [], results: ["i32"] };

const modules = new Map<string, WebAssembly.Module>();

/** The compiled shim of a plan; equal plans share one. */
export function shimModule(plan: ShimPlan): WebAssembly.Module {
  const key = JSON.stringify(plan);
  let module = modules.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(generateShim(plan));
    modules.set(key, module);
  }
  return module;
}

/** The bytes of a plan's shim. */
export function generateShim(plan: ShimPlan): Uint8Array<ArrayBuffer> {
  const builder = new ModuleBuilder();
  builder.importMemory(SHIM_NAMESPACE, "words");
  if (plan.stackPointer === "global") {
    builder.importGlobal(SHIM_NAMESPACE, "stack_pointer", "i32");
  }
  if (plan.stackPointer === "functions" || plan.state) {
    builder.importTable(SHIM_NAMESPACE, "late");
  }
  const refuse = builder.importFunction(
    SHIM_NAMESPACE,
    "refuse",
    I32_TO_NOTHING,
  );
  const threw = builder.importFunction(SHIM_NAMESPACE, "threw", I32_TO_NOTHING);
  const imports = plan.functions.map(({ kind, type }, index) => ({
    attempt: kind === "polling"
      ? builder.importFunction(SHIM_NAMESPACE, `attempt${index}`, type)
      : undefined,
    wait: builder.importFunction(SHIM_NAMESPACE, `wait${index}`, type),
  }));
  for (const [index, { type }] of plan.functions.entries()) {
    const { attempt, wait } = imports[index]!;
    const body = new FunctionBody(type.params.length);
    if (attempt !== undefined) writeAttempt(body, type, attempt);
    // Outside any greenlet: the runtime would not call `wait`, and not say whom it refused.
    body.constant(0).memory("i32Load", WORD.current * 4).op("i32Eqz").open("if")
      .constant(index).call(refuse).op("unreachable", "end");
    writeWait(body, type, wait, plan, builder);
    body.constant(index).call(threw);
    writeRethrow(body);
    builder.defineFunction(`f${index}`, type, body);
  }
  return builder.finish();
}

/** Calls `attempt` and returns its results, unless it said that it would block. */
function writeAttempt(
  body: FunctionBody,
  type: HostFunctionType,
  attempt: number,
): void {
  body.get(...type.params.keys()).call(attempt)
    .constant(0).memory("i32Load", WORD.wouldBlock * 4)
    .op("i32Eqz").indexed("brIf", 0);
  for (const _ of type.results) body.op("drop");
  body.constant(0).constant(0).memory("i32Store", WORD.wouldBlock * 4);
}

/** Calls `wait` and puts the greenlet's state back when it returns and when it throws. */
function writeWait(
  body: FunctionBody,
  type: HostFunctionType,
  wait: number,
  plan: ShimPlan,
  builder: ModuleBuilder,
): void {
  const stackPointer = body.local("i32");
  const current = body.local("i32");
  const late = (entry: number, signature: HostFunctionType) =>
    body.constant(entry).callIndirect(builder.type(signature));

  if (plan.stackPointer === "global") body.indexed("globalGet", 0);
  else if (plan.stackPointer === "functions") {
    late(LATE.getStackPointer, NOTHING_TO_I32);
  } else body.constant(0);
  body.set(stackPointer);
  body.constant(0).memory("i32Load", WORD.current * 4).set(current);
  if (plan.stackPointer !== "none") {
    checkStackPointer(body, stackPointer, current);
  }
  if (plan.state) {
    body.get(current);
    late(LATE.save, I32_TO_NOTHING);
  }

  const restore = () => {
    body.constant(0).get(current).memory("i32Store", WORD.current * 4);
    if (plan.stackPointer === "global") {
      body.get(stackPointer).indexed("globalSet", 0);
    } else if (plan.stackPointer === "functions") {
      body.get(stackPointer);
      late(LATE.setStackPointer, I32_TO_NOTHING);
    }
    if (plan.state) {
      body.get(current);
      late(LATE.restore, I32_TO_NOTHING);
    }
  };

  body.open("block", "exnref");
  body.raw(OPCODE.tryTable, ...blockType(type, builder), 1, CATCH_ALL_REF, 0);
  body.get(...type.params.keys()).call(wait).op("end");
  restore();
  body.op("return", "end");
  restore();
}

/** Throws on what \`wait\` threw, or traps. */
function writeRethrow(body: FunctionBody): void {
  // A killed guest that swallowed its kill and blocks again cannot swallow a trap.
  body.constant(0).memory("i32Load", WORD.trap * 4).open("if")
    .constant(0).constant(0).memory("i32Store", WORD.trap * 4)
    .op("unreachable", "end", "throwRef");
}

/** Traps when the stack pointer is outside the segment of the activation that runs. */
function checkStackPointer(
  body: FunctionBody,
  stackPointer: number,
  current: number,
): void {
  const record = (offset: number) =>
    body.get(current).constant(3).op("i32Shl").memory("i32Load", offset);
  body.get(stackPointer);
  record(RECORDS * 4).op("i32LtU").get(stackPointer);
  record(RECORDS * 4 + 4).op("i32GtU", "i32Or").open("if")
    .get(current).constant(3).op("i32Shl")
    .constant(-1).memory("i32Store", RECORDS * 4)
    .op("unreachable", "end");
}

/** The type of a block without parameters and with a function's results. */
function blockType(type: HostFunctionType, builder: ModuleBuilder): number[] {
  const [first, ...more] = type.results;
  if (first === undefined) return [TYPE_CODE.empty];
  if (more.length === 0) return [TYPE_CODE[first]];
  const index = builder.type({ params: [], results: type.results });
  // An index is a positive signed number: bit 6 of its last byte stays clear.
  return index < 64 ? [index] : [(index & 0x7f) | 0x80, index >> 7];
}
