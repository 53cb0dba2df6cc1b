import assert from "node:assert/strict";
import { UnsupportedGuestError } from "../../src/errors.ts";
import { suspending, sync } from "../../src/engine/host_function.ts";
import { Gates } from "../support/gate.ts";
import { C_RUNTIME, openGuest } from "../support/test_guest.ts";

Deno.test("Guest.addFunctions() makes host functions that a guest calls by pointer", async () => {
  const gates = new Gates<number>();
  const { guest, run, driver } = await openGuest(
    `(module
      ${C_RUNTIME}
      (table (export "table") 1 funcref)
      (type $unary (func (param i32) (result i32)))
      (func (export "apply") (param $pointer i32) (param $value i32) (result i32)
        (local $at i32) (local $result i32)
        (local.set $at (call $push (i32.const 32)))
        (local.set $result
          (call_indirect (type $unary) (local.get $value) (local.get $pointer)))
        (if (i32.ne (local.get $at) (global.get $sp)) (then unreachable))
        (call $pop (i32.const 32))
        (local.get $result)))`,
    {},
    { concurrency: "interleaved" },
  );
  const type = { params: ["i32"], results: ["i32"] } as const;
  const pointers = guest.addFunctions({
    square: sync((value: number) => value * value, { type }),
    later: suspending(
      (value: number) => gates.pass().then((more) => value + more),
      { type },
    ),
  });
  assert.equal(guest.call("apply", pointers.square, 7), 49);
  const calls = [1, 2].map((value) => run("apply", pointers.later, value));
  await driver.settle();
  gates.open(10, 1);
  gates.open(20, 0);
  assert.deepEqual(await Promise.all(calls), [21, 12]);
  assert.throws(
    () => guest.addFunctions({ untyped: sync(() => 1) }),
    UnsupportedGuestError,
  );
});
