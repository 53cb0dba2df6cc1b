import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ByteWriter } from "../../src/engine/binary/byte_writer.ts";
import { readModule } from "../../src/engine/binary/module_reader.ts";
import { writeModule } from "../../src/engine/binary/module_writer.ts";
import { InvalidModuleError } from "../../src/errors.ts";
import {
  CORPUS,
  corpusModule,
  globalNames,
  moduleOf,
  sqliteModule,
} from "../support/module_corpus.ts";
import { wat } from "../guests/wat.ts";

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => readModule(bytes), (error) => {
    assert(error instanceof InvalidModuleError, String(error));
    assert.match(error.message, /^Cannot read the WebAssembly module: /);
    assert.match(error.message, message);
    return true;
  });
}

// -- readModule() refuses --

Deno.test("readModule() rejects a file that is not WebAssembly", () => {
  const message = /: the file does not start as WebAssembly does$/;
  refused(new Uint8Array(), message);
  refused(new TextEncoder().encode("#!/bin/sh\n"), message);
  refused(new Uint8Array([0, 0x61, 0x73]), message);
});

Deno.test("readModule() rejects a header that is cut short", () => {
  const header = corpusModule("an empty module").subarray(0, 6);
  refused(header, /: the file ends in its header, at byte 4$/);
});

Deno.test("readModule() rejects a component", () => {
  const component = new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  refused(component, /: the file is a component, not a core module$/);
});

Deno.test("readModule() rejects an unknown version", () => {
  const future = new Uint8Array([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]);
  refused(future, /: the file is of version 2, layer 0, not of 1 and 0$/);
});

Deno.test("readModule() rejects a section that ends after the file", () => {
  const cut = moduleOf([[2, Array(30).fill(0)]]).subarray(0, 38);
  refused(cut, /: section 'import' ends at byte 40 of 38$/);
});

Deno.test("readModule() rejects unknown, repeated and misplaced sections", () => {
  refused(
    moduleOf([[14, []]]),
    /byte 8 starts a section of the unknown kind 14/,
  );
  refused(moduleOf([[1, [0]], [1, [0]]]), /two sections 'type'/);
  refused(
    moduleOf([[6, [0]], [13, [0]]]),
    /section 'tag' comes after section 'global'/,
  );
  refused(
    moduleOf([[10, [0]], [12, [0]]]),
    /section 'data count' comes after section 'code'/,
  );
  readModule(moduleOf([[5, [0]], [13, [0]], [6, [0]], [12, [0]], [10, [0]]]));
});

Deno.test("readModule() rejects a section with bytes left over", () => {
  refused(moduleOf([[6, [0, 0]]]), /section 'global' has 1 bytes too many/);
  refused(moduleOf([[8, [0, 0]]]), /section 'start' has 1 bytes too many/);
});

Deno.test("readModule() rejects counts that do not agree", () => {
  const type: readonly [number, number[]] = [1, [1, 0x60, 0, 0]];
  refused(
    moduleOf([type, [3, [1, 0]]]),
    /there are 1 functions, but code for 0/,
  );
  refused(
    moduleOf([type, [10, [1, 2, 0, 0x0b]]]),
    /0 functions, but code for 1/,
  );
  refused(moduleOf([[12, [1]]]), /0 data segments, but 1 are declared/);
});

Deno.test("readModule() rejects functions whose type is not a function's", () => {
  const struct: readonly [number, number[]] = [1, [1, 0x5f, 0]];
  const code: readonly [number, number[]] = [10, [1, 2, 0, 0x0b]];
  refused(moduleOf([struct, [3, [1, 0]], code]), /type 0 is not the type of/);
  refused(
    moduleOf([[3, [1, 5]], code]),
    /type 5 is not the type of a function/,
  );
  refused(moduleOf([[13, [1, 0, 0]]]), /type 0 is not the type of a function/);
  refused(moduleOf([[2, [1, 0, 0, 0, 0]]]), /type 0 is not the type of/);
});

Deno.test("readModule() rejects exports of nothing and exports twice named", () => {
  refused(
    moduleOf([[7, [1, 1, 0x61, 2, 0]]]),
    /: export 'a' is memory 0, but there are 0$/,
  );
  refused(
    moduleOf([[5, [1, 0, 0]], [7, [2, 1, 0x61, 2, 0, 1, 0x61, 2, 0]]]),
    /there are two exports named 'a'/,
  );
});

Deno.test("readModule() rejects unknown types, kinds, flags and instructions", () => {
  refused(moduleOf([[1, [1, 0x40]]]), /unknown type form 0x40/);
  refused(moduleOf([[1, [1, 0x60, 1, 0x40, 0]]]), /unknown type 0x40/);
  refused(
    moduleOf([[1, [1, 0x60, 1, 0x63, 0x40, 0]]]),
    /unknown heap type -64/,
  );
  refused(moduleOf([[2, [1, 0, 0, 9, 0]]]), /unknown import or export kind 9/);
  refused(moduleOf([[5, [1, 0x10, 1]]]), /unknown limits flags 0x10/);
  refused(moduleOf([[5, [1, 0x02, 1]]]), /shared memory at byte 11 has no max/);
  refused(moduleOf([[5, [1, 0x08, 1, 3]]]), /page size at byte 13 is 2 to the/);
  refused(moduleOf([[4, [1, 0x70, 2, 1]]]), /unknown limits flags 0x02/);
  refused(
    moduleOf([[4, [1, 0x40, 1]]]),
    /table at byte 12 has an unknown form/,
  );
  refused(
    moduleOf([[13, [1, 1, 0]]]),
    /tag at byte 11 has an unknown attribute/,
  );
  refused(moduleOf([[6, [1, 0x7f, 2, 0x41, 0, 0x0b]]]), /unknown mutability/);
  refused(moduleOf([[6, [1, 0x7f, 0, 0x10, 0, 0x0b]]]), /is not constant/);
  refused(moduleOf([[6, [1, 0x7f, 0, 0xfb, 9, 0x0b]]]), /is not constant/);
  refused(moduleOf([[6, [1, 0x7f, 0, 0xfd, 3, 0x0b]]]), /is not constant/);
  refused(moduleOf([[6, [1, 0x7f, 0, 0x41, 0]]]), /'global' ends too early/);
});

// -- readModule() reads --

Deno.test("readModule() resolves imports, exports and signatures", () => {
  const module = readModule(wat(`(module
    (import "a" "global" (global i32))
    (import "a" "first" (func (param i32)))
    (import "b" "memory" (memory 1))
    (import "b" "second" (func (result f64 v128)))
    (func (export "own") (param externref) (result funcref) (ref.null func))
    (export "again" (func 1)))`));
  assert.deepEqual(module.importedFunctions, [
    {
      module: "a",
      name: "first",
      index: 0,
      type: { params: ["i32"], results: [] },
    },
    {
      module: "b",
      name: "second",
      index: 1,
      type: { params: [], results: ["f64", "v128"] },
    },
  ]);
  assert.deepEqual(module.exportedFunctionType("own"), {
    params: ["externref"],
    results: ["funcref"],
  });
  assert.deepEqual(
    module.exportedFunctionType("again"),
    module.functionType(1),
  );
  assert.equal(module.exportedFunctionType("missing"), undefined);
  assert.equal(module.functionType(3), undefined);
  assert.equal(module.importedCount("global"), 1);
  assert.equal(module.importedCount("function"), 2);
  assert.equal(module.importedCount("tag"), 0);
  assert.deepEqual(module.exportNamed("own"), {
    name: "own",
    kind: "function",
    index: 2,
  });
});

Deno.test("readModule() reads imports of every kind", () => {
  const { imports } = readModule(corpusModule("imports of every kind"));
  const limits = { shared: false, is64: false };
  assert.deepEqual(imports.map(({ module: _, ...rest }) => rest), [
    { name: "function", kind: "function", typeIndex: 0 },
    {
      name: "table",
      kind: "table",
      type: {
        element: "funcref",
        limits: { ...limits, minimum: 2n, maximum: 9n },
      },
    },
    {
      name: "memory",
      kind: "memory",
      limits: { ...limits, minimum: 1n, maximum: 4n },
    },
    { name: "constant", kind: "global", type: { type: "i32", mutable: false } },
    { name: "variable", kind: "global", type: { type: "i64", mutable: true } },
    { name: "tag", kind: "tag", typeIndex: 1 },
  ]);
});

Deno.test("readModule() reads globals, and their values where these are plain", () => {
  const { globals } = readModule(corpusModule("globals of every type"));
  assert.deepEqual(
    globals.map(({ type, mutable, constant }) => [type, mutable, constant]),
    [
      ["i32", true, 4096],
      ["i64", false, -(2n ** 63n)],
      ["f32", false, undefined],
      ["f64", true, undefined],
      ["v128", false, undefined],
      ["funcref", false, undefined],
      ["externref", true, undefined],
    ],
  );
  assert.deepEqual([...globals[0]?.init ?? []], [0x41, 0x80, 0x20, 0x0b]);
});

Deno.test("readModule() gives no constant to an expression of several", () => {
  const { globals } = readModule(
    moduleOf([[6, [1, 0x7f, 1, 0x41, 1, 0x41, 2, 0x6a, 0x0b]]]),
  );
  assert.equal(globals[0]?.constant, undefined);
});

Deno.test("readModule() keeps type indices right across groups, structs and arrays", () => {
  const bytes = corpusModule("types of garbage collection");
  assert(WebAssembly.validate(bytes), "the fixture itself is valid");
  const module = readModule(bytes);
  assert.deepEqual(
    module.types.map((type) => typeof type === "string" ? type : "function"),
    ["function", "struct", "struct", "array", "function"],
  );
  assert.deepEqual(module.exportedFunctionType("test"), {
    params: [
      { kind: "ref", raw: new Uint8Array([0x64, 0x6c]) },
      { kind: "ref", raw: new Uint8Array([0x6e]) },
    ],
    results: ["i32"],
  });
  assert.equal(module.tables.length, 2);
  assert.deepEqual([...module.tables[0]?.init ?? []], [0xd2, 0, 0x0b]);
  assert.equal(module.tables[1]?.element, "funcref");
  assert.equal(module.globals.length, 9);
});

Deno.test("readModule() reads 64-bit, shared and several memories", () => {
  const wide = readModule(corpusModule("a 64-bit memory")).memoryLimits(0);
  assert.deepEqual(wide, {
    minimum: 1n,
    maximum: 8n,
    shared: false,
    is64: true,
  });
  const two = readModule(corpusModule("two memories"));
  assert.equal(two.memoryLimits(1)?.minimum, 2n);
  assert.equal(two.memoryLimits(2), undefined);
  const [shared] = readModule(moduleOf([[5, [1, 0x03, 1, 2]]])).memories;
  assert.equal(shared?.shared, true);
  const [small] = readModule(moduleOf([[5, [1, 0x09, 1, 2, 0]]])).memories;
  assert.equal(small?.pageSizeLog2, 0);
  const anew = readModule(moduleOf([])).with({
    memories: small ? [small] : [],
  });
  assert.deepEqual(readModule(writeModule(anew)).memories, [small]);
});

Deno.test("readModule() counts segments and finds the start function", () => {
  const module = readModule(corpusModule("a start and data"));
  assert.equal(module.dataCount, 2);
  assert.equal(module.elementCount, 0);
  assert.equal(module.start, 0);
  const tables = readModule(corpusModule("tables and elements"));
  assert.equal(tables.elementCount, 1);
  assert.equal(tables.start, undefined);
});

Deno.test("BinaryModule.hasExceptionHandling is true for own and imported tags", () => {
  const has = (name: string) =>
    readModule(corpusModule(name)).hasExceptionHandling;
  assert.equal(has("tags and exceptions"), true);
  assert.equal(has("imports of every kind"), true);
  assert.equal(has("a shadow stack"), false);
});

Deno.test("readModule() reads names of globals", () => {
  const { globalNames } = readModule(corpusModule("a 64-bit memory"));
  assert.equal(globalNames.get(0), "__stack_pointer");
});

Deno.test("readModule() ignores a malformed name section", () => {
  const good = globalNames([[0, "first"], [1, "second"]]);
  const read = (contents: readonly number[]) =>
    readModule(moduleOf([[0, contents]])).globalNames;
  assert.equal(read(good).size, 2);
  // The first five bytes are the section's own name.
  for (let end = 6; end < good.length; end++) {
    assert.equal(read(good.slice(0, end)).size, 0, `cut at ${end}`);
  }
  assert.equal(read([...good.slice(0, 5), 7, 0xff, 0xff, 0xff]).size, 0);
});

Deno.test("readModule() copies the bytes", () => {
  const bytes = corpusModule("a shadow stack").slice();
  const module = readModule(bytes);
  bytes.fill(0xff);
  assert.deepEqual(writeModule(module), corpusModule("a shadow stack"));
});

Deno.test("readModule() reads from shared memory and from the middle of a buffer", () => {
  const bytes = corpusModule("a shadow stack");
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 7), 7);
  shared.set(bytes);
  assert.deepEqual(writeModule(readModule(shared)), bytes);
});

// -- writeModule() --

for (const [name, bytes] of CORPUS) {
  Deno.test(`writeModule() returns ${name} byte for byte`, () => {
    assert.deepEqual(writeModule(readModule(bytes)), bytes);
  });

  Deno.test(`writeModule() encodes ${name} anew with the same meaning`, () => {
    const module = readModule(bytes);
    const { imports, memories, globals, exports } = module;
    const anew = writeModule(
      module.with({ imports, memories, globals, exports }),
    );
    assert(WebAssembly.validate(anew));
    const again = readModule(anew);
    assert.deepEqual(again.imports, imports);
    assert.deepEqual(again.memories, memories);
    assert.deepEqual(again.globals, globals);
    assert.deepEqual(again.exports, exports);
  });
}

Deno.test("writeModule() returns sqlite3.wasm byte for byte", async () => {
  const bytes = await sqliteModule();
  const module = readModule(bytes);
  assert(module.importedFunctions.length > 20);
  assert.deepEqual(module.exportedFunctionType("sqlite3_open"), {
    params: ["i32", "i32"],
    results: ["i32"],
  });
  assert(Buffer.from(writeModule(module)).equals(bytes));
});

Deno.test("writeModule() keeps padded lengths of sections that did not change", () => {
  const padded = new ByteWriter()
    .bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    .bytes([1, 0x84, 0x80, 0x80, 0x80, 0, 1, 0x60, 0, 0])
    .finish();
  assert.deepEqual(writeModule(readModule(padded)), padded);
});

Deno.test("writeModule() drops a changed section that is empty", () => {
  const module = readModule(moduleOf([[6, [1, 0x7f, 1, 0x41, 0, 0x0b]]]));
  assert.deepEqual(
    writeModule(module.with({ globals: [] })),
    moduleOf([]),
  );
});

Deno.test("writeModule() puts a new section at its place among the others", () => {
  const dylink: readonly [number, number[]] = [0, [1, 0x64]];
  const tail: readonly [number, number[]] = [0, [1, 0x65]];
  const type: readonly [number, number[]] = [1, [0]];
  const data: readonly [number, number[]] = [11, [0]];
  const memories = [{ minimum: 1n, shared: false, is64: false }];
  const names = (bytes: Uint8Array) =>
    readModule(bytes).sections.map(({ name }) => name);
  const written = (...sections: (readonly [number, number[]])[]) =>
    names(writeModule(readModule(moduleOf(sections)).with({ memories })));
  assert.deepEqual(written(dylink, type, data, tail), [
    "custom",
    "type",
    "memory",
    "data",
    "custom",
  ]);
  assert.deepEqual(written(type, tail), ["type", "custom", "memory"]);
  assert.deepEqual(written(), ["memory"]);
});
