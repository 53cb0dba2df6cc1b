import assert from "node:assert/strict";
import {
  load,
  suspending,
  type SwitchedState,
  UnsupportedGuestError,
} from "../../mod.ts";
import { wat } from "../guests/wat.ts";
import { Gates } from "../support/gate.ts";
import { asker, turns } from "./guests.ts";

const ERRNO = 1024;
const BUFFER = 2048;

interface Stateful {
  /** Sets errno, waits, and returns errno. */
  errno(value: number): number;
  /** Waits, and returns errno. */
  errno_of_new(): number;
  /** Fills 13 bytes with a value, waits, and returns how many still have it. */
  bytes(value: number): number;
  i32(value: number): number;
  i64(value: bigint): bigint;
  f32(value: number): number;
  f64(value: number): number;
}

const TYPES = ["i32", "i64", "f32", "f64"] as const;

const guest = wat(`(module
  (import "env" "wait" (func $wait))
  (memory (export "memory") 2)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  ${
  TYPES.map((type) => `
  (global $${type} (export "g_${type}") (mut ${type}) (${type}.const 7))
  (func (export "${type}") (param ${type}) (result ${type})
    (global.set $${type} (local.get 0)) (call $wait) (call $wait)
    (global.get $${type}))`).join("")
}
  (global (export "constant") i32 (i32.const 1))
  (func (export "malloc") (param i32) (result i32) (i32.const 66000))
  (func (export "free") (param i32))
  (func (export "_initialize")
    (i32.store (i32.const ${ERRNO}) (i32.const 99)))
  (func (export "errno") (param i32) (result i32)
    (i32.store (i32.const ${ERRNO}) (local.get 0)) (call $wait) (call $wait)
    (i32.load (i32.const ${ERRNO})))
  (func (export "errno_of_new") (result i32)
    (call $wait) (i32.load (i32.const ${ERRNO})))
  (func (export "bytes") (param $value i32) (result i32)
    (local $at i32) (local $same i32)
    (memory.fill (i32.const ${BUFFER}) (local.get $value) (i32.const 13))
    (call $wait)
    (loop $next
      (local.set $same (i32.add (local.get $same) (i32.eq (local.get $value)
        (i32.load8_u (i32.add (i32.const ${BUFFER}) (local.get $at))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 13))))
    (local.get $same)))`);

async function stateful(state: SwitchedState) {
  const gates = new Gates();
  const library = await load<Stateful>(guest, {
    imports: { env: { wait: suspending(() => gates.pass()) } },
    concurrency: "interleaved",
    allocator: "grow",
    state,
  });
  /** Lets all calls through their waits, the last one first. */
  const pass = async () => {
    for (await turns(); gates.waiting > 0; await turns()) {
      gates.open(undefined, gates.waiting - 1);
    }
  };
  return { library, pass };
}

const errno = { ranges: [{ address: ERRNO, length: 4 }] };

Deno.test("load() keeps a declared range for each greenlet", async () => {
  const { library, pass } = await stateful(errno);
  await using _ = library;
  const calls = [1, 2, 3, 4].map((x) => library.exports.errno(x));
  await pass();
  assert.deepEqual(await Promise.all(calls), [1, 2, 3, 4]);
});

Deno.test("load() does not keep what was not declared", async () => {
  const { library, pass } = await stateful({});
  await using _ = library;
  const calls = [1, 2].map((x) => library.exports.errno(x));
  await pass();
  assert.deepEqual(await Promise.all(calls), [2, 2]);
});

Deno.test("load() starts each greenlet with the state that the initializer left", async () => {
  const { library, pass } = await stateful(errno);
  await using _ = library;
  const set = library.exports.errno(5);
  const fresh = library.exports.errno_of_new();
  await pass();
  assert.deepEqual([await set, await fresh], [5, 99]);
  const later = library.exports.errno_of_new();
  await pass();
  assert.equal(await later, 99);
});

Deno.test("load() keeps a range of an odd length and at an odd address", async () => {
  const { library, pass } = await stateful({
    ranges: [{ address: BUFFER + 1, length: 12 }, {
      address: BUFFER,
      length: 1,
    }],
  });
  await using _ = library;
  const calls = [1, 2, 3].map((x) => library.exports.bytes(x));
  await pass();
  assert.deepEqual(await Promise.all(calls), [13, 13, 13]);
});

Deno.test("load() keeps a declared global of each number type for each greenlet", async () => {
  const globals = TYPES.map((type) => `g_${type}`);
  const { library, pass } = await stateful({ globals, ...errno });
  await using _ = library;
  const { exports } = library;
  const calls = [1, 2, 3].flatMap((x) => [
    exports.i32(-x),
    exports.i64(-(2n ** 62n) + BigInt(x)),
    exports.f32(x + 0.5),
    exports.f64(x + 0.1),
    exports.errno(x),
  ]);
  const expected = [1, 2, 3].flatMap((x) => [
    -x,
    -(2n ** 62n) + BigInt(x),
    x + 0.5,
    x + 0.1,
    x,
  ]);
  await pass();
  assert.deepEqual(await Promise.all<number | bigint>(calls), expected);
});

Deno.test("load() keeps the state of more greenlets than fit into a page", async () => {
  const { library, pass } = await stateful({
    ranges: [{ address: ERRNO, length: 1024 }],
  });
  await using _ = library;
  const calls = Array.from({ length: 100 }, (_, x) => library.exports.errno(x));
  await pass();
  assert.deepEqual(await Promise.all(calls), [...calls.keys()]);
});

Deno.test("load() rejects state that the guest does not have", async () => {
  for (const name of ["g_i8", "constant", "memory", "errno"]) {
    await assert.rejects(stateful({ globals: [name] }), (error) => {
      assert(error instanceof UnsupportedGuestError);
      assert.match(error.message, new RegExp(`Cannot keep '${name}'`));
      return true;
    });
  }
});

Deno.test("load() rejects ranges that are not in the guest's memory", async () => {
  const wrong = [
    { address: 2 * 65_536 - 3, length: 4 },
    { address: -4, length: 4 },
    { address: 0.5, length: 4 },
    { address: 16, length: 0 },
    { address: 16, length: -4 },
    { address: 16, length: NaN },
  ];
  for (const range of wrong) {
    await assert.rejects(stateful({ ranges: [range] }), RangeError);
  }
  const bare = wat(`(module (func (export "f")))`);
  await assert.rejects(
    load(bare, { concurrency: "interleaved", state: errno }),
    UnsupportedGuestError,
  );
});

Deno.test("load() needs no switch of state where greenlets do not interleave", async () => {
  for (const concurrency of ["exclusive", "isolated"] as const) {
    await using library = await load<{ add(a: number, b: number): number }>(
      asker,
      { imports: { env: { ask: () => 0 } }, concurrency, state: errno },
    );
    assert.equal(await library.exports.add(20, 22), 42);
  }
});
