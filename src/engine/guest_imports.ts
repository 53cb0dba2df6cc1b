/** A guest's import object, built from a table of host functions. @module */

import {
  InternalError,
  MissingImportError,
  UnsupportedGuestError,
} from "../errors.ts";
import type { Hub } from "../greenlet/hub.ts";
import type { FunctionType, ValueType } from "./binary/types.ts";
import { noActivation } from "./activation.ts";
import { blockingFunction, type Invoke, MOST_PARAMETERS } from "./invoker.ts";
import { type GuestModule, importedType } from "./guest_module.ts";
import {
  type HostFunction,
  type HostFunctionType,
  type HostResult,
  type HostValueType,
  type PollingFunction,
  type SuspendingFunction,
  sync,
  type SyncFunction,
  type WasmValue,
  WOULD_BLOCK,
} from "./host_function.ts";
import { FunctionBody } from "./codegen/function_body.ts";
import { ModuleBuilder } from "./codegen/module_builder.ts";
import { suspendingImport, type WasmFunction } from "./jspi.ts";
import {
  SHIM_NAMESPACE,
  type ShimFunction,
  shimModule,
  type ShimPlan,
} from "./shim.ts";
import type { SwitchState } from "./switch_state.ts";
import { WORD } from "./switch_words.ts";

/** What can stand in an import table. */
export type HostImport =
  | HostFunction
  | ((...args: WasmValue[]) => HostResult)
  | WebAssembly.Memory
  | WebAssembly.Table
  | WebAssembly.Global;

/** A guest's imports: by module name, then by name. A plain function means {@linkcode sync}. */
export type HostImports = {
  readonly [module: string]: { readonly [name: string]: HostImport };
};

/** What the functions of a shim need. */
export interface ShimContext {
  /** The scheduler of the thread. */
  readonly hub: Hub;
  /** What runs on the thread. */
  readonly switches: SwitchState;
  /** Where the guest keeps its stack pointer. */
  readonly stackPointer: ShimPlan["stackPointer"];
  /** The global for it, if that is where. */
  readonly stackPointerGlobal: WebAssembly.Global | undefined;
  /** Functions of the guest for the shim, filled in when the guest exists. */
  readonly late: WebAssembly.Table | undefined;
  /** Whether `late` has functions that save and restore declared state. */
  readonly state: boolean;
}

/** A host function that can suspend, with its name and signature. */
export interface NamedHostFunction {
  /** For errors and reports: `module.name`. */
  readonly label: string;
  /** The function. */
  readonly host: SuspendingFunction | PollingFunction;
  /** Its signature. */
  readonly type: HostFunctionType;
}

/**
 * The import object for an instance.
 *
 * @throws {MissingImportError} When nobody provides an import; all of them are listed.
 * @throws {UnsupportedGuestError} When a signature cannot cross to JavaScript, or is unknown.
 */
export function linkImports(
  guest: GuestModule,
  provided: HostImports,
  context: ShimContext,
): WebAssembly.Imports {
  // Without a prototype, as the guest chooses the names.
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> =
    Object.create(null);
  const missing: string[] = [];
  const shimmed: (NamedHostFunction & { module: string; name: string })[] = [];
  for (
    const { module, name, kind } of WebAssembly.Module.imports(guest.module)
  ) {
    const fields = imports[module] ??= {};
    if (module === SHIM_NAMESPACE && context.stackPointerGlobal !== undefined) {
      fields[name] = context.stackPointerGlobal;
      continue;
    }
    const found = providedImport(provided, module, name);
    const label = `${module}.${name}`;
    if (found === undefined || !fits(found, kind)) {
      missing.push(found === undefined ? label : `${label} (as a ${kind})`);
    } else if (kind !== "function") {
      fields[name] = found as WebAssembly.ImportValue;
    } else {
      const host = asHostFunction(found);
      if (host.kind === "sync") fields[name] = syncImport(label, host);
      else {
        const type = hostType(label, host, importedType(guest, module, name));
        shimmed.push({ label, host, type, module, name });
      }
    }
  }
  if (missing.length > 0) {
    throw new MissingImportError(
      `Cannot load the guest: nobody provides ${
        missing.map((label) => `'${label}'`).join(", ")
      }`,
    );
  }
  for (const [index, exported] of shimExports(shimmed, context).entries()) {
    const { module, name } = shimmed[index]!;
    imports[module]![name] = exported;
  }
  return imports;
}

/** The functions of a shim in front of these host functions, in their order. */
export function shimExports(
  functions: readonly NamedHostFunction[],
  context: ShimContext,
): WebAssembly.ExportValue[] {
  if (functions.length === 0) return [];
  const { switches, stackPointer, stackPointerGlobal, late } = context;
  const shim: Record<string, WebAssembly.ImportValue> = {
    words: switches.memory,
  };
  if (stackPointerGlobal !== undefined) shim.stack_pointer = stackPointerGlobal;
  if (late !== undefined) shim.late = late;
  shim.refuse = (index: number) => {
    throw noActivation(functions[index]!.label);
  };
  shim.threw = (index: number) =>
    switches.current?.noteThrow(functions[index]!.label);
  for (const [index, { label, host, type }] of functions.entries()) {
    shim[`wait${index}`] = waitImport(label, host, type, switches);
    if (host.kind === "polling") {
      shim[`attempt${index}`] = attemptImport(host, type, context);
    }
  }
  const plan: ShimPlan = {
    stackPointer,
    state: context.state,
    functions: functions.map(({ host, type }): ShimFunction => ({
      kind: host.kind,
      type: { params: type.params, results: type.results },
    })),
  };
  const { exports } = new WebAssembly.Instance(shimModule(plan), {
    [SHIM_NAMESPACE]: shim,
  });
  return functions.map((_, index) => exports[`f${index}`]!);
}

/**
 * Host functions as WebAssembly functions for a guest's table, for callbacks that a guest takes
 * as function pointers. Every one must have declared its `type`.
 *
 * @throws {UnsupportedGuestError} When a signature is not declared.
 */
export function tableFunctions(
  functions: Readonly<Record<string, HostFunction>>,
  context: ShimContext,
): Record<string, WasmFunction> {
  const result: Record<string, WasmFunction> = {};
  const shimmed: NamedHostFunction[] = [];
  for (const [label, host] of Object.entries(functions)) {
    const type = hostType(label, host, undefined);
    if (host.kind !== "sync") shimmed.push({ label, host, type });
    else result[label] = typedFunction(type, syncImport(label, host));
  }
  for (const [index, exported] of shimExports(shimmed, context).entries()) {
    result[shimmed[index]!.label] = exported as WasmFunction;
  }
  return result;
}

/** A JavaScript function as a WebAssembly function, which is what a table takes. */
function typedFunction(
  type: HostFunctionType,
  call: WasmFunction,
): WasmFunction {
  const builder = new ModuleBuilder();
  const imported = builder.importFunction("js", "call", type);
  const body = new FunctionBody(type.params.length)
    .get(...type.params.keys()).call(imported);
  builder.defineFunction("call", type, body);
  const module = new WebAssembly.Module(builder.finish());
  const { exports } = new WebAssembly.Instance(module, { js: { call } });
  return exports.call as WasmFunction;
}

/** A plain import that may not block. */
export function syncImport(
  label: string,
  host: SyncFunction,
): (...args: WasmValue[]) => WasmValue {
  const { call } = host;
  return (...args) => {
    const result = call(...args);
    if (
      typeof result === "object" && result !== null &&
      typeof result.then === "function"
    ) {
      throw new InternalError(
        `Cannot return from host function '${label}': it is declared 'sync' and returned a promise; declare it 'suspending'`,
      );
    }
    return result;
  };
}

/** The signature of a host function: as the guest imports it, else as it was declared. */
function hostType(
  label: string,
  host: HostFunction,
  imported: FunctionType | undefined,
): HostFunctionType {
  if (imported !== undefined) {
    return {
      params: imported.params.map((type) => crossing(label, type)),
      results: imported.results.map((type) => crossing(label, type)),
    };
  }
  if (host.type === undefined) {
    throw new UnsupportedGuestError(
      `Cannot link host function '${label}': the guest came compiled, so its signature is unknown; declare it in the option 'type'`,
    );
  }
  return host.type;
}

function crossing(label: string, type: ValueType): HostValueType {
  if (typeof type === "string" && type !== "v128") return type;
  throw new UnsupportedGuestError(
    `Cannot link host function '${label}': its signature has ${
      type === "v128" ? "a v128" : "a reference type"
    }, which cannot cross to JavaScript`,
  );
}

function waitImport(
  label: string,
  host: SuspendingFunction | PollingFunction,
  type: HostFunctionType,
  switches: SwitchState,
): WebAssembly.ImportValue {
  const arity = type.params.length;
  const blocking = blockingFunction(label, host, arity);
  if (arity > MOST_PARAMETERS) {
    return suspendingImport((...args) => {
      const activation = switches.current;
      if (activation === undefined) throw noActivation(label);
      const invoke: Invoke = (wait) => blocking.invoke(wait, ...args);
      return activation.suspend({ ...blocking, invoke });
    });
  }
  return suspendingImport((a, b, c, d, e, f) => {
    const activation = switches.current;
    if (activation === undefined) throw noActivation(label);
    return activation.suspend(blocking, a, b, c, d, e, f);
  });
}

function attemptImport(
  host: PollingFunction,
  type: HostFunctionType,
  { hub, switches }: ShimContext,
): (...args: WasmValue[]) => WasmValue {
  const { attempt } = host;
  // What the shim drops; it only has to convert to the result types.
  const zeros = type.results.map((value) =>
    value === "i64" ? 0n : value === "funcref" ? null : 0
  );
  const placeholder = zeros.length > 1 ? zeros : zeros[0];
  return (...args) => {
    const activation = switches.current;
    // A plain call cannot be suspended, so that it must not be declined.
    if (
      activation === undefined ||
      (hub.admitCall() && !activation.greenlet.interrupted)
    ) {
      const result = attempt(...args);
      if (result !== WOULD_BLOCK) return result;
    }
    switches.words[WORD.wouldBlock] = 1;
    return placeholder;
  };
}

/** What stands in the table under these names; not what every JavaScript object has. */
function providedImport(
  provided: HostImports,
  module: string,
  name: string,
): HostImport | undefined {
  const inherited: unknown = Object.getPrototypeOf({})[name];
  const fields = Object.hasOwn(provided, module) ? provided[module] : undefined;
  const found = fields?.[name];
  return found === inherited ? undefined : found;
}

function asHostFunction(found: HostImport): HostFunction {
  return typeof found === "function" ? sync(found) : found as HostFunction;
}

/** Whether what was provided is of the kind that the guest imports. */
function fits(found: HostImport, kind: string): boolean {
  switch (kind) {
    case "function":
      return typeof found === "function" ||
        (typeof found === "object" && found !== null && "kind" in found);
    case "memory":
      return found instanceof WebAssembly.Memory;
    case "table":
      return found instanceof WebAssembly.Table;
    case "global":
      return found instanceof WebAssembly.Global;
    default:
      return true;
  }
}
