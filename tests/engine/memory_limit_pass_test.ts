import assert from "node:assert/strict";
import { readModule } from "../../src/engine/binary/module_reader.ts";
import { memoryLimitPass } from "../../src/engine/passes/memory_limit_pass.ts";
import { applyPasses } from "../../src/engine/passes/pass.ts";
import { stackPointerPass } from "../../src/engine/passes/stack_pointer_pass.ts";
import { UnsupportedGuestError } from "../../src/errors.ts";
import {
  corpusModule,
  moduleOf,
  sqliteModule,
} from "../support/module_corpus.ts";
import { wat } from "../guests/wat.ts";

const PAGE = 65536;

/** The greatest size of memory 0, in pages, after the pass. */
function maximumOf(
  bytes: Uint8Array,
  maximumBytes: number,
): bigint | undefined {
  const rewritten = applyPasses(bytes, [memoryLimitPass(maximumBytes)]);
  assert(WebAssembly.validate(rewritten.bytes));
  return readModule(rewritten.bytes).memoryLimits(0)?.maximum;
}

Deno.test("memoryLimitPass() adds, lowers and never raises the greatest size", () => {
  assert.equal(maximumOf(wat("(module (memory 1))"), 5 * PAGE), 5n);
  assert.equal(maximumOf(wat("(module (memory 1 9))"), 5 * PAGE), 5n);
  assert.equal(maximumOf(wat("(module (memory 1 3))"), 5 * PAGE), 3n);
});

Deno.test("memoryLimitPass() rounds down to pages", () => {
  assert.equal(maximumOf(wat("(module (memory 1))"), 3 * PAGE - 1), 2n);
  assert.equal(maximumOf(wat("(module (memory 2))"), 2 * PAGE), 2n);
});

Deno.test("memoryLimitPass() bounds memory.grow", () => {
  const { bytes } = applyPasses(wat(`(module (memory (export "memory") 1))`), [
    memoryLimitPass(2 * PAGE),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory } = exports;
  assert(memory instanceof WebAssembly.Memory);
  memory.grow(1);
  assert.throws(() => memory.grow(1), RangeError);
});

Deno.test("memoryLimitPass() bounds imported memories", () => {
  const bytes = corpusModule("imports of every kind");
  const { module } = applyPasses(bytes, [memoryLimitPass(2 * PAGE)]);
  assert.equal(module.memoryLimits(0)?.maximum, 2n);
  const before = readModule(bytes);
  assert.deepEqual(
    module.imports.filter(({ kind }) => kind !== "memory"),
    before.imports.filter(({ kind }) => kind !== "memory"),
  );
});

Deno.test("memoryLimitPass() rejects a module with several memories", () => {
  assert.throws(
    () => applyPasses(corpusModule("two memories"), [memoryLimitPass(PAGE)]),
    UnsupportedGuestError,
  );
});

Deno.test("memoryLimitPass() bounds 64-bit and shared memories", () => {
  assert.equal(maximumOf(corpusModule("a 64-bit memory"), 4 * PAGE), 4n);
  const shared = moduleOf([[5, [1, 0x03, 1, 9]]]);
  const { bytes } = applyPasses(shared, [memoryLimitPass(4 * PAGE)]);
  assert.deepEqual(readModule(bytes).memoryLimits(0), {
    minimum: 1n,
    maximum: 4n,
    shared: true,
    is64: false,
  });
});

Deno.test("memoryLimitPass() declares no more than a 32-bit memory can have", () => {
  assert.equal(maximumOf(wat("(module (memory 1))"), 2 ** 53 - 1), 65536n);
});

Deno.test("memoryLimitPass() counts in pages of the memory's own size", () => {
  // This runtime may not accept custom page sizes, so it is not asked.
  const module = readModule(moduleOf([[5, [1, 0x08, 100, 0]]]));
  const { finding } = memoryLimitPass(300).apply(module);
  assert.deepEqual(finding, { minimum: 100n, maximum: 300n });
  const most = memoryLimitPass(2 ** 53 - 1).apply(module);
  assert.equal(most.module.memoryLimits(0)?.maximum, 2n ** 32n - 1n);
});

Deno.test("memoryLimitPass() tells the bounds before and after", () => {
  const { findings: [bounds] } = applyPasses(wat("(module (memory 1 9))"), [
    memoryLimitPass(5 * PAGE),
  ]);
  assert.deepEqual(bounds, {
    minimum: BigInt(PAGE),
    declared: BigInt(9 * PAGE),
    maximum: BigInt(5 * PAGE),
  });
});

Deno.test("memoryLimitPass() leaves alone what it need not change", () => {
  for (const text of ["(module)", "(module (memory 1 2))"]) {
    const { bytes } = applyPasses(wat(text), [memoryLimitPass(2 * PAGE)]);
    assert.deepEqual(bytes, wat(text));
  }
});

Deno.test("memoryLimitPass() rejects a module that needs more from the start", () => {
  assert.throws(
    () => maximumOf(wat("(module (memory 3))"), 3 * PAGE - 1),
    (error) => {
      assert(error instanceof UnsupportedGuestError);
      assert.equal(
        error.message,
        "Cannot limit the memory to 196607 bytes: the module needs 196608",
      );
      return true;
    },
  );
});

Deno.test("memoryLimitPass() rejects what is no number of bytes", () => {
  for (const bytes of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => memoryLimitPass(bytes), RangeError);
  }
});

Deno.test("memoryLimitPass() and stackPointerPass() work together on sqlite3.wasm", async () => {
  const { bytes, module, findings } = applyPasses(await sqliteModule(), [
    stackPointerPass(),
    memoryLimitPass(64 * 2 ** 20),
  ]);
  const [stackPointer, memory] = findings;
  assert.equal(stackPointer.kind, "defined");
  assert.equal(memory?.maximum, 64n * 2n ** 20n);
  assert.equal(module.memoryLimits(0)?.maximum, 1024n);
  assert(await WebAssembly.compile(bytes) instanceof WebAssembly.Module);
});
