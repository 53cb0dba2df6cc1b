import assert from "node:assert/strict";
import type { BinaryModule } from "../../src/engine/binary/binary_module.ts";
import { readModule } from "../../src/engine/binary/module_reader.ts";
import { writeModule } from "../../src/engine/binary/module_writer.ts";
import { findStackPointer } from "../../src/engine/passes/find_stack_pointer.ts";
import { memoryLimitPass } from "../../src/engine/passes/memory_limit_pass.ts";
import { applyPasses } from "../../src/engine/passes/pass.ts";
import { stackPointerPass } from "../../src/engine/passes/stack_pointer_pass.ts";
import { InvalidModuleError } from "../../src/errors.ts";
import {
  CORPUS,
  corpusModule,
  globalNames,
  moduleOf,
  SHADOW_STACK_GUEST,
  sqliteModule,
} from "../support/module_corpus.ts";
import { wat } from "../guests/wat.ts";

function find(text: string): ReturnType<typeof findStackPointer> {
  return findStackPointer(readModule(wat(text)));
}

/** A module with a memory of 64 KiB, one i32 global, and sections after it. */
function withGlobal(
  initial: readonly number[],
  ...more: (readonly [number, readonly number[]])[]
): BinaryModule {
  const global = [0x7f, 1, 0x41, ...initial, 0x0b];
  const sections = [[5, [1, 0, 1]], [6, [1, ...global]]] as const;
  return readModule(moduleOf([...sections, ...more]));
}

// -- findStackPointer() --

Deno.test("findStackPointer() finds the first defined global by its value", () => {
  assert.deepEqual(find(SHADOW_STACK_GUEST), {
    kind: "defined",
    index: 0,
    initial: 65536,
  });
  assert.deepEqual(
    findStackPointer(readModule(corpusModule("imports of every kind"))),
    { kind: "defined", index: 2, initial: 2048 },
  );
});

Deno.test("findStackPointer() refuses values that no stack starts at", () => {
  const kindAt = (top: number, type = "(mut i32)") =>
    find(`(module (memory 1) (global ${type} (i32.const ${top})))`).kind;
  assert.equal(kindAt(1024), "defined");
  assert.equal(kindAt(65536), "defined");
  assert.equal(kindAt(1008), "unknown");
  assert.equal(kindAt(1032), "unknown");
  assert.equal(kindAt(65552), "unknown");
  assert.equal(kindAt(-16), "unknown");
  assert.equal(kindAt(0), "unknown");
  assert.equal(kindAt(65536, "i32"), "none");
  const imported = find(`(module (import "a" "b" (global i32)) (memory 1)
    (global (mut i32) (global.get 0)))`);
  assert.equal(imported.kind, "unknown");
});

Deno.test("findStackPointer() looks at the first defined global only", () => {
  const found = find(`(module (memory 1)
    (global (mut i32) (i32.const 1))
    (global (mut i32) (i32.const 65536)))`);
  assert.deepEqual(found, {
    kind: "unknown",
    reason: "no mutable global looks like a stack pointer",
  });
});

Deno.test("findStackPointer() trusts the name section more than the value", () => {
  const named = withGlobal([0x08], [0, globalNames([[0, "__stack_pointer"]])]);
  assert.deepEqual(findStackPointer(named), {
    kind: "defined",
    index: 0,
    initial: 8,
  });
});

Deno.test("findStackPointer() trusts an export more than the value", () => {
  const found = find(`(module (memory 1)
    (global (export "__stack_pointer") (mut i32) (i32.const 8)))`);
  assert.deepEqual(found, { kind: "defined", index: 0, initial: 8 });
});

Deno.test("findStackPointer() takes no other global where one is named", () => {
  const found = find(`(module (memory 1)
    (global (mut i32) (i32.const 65536))
    (global $__stack_pointer (mut i32) (i32.const 65536)))`);
  assert.equal(found.kind, "unknown");
  assert.match(
    found.kind === "unknown" ? found.reason : "",
    /^global 1 is named '__stack_pointer', but/,
  );
});

Deno.test("findStackPointer() ignores names of globals that do not exist", () => {
  const top = [0x80, 0x10];
  const names = globalNames([[7, "__stack_pointer"]]);
  const found = findStackPointer(withGlobal(top, [0, names]));
  assert.deepEqual(found, { kind: "defined", index: 0, initial: 2048 });
});

Deno.test("findStackPointer() reads an address above 2 GiB as unsigned", () => {
  const found = find(`(module (memory 65536)
    (global (mut i32) (i32.const 0x80000000)))`);
  assert.deepEqual(found, { kind: "defined", index: 0, initial: 2 ** 31 });
});

Deno.test("findStackPointer() measures an imported memory, too", () => {
  const found = find(`(module (import "env" "memory" (memory 2))
    (global (mut i32) (i32.const 131072)))`);
  assert.deepEqual(found, { kind: "defined", index: 0, initial: 131072 });
});

Deno.test("findStackPointer() finds an imported stack pointer", () => {
  const found = find(`(module
    (import "env" "other" (global i64))
    (import "env" "__stack_pointer" (global (mut i32)))
    (memory 1)
    (global (mut i32) (i32.const 65536)))`);
  assert.deepEqual(found, {
    kind: "imported",
    module: "env",
    name: "__stack_pointer",
    index: 1,
  });
});

Deno.test("findStackPointer() finds an imported stack pointer by its debug name", () => {
  const found = find(`(module
    (import "a" "b" (global $__stack_pointer (mut i32))) (memory 1))`);
  assert.deepEqual(found, {
    kind: "imported",
    module: "a",
    name: "b",
    index: 0,
  });
});

Deno.test("findStackPointer() takes no immutable or 64-bit import", () => {
  const kindOf = (type: string) =>
    find(`(module
      (import "env" "__stack_pointer" (global ${type}))
      (memory 1))`).kind;
  assert.equal(kindOf("i32"), "none");
  assert.equal(kindOf("(mut i64)"), "unknown");
});

Deno.test("findStackPointer() falls back to the accessors of Emscripten", () => {
  const withAccessors = (get: string, set: string, result = "i32") =>
    find(`(module (memory 1)
      (global (mut i32) (i32.const 1))
      (func (export "${get}") (result ${result}) (${result}.const 0))
      (func (export "${set}") (param i32)))`);
  const names = ["emscripten_stack_get_current", "_emscripten_stack_restore"];
  const [get = "", set = ""] = names;
  assert.deepEqual(withAccessors(get, set), { kind: "accessors", get, set });
  assert.deepEqual(withAccessors("stackSave", "stackRestore"), {
    kind: "accessors",
    get: "stackSave",
    set: "stackRestore",
  });
  assert.equal(withAccessors(get, "stackRestore").kind, "unknown");
  assert.equal(withAccessors(get, set, "i64").kind, "unknown");
});

Deno.test("findStackPointer() knows when there can be no shadow stack", () => {
  const kindOf = (text: string) => find(text).kind;
  assert.equal(kindOf("(module)"), "none");
  assert.equal(kindOf("(module (memory 1))"), "none");
  assert.equal(kindOf("(module (global (mut i32) (i32.const 2048)))"), "none");
  assert.equal(
    kindOf("(module (memory 1) (global (mut f32) (f32.const 1)))"),
    "none",
  );
  assert.equal(
    kindOf("(module (memory 1) (global (mut i64) (i64.const 2048)))"),
    "unknown",
  );
});

Deno.test("findStackPointer() refuses 64-bit memories", () => {
  const module = readModule(corpusModule("a 64-bit memory"));
  assert.deepEqual(findStackPointer(module), {
    kind: "unknown",
    reason: "its memory is a 64-bit one",
  });
});

// -- stackPointerPass() --

interface Guest {
  run(value: number): number;
  stack(): number;
  calls: WebAssembly.Global;
}

function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  observe: (frame: number) => number,
  stackPointer?: WebAssembly.Global,
): Guest {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    host: { observe },
    ...(stackPointer && { hedgesnake: { stack_pointer: stackPointer } }),
  });
  const { run, stack, calls } = exports;
  assert(run instanceof Function && stack instanceof Function);
  assert(calls instanceof WebAssembly.Global);
  return {
    run: (value) => Number(run(value)),
    stack: () => Number(stack()),
    calls,
  };
}

Deno.test("stackPointerPass() keeps what the guest does", () => {
  const original = corpusModule("a shadow stack");
  const { bytes, findings: [finding] } = applyPasses(original, [
    stackPointerPass(),
  ]);
  assert(finding.kind === "defined");
  const frames: number[] = [];
  const observe = (frame: number) => frames.push(frame);
  const before = instantiate(original, observe);
  const pointer = new WebAssembly.Global(
    { value: "i32", mutable: true },
    finding.initial,
  );
  const after = instantiate(bytes, observe, pointer);
  for (const guest of [before, after]) {
    assert.equal(guest.stack(), 65536);
    assert.equal(guest.run(42), 42);
    assert.equal(guest.stack(), 65536);
    assert.equal(guest.calls.value, 1);
  }
  assert.deepEqual(frames, [65520, 65520]);
});

Deno.test("stackPointerPass() lets the host see and change the stack pointer", () => {
  const { bytes } = applyPasses(corpusModule("a shadow stack"), [
    stackPointerPass(),
  ]);
  const pointer = new WebAssembly.Global({ value: "i32", mutable: true }, 4096);
  const seen: number[] = [];
  const guest = instantiate(bytes, (frame) => {
    seen.push(frame, pointer.value);
    pointer.value = 8192;
    return 0;
  }, pointer);
  assert.equal(guest.stack(), 4096);
  assert.equal(guest.run(7), 7);
  assert.deepEqual(seen, [4080, 4080]);
  assert.equal(pointer.value, 8208);
  assert.equal(guest.stack(), 8208);
});

Deno.test("stackPointerPass() appends the import and keeps every global index", () => {
  const original = readModule(corpusModule("imports of every kind"));
  const { module, bytes } = applyPasses(
    corpusModule("imports of every kind"),
    [stackPointerPass({ module: "env", name: "sp" })],
  );
  assert.deepEqual(module.imports.at(-1), {
    kind: "global",
    module: "env",
    name: "sp",
    type: { type: "i32", mutable: true },
  });
  assert.deepEqual(module.imports.slice(0, -1), original.imports);
  assert.deepEqual(module.globals, original.globals.slice(1));
  for (const index of [0, 1, 2, 3]) {
    const { type, mutable } = module.globalType(index) ?? {};
    const { type: before, mutable: set } = original.globalType(index) ?? {};
    assert.deepEqual([type, mutable], [before, set]);
  }
  assert.equal(module.globalType(4), undefined);
  assert(WebAssembly.validate(bytes));
});

Deno.test("stackPointerPass() changes the import and global sections only", () => {
  const original = corpusModule("a shadow stack");
  const { bytes } = applyPasses(original, [stackPointerPass()]);
  const others = (file: Uint8Array) =>
    readModule(file).sections
      .filter(({ name }) => name !== "import" && name !== "global")
      .map(({ name, raw }) => [name, [...raw]]);
  assert.deepEqual(others(bytes), others(original));
});

Deno.test("stackPointerPass() makes the import section, and drops an empty global section", () => {
  const original = moduleOf([
    [0, [1, 0x64]],
    [5, [1, 0, 1]],
    [6, [1, 0x7f, 1, 0x41, 0x80, 0x10, 0x0b]],
    [7, [1, 1, 0x67, 3, 0]],
  ]);
  const { bytes } = applyPasses(original, [stackPointerPass()]);
  const names = readModule(bytes).sections.map(({ name }) => name);
  assert.deepEqual(names, ["custom", "import", "memory", "export"]);
  const pointer = new WebAssembly.Global({ value: "i32", mutable: true }, 1);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    hedgesnake: { stack_pointer: pointer },
  });
  assert.equal(exports.g, pointer);
});

Deno.test("stackPointerPass() changes nothing where no pointer is defined", () => {
  for (
    const text of [
      "(module)",
      "(module (memory 1) (global (mut i32) (i32.const 1)))",
      `(module (import "env" "__stack_pointer" (global (mut i32))) (memory 1))`,
    ]
  ) {
    const original = wat(text);
    const { bytes } = applyPasses(original, [stackPointerPass()]);
    assert.deepEqual(bytes, original);
  }
});

Deno.test("stackPointerPass() leaves the given module as it is", () => {
  const bytes = corpusModule("a shadow stack");
  const module = readModule(bytes);
  const result = stackPointerPass().apply(module);
  assert.notEqual(result.module, module);
  assert.deepEqual(module, readModule(bytes));
  assert.deepEqual(writeModule(module), bytes);
});

// -- applyPasses() --

Deno.test("applyPasses() returns each module byte for byte without passes", () => {
  for (const [name, bytes] of CORPUS) {
    const rewritten = applyPasses(bytes, []);
    assert.deepEqual(rewritten.bytes, bytes, name);
    assert.deepEqual(rewritten.findings, []);
  }
});

Deno.test("applyPasses() gives the runtime's reason for an invalid module", () => {
  // A function that returns nothing where it should return an i32.
  const invalid = moduleOf([
    [1, [1, 0x60, 0, 1, 0x7f]],
    [3, [1, 0]],
    [10, [1, 2, 0, 0x0b]],
  ]);
  assert.throws(() => applyPasses(invalid, []), (error) => {
    assert(error instanceof InvalidModuleError);
    assert(error.cause instanceof WebAssembly.CompileError);
    return true;
  });
});

Deno.test("applyPasses() repairs no invalid module", () => {
  // A memory of at most 65537 pages, which the pass would lower.
  const invalid = moduleOf([[5, [1, 1, 1, 0x81, 0x80, 0x04]]]);
  const { module } = memoryLimitPass(65536).apply(readModule(invalid));
  assert(WebAssembly.validate(writeModule(module)), "the case is one");
  assert.throws(
    () => applyPasses(invalid, [memoryLimitPass(65536)]),
    InvalidModuleError,
  );
});

Deno.test("applyPasses() rewrites sqlite3.wasm so that it still compiles", async () => {
  const original = await sqliteModule();
  const { bytes, findings: [found] } = applyPasses(original, [
    stackPointerPass(),
  ]);
  assert.equal(found.kind, "defined");
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  assert.deepEqual(imports.at(-1), {
    module: "hedgesnake",
    name: "stack_pointer",
    kind: "global",
  });
  assert.deepEqual(
    imports.slice(0, -1),
    WebAssembly.Module.imports(new WebAssembly.Module(original)),
  );
});
