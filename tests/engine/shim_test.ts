import assert from "node:assert/strict";
import {
  type HostFunction,
  type HostValueType,
  polling,
  suspending,
  sync,
  type WasmValue,
  WOULD_BLOCK,
} from "../../src/engine/host_function.ts";
import { Gates } from "../support/gate.ts";
import { C_RUNTIME, openGuest, type TestGuest } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";

const TYPES: readonly HostValueType[] = [
  "i32",
  "i64",
  "f32",
  "f64",
  "externref",
  "funcref",
];

const OBJECT = { an: "object" };

/** A value of each type; `guest` provides the function. */
function valueOf(type: HostValueType, guest: TestGuest["guest"]): WasmValue {
  return {
    i32: -5,
    i64: -(2n ** 40n),
    f32: 1.5,
    f64: Math.PI,
    externref: OBJECT,
    funcref: guest.exports.sp,
  }[type];
}

/** A guest whose `call` passes its parameters on to `host.f` from within a frame. */
function forwarder(
  params: readonly HostValueType[],
  results: readonly HostValueType[],
): string {
  const type = `${params.map((type) => `(param ${type})`).join(" ")} ${
    results.map((type) => `(result ${type})`).join(" ")
  }`;
  return `(module
    (import "host" "f" (func $f ${type}))
    ${C_RUNTIME}
    (global $moved (export "moved") (mut i32) (i32.const 99))
    (func (export "call") ${type}
      (local $at i32)
      (local.set $at (call $push (i32.const 48)))
      (call $f ${params.map((_, i) => `(local.get ${i})`).join(" ")})
      (global.set $moved (i32.sub (global.get $sp) (local.get $at)))
      (call $pop (i32.const 48))))`;
}

type Kind = "suspending" | "polling, ready" | "polling, blocked" | "settled";

const KINDS: readonly Kind[] = [
  "suspending",
  "polling, ready",
  "polling, blocked",
  "settled",
];

function hostFunction(
  kind: Kind,
  wait: (...args: WasmValue[]) => Promise<WasmValue>,
  now: (...args: WasmValue[]) => WasmValue,
): HostFunction {
  switch (kind) {
    case "suspending":
      return suspending(wait);
    case "settled":
      return suspending(now);
    case "polling, ready":
      return polling({ attempt: now, wait });
    default:
      return polling({ attempt: () => WOULD_BLOCK, wait });
  }
}

/** Passes one call through a shim, while another greenlet moves the stack pointer meanwhile. */
async function passThrough(
  kind: Kind,
  params: readonly HostValueType[],
  results: readonly HostValueType[],
): Promise<void> {
  const gates = new Gates<WasmValue>();
  const received: WasmValue[][] = [];
  const waiting = (...args: WasmValue[]) => {
    received.push(args.slice(0, params.length));
    return gates.pass();
  };
  const now = (...args: WasmValue[]) => {
    received.push(args.slice(0, params.length));
    return answerOf(guest);
  };
  const answerOf = (guest: TestGuest["guest"]): WasmValue => {
    const values = results.map((type) => valueOf(type, guest));
    return values.length > 1 ? values : values[0];
  };
  const { guest, run, driver } = await openGuest(
    forwarder(params, results),
    { host: { f: hostFunction(kind, waiting, now) } },
    { concurrency: "interleaved" },
  );
  const args = params.map((type) => valueOf(type, guest));
  const answer = answerOf(guest);
  const first = run("call", ...args);
  const second = run("call", ...args);
  await driver.settle();
  // The first one resumes while the stack pointer is the second one's.
  if (gates.waiting === 2) gates.open(answer);
  await driver.settle();
  assert.deepEqual(await first, answer);
  const moved = () => (guest.exports.moved as WebAssembly.Global).value;
  assert.equal(moved(), 0, "the stack pointer was not restored");
  if (gates.waiting === 1) gates.open(answer);
  await driver.settle();
  assert.deepEqual(await second, answer);
  assert.equal(moved(), 0, "the stack pointer was not restored");
  assert.equal(received.length, 2);
  for (const list of received) {
    assert.equal(list.length, params.length);
    for (const [i, value] of list.entries()) assert.equal(value, args[i]);
  }
  assert.equal(guest.switches.current, undefined);
}

// -- Values --

for (const kind of KINDS) {
  Deno.test(`Shim passes every type as a parameter and as a result (${kind})`, async () => {
    for (const type of TYPES) await passThrough(kind, [type], [type]);
  });

  Deno.test(`Shim passes several results of mixed types (${kind})`, async () => {
    await passThrough(kind, [], ["i32", "i64"]);
    await passThrough(kind, ["i64"], ["f64", "externref", "funcref", "i64"]);
    await passThrough(kind, TYPES, TYPES);
  });

  Deno.test(`Shim passes nothing to nine parameters (${kind})`, async () => {
    for (let count = 0; count <= 9; count++) {
      const params = Array.from({ length: count }, (_, i) => TYPES[i % 6]!);
      await passThrough(kind, params, []);
      await passThrough(kind, params, ["i32"]);
    }
  });
}

Deno.test("Shim passes null and undefined references", async () => {
  for (const value of [null, undefined, "text", 0, Symbol.iterator]) {
    const { run } = await openGuest(forwarder(["externref"], ["externref"]), {
      host: { f: suspending((given: WasmValue) => Promise.resolve(given)) },
    });
    assert.equal(await run("call", value), value);
  }
  const { run } = await openGuest(forwarder(["funcref"], ["funcref"]), {
    host: { f: suspending((given: WasmValue) => Promise.resolve(given)) },
  });
  assert.equal(await run("call", null), null);
});

// -- Host functions that throw --

const CATCHER = `(module
  (import "host" "f" (func $f (result i32)))
  (tag (param i32))
  ${C_RUNTIME}
  (func (export "call") (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (i32.const 48)))
    (i32.store (local.get $at) (i32.const 77))
    (try
      (do (local.set $result (call $f)))
      (catch_all (local.set $result (i32.const 100))))
    (if (i32.ne (global.get $sp) (local.get $at))
      (then (return (i32.const -1))))
    (if (i32.ne (i32.load (local.get $at)) (i32.const 77))
      (then (return (i32.const -2))))
    (local.set $result (i32.add (local.get $result) (call $f)))
    (call $pop (i32.const 48))
    (local.get $result))
  (func (export "pass") (result i32) (call $f)))`;

Deno.test("Shim restores the stack pointer before the guest's catch_all runs", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest } = await openGuest(
    CATCHER,
    { host: { f: suspending(() => gates.pass()) } },
    { concurrency: "interleaved" },
  );
  const greenlets = [run("call"), run("call"), run("call")];
  await driver.settle();
  // All wake in one microtask checkpoint, the last one first.
  for (const index of [2, 1, 0]) gates.fail(new Error("x"), index);
  await driver.settle();
  assert.equal(gates.waiting, 3);
  for (const index of [1, 1, 0]) gates.open(1, index);
  assert.deepEqual(await Promise.all(greenlets), [101, 101, 101]);
  assert.equal(guest.tainted, undefined);
});

Deno.test("Shim attributes the calls after a throw to the right greenlet", async () => {
  const gates = new Gates<number>();
  const seen: string[] = [];
  const { run, driver, hub } = await openGuest(
    CATCHER,
    {
      host: {
        f: suspending(() => {
          seen.push(hub.current!.name);
          return gates.pass();
        }),
      },
    },
    { concurrency: "interleaved" },
  );
  const a = run("call");
  const b = run("pass");
  await driver.settle();
  gates.fail(new Error("x"));
  await driver.settle();
  gates.open(1);
  gates.open(1);
  await Promise.all([a, b]);
  assert.deepEqual(seen, ["call", "pass", "call"]);
  assert.equal(hub.current, undefined);
});

Deno.test("Shim lets an exception of attempt through", async () => {
  const reason = { not: "an error" };
  const { run, guest } = await openGuest(CATCHER, {
    host: {
      f: polling({
        attempt: () => {
          throw reason;
        },
        wait: () => Promise.resolve(1),
      }),
    },
  });
  assert.equal(await rejection(run("pass")), reason);
  assert.equal(guest.tainted, undefined, "it can catch exceptions");
});

Deno.test("Shim of a guest without a shadow stack switches the current greenlet", async () => {
  const gates = new Gates<void>();
  const order: string[] = [];
  const note = sync((id: number) =>
    void order.push(`${id} ${hub.current?.name}`)
  );
  const { run, driver, hub } = await openGuest(
    `(module
      (import "host" "f" (func $f))
      (import "host" "note" (func $note (param i32)))
      (func (export "a") (call $note (i32.const 1)) (call $f) (call $note (i32.const 1)))
      (func (export "b") (call $note (i32.const 2)) (call $f) (call $note (i32.const 2))))`,
    { host: { f: suspending(() => gates.pass()), note } },
    { concurrency: "interleaved" },
  );
  const both = [run("a"), run("b")];
  await driver.settle();
  gates.open(undefined, 1);
  gates.open(undefined, 0);
  await Promise.all(both);
  assert.deepEqual(order, ["1 a", "2 b", "2 b", "1 a"]);
});
