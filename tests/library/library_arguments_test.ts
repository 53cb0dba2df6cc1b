import assert from "node:assert/strict";
import {
  GuestArgumentError,
  load,
  MissingExportError,
  UnsupportedGuestError,
} from "../../mod.ts";
import { wat } from "../guests/wat.ts";
import { rejection } from "../support/virtual_hub.ts";
import { type Asker, asker, turns } from "./guests.ts";

const identities = wat(`(module
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func $funcref (export "funcref") (param funcref) (result funcref)
    (local.get 0))
  (func (export "externref") (param externref) (result externref)
    (local.get 0))
  (func (export "two") (param i32 i64) (result i64 i32)
    (local.get 1) (local.get 0))
  (func (export "none"))
  (func (export "takes_v128") (param v128))
  (func (export "returns_v128") (result v128) (v128.const i64x2 0 0)))`);

type Value = number | bigint | object | string | null | undefined;

/** As a caller without types sees the guest. */
interface Identities {
  i32(...args: Value[]): number;
  i64(...args: Value[]): bigint;
  f32(...args: Value[]): number;
  f64(...args: Value[]): number;
  funcref(...args: Value[]): object | null;
  externref(...args: Value[]): Value;
  two(...args: Value[]): [bigint, number];
  none(...args: Value[]): void;
  takes_v128(...args: Value[]): void;
  returns_v128(...args: Value[]): void;
}

const { exports: { f: exported } } = new WebAssembly.Instance(
  new WebAssembly.Module(wat(`(module (func (export "f")))`)),
);

// -- What fits --

const FITTING: [keyof Identities, Value, Value][] = [
  ["i32", 0, 0],
  ["i32", -(2 ** 31), -(2 ** 31)],
  ["i32", 2 ** 31 - 1, 2 ** 31 - 1],
  ["i32", 2 ** 32 - 1, -1],
  ["i64", 0n, 0n],
  ["i64", -(2n ** 63n), -(2n ** 63n)],
  ["i64", 2n ** 63n - 1n, 2n ** 63n - 1n],
  ["i64", 2n ** 64n - 1n, -1n],
  ["f32", 0.5, 0.5],
  ["f32", 1e300, Infinity],
  ["f32", NaN, NaN],
  ["f64", 1e300, 1e300],
  ["f64", -0, -0],
  ["f64", NaN, NaN],
  ["funcref", null, null],
  ["funcref", exported!, exported!],
  ["externref", exported!, exported!],
  ["externref", "text", "text"],
  ["externref", null, null],
  ["externref", undefined, undefined],
];

Deno.test("Library.exports passes values of every type through a guest", async () => {
  await using library = await load<Identities>(identities);
  for (const [name, value, result] of FITTING) {
    assert.deepEqual(await library.exports[name](value), result);
  }
  assert.deepEqual(await library.exports.two(1, 2n), [2n, 1]);
  assert.equal(await library.exports.none(), undefined);
});

// -- What does not --

const WRONG: [keyof Identities, Value, RegExp][] = [
  ["i32", 2 ** 32, /argument 1 must be an integer .* not 4294967296$/],
  ["i32", -(2 ** 31) - 1, /not -2147483649$/],
  ["i32", 0.5, /not 0\.5$/],
  ["i32", NaN, /not NaN$/],
  ["i32", Infinity, /not Infinity$/],
  ["i32", 1n, /not 1n$/],
  ["i32", "1", /not a string$/],
  ["i32", null, /not null$/],
  ["i32", undefined, /not undefined$/],
  ["i32", {}, /not an object$/],
  ["i64", 1, /argument 1 must be a bigint of 64 bits, not 1$/],
  ["i64", 2n ** 64n, /not 18446744073709551616n$/],
  ["i64", -(2n ** 63n) - 1n, /not -9223372036854775809n$/],
  ["f32", 1n, /argument 1 must be a number, not 1n$/],
  ["f32", "1", /not a string$/],
  ["f64", 1n, /argument 1 must be a number, not 1n$/],
  ["f64", null, /not null$/],
  ["funcref", () => 1, /must be a WebAssembly function or null, not a func/],
  ["funcref", 1, /not 1$/],
  ["funcref", undefined, /not undefined$/],
];

Deno.test("Library.exports rejects a value that a type does not take, at once", async () => {
  await using library = await load<Identities>(identities);
  for (const [name, value, message] of WRONG) {
    assert.throws(() => library.exports[name](value), (error) => {
      assert(error instanceof GuestArgumentError);
      assert.match(error.message, message);
      assert(error.message.startsWith(`Cannot call '${name}': argument 1 `));
      return true;
    });
    assert.equal(library.stats().greenlets.queued, 0);
  }
  assert.throws(
    () => library.exports.two(1, 2),
    /'two': argument 2 must be a bigint/,
  );
  assert.equal(await library.exports.i32(42), 42);
});

Deno.test("Library.exports rejects a wrong number of arguments, at once", async () => {
  await using library = await load<Identities>(identities);
  const wrong: [() => unknown, string][] = [
    [() => library.exports.i32(), "'i32': it takes 1 argument, not 0"],
    [() => library.exports.i32(1, 2), "'i32': it takes 1 argument, not 2"],
    [() => library.exports.two(1), "'two': it takes 2 arguments, not 1"],
    [() => library.exports.none(1), "'none': it takes 0 arguments, not 1"],
    [() => library.spawn("none", 1), "'none': it takes 0 arguments, not 1"],
    [() => library.trySpawn("none", 1), "'none': it takes 0 arguments, not 1"],
  ];
  for (const [call, message] of wrong) {
    assert.throws(call, (error) => {
      assert(error instanceof GuestArgumentError);
      assert.equal(error.message, `Cannot call ${message}`);
      return true;
    });
  }
  assert.equal(await library.exports.i32(42), 42);
});

Deno.test("Library.exports rejects functions whose signature cannot cross to JavaScript", async () => {
  await using library = await load<Identities>(identities);
  for (const name of ["takes_v128", "returns_v128"] as const) {
    assert.throws(() => library.exports[name](), (error) => {
      assert(error instanceof UnsupportedGuestError);
      assert.match(error.message, /has a v128/);
      return true;
    });
  }
  assert.equal(await library.exports.i32(42), 42);
});

// -- A guest that came compiled, of which only the runtime knows the types --

for (const concurrency of ["exclusive", "isolated"] as const) {
  Deno.test(`Library.exports survives what only the runtime can check when ${concurrency}`, async () => {
    const module = await WebAssembly.compile(identities);
    await using library = await load<Identities>(module, { concurrency });
    assert.throws(() => library.exports.i64(), GuestArgumentError);
    const { used } = library.stats().stacks;
    for (let i = 0; i < 3; i++) {
      const error = await rejection(library.exports.i64(1));
      assert(error instanceof GuestArgumentError);
      assert(error.cause instanceof TypeError);
    }
    assert(
      await rejection(library.exports.returns_v128()) instanceof Error,
    );
    await turns();
    assert.equal(library.stats().stacks.used, used);
    assert.equal(await library.exports.i64(42n), 42n);
  });
}

Deno.test("Library.exports survives what only the runtime can check when interleaved", async () => {
  const guest = wat(`(module
    (memory (export "memory") 1)
    (global $sp (mut i32) (i32.const 65536))
    (func (export "stackSave") (result i32) (global.get $sp))
    (func (export "stackRestore") (param i32) (global.set $sp (local.get 0)))
    (func (export "i64") (param i64) (result i64) (local.get 0)))`);
  await using library = await load<Identities>(
    await WebAssembly.compile(guest),
    { concurrency: "interleaved", allocator: "grow" },
  );
  for (let i = 0; i < 3; i++) {
    const error = await rejection(library.exports.i64(1));
    assert(error instanceof GuestArgumentError);
  }
  assert.equal(library.stats().segments, 1);
  assert.equal(await library.exports.i64(42n), 42n);
});

// -- Exports that are not there --

Deno.test("Library.exports rejects a name that is not exported and lists the near ones", async () => {
  const ask = () => 0;
  await using library = await load<Asker & { aks(): void; fetch(): void }>(
    asker,
    { imports: { env: { ask } } },
  );
  for (
    const call of [
      () => library.exports.aks(),
      () => library.spawn("aks"),
      () => library.trySpawn("aks"),
    ]
  ) {
    assert.throws(call, (error) => {
      assert(error instanceof MissingExportError);
      assert.equal(
        error.message,
        "Cannot call 'aks': the guest has no such function; near are 'ask', 'add'",
      );
      return true;
    });
  }
  assert.throws(
    () => library.exports.fetch(),
    /'fetch': the guest has no such function; it has 'malloc', 'free', /,
  );
  assert.equal(await library.exports.add(20, 22), 42);
});

Deno.test("Library.exports lists its functions, is no promise, and shows no inherited ones", async () => {
  const ask = () => 0;
  await using library = await load(asker, { imports: { env: { ask } } });
  assert.equal(await Promise.resolve(library.exports), library.exports);
  assert(Object.keys(library.exports).includes("ask_twice"));
  assert.equal("memory" in library.exports, false);
  for (const name of ["memory", "toString", "constructor", "__proto__"]) {
    assert.throws(() => library.exports[name], MissingExportError, name);
    assert.throws(() => library.spawn(name), MissingExportError, name);
  }
});
