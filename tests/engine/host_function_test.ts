import assert from "node:assert/strict";
import {
  type HostCall,
  type HostFunction,
  polling,
  suspending,
  sync,
  type WasmValue,
} from "../../src/engine/host_function.ts";
import { Gates } from "../support/gate.ts";
import { openGuest, type TestGuestOptions } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";

const CALLER = `(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (func (export "call") (param i32) (result i32) (call $host (local.get 0)))
  (func (export "both") (param i32) (result i32)
    (i32.add (call $host (local.get 0)) (call $host (local.get 0)))))`;

function open(host: HostFunction, options?: TestGuestOptions) {
  return openGuest(CALLER, { env: { host } }, { onTaint: "allow", ...options });
}

// -- What they return --

Deno.test("suspending() that returns no promise gives way and goes on", async () => {
  const order: string[] = [];
  const { run, hub } = await open(suspending((value) => {
    order.push("host");
    return value + 1;
  }));
  const call = run("call", 1);
  const other = hub.spawn(() => void order.push("other"));
  void call.then(() => order.push("done"));
  await Promise.all([call, other]);
  assert.deepEqual(order, ["host", "other", "done"]);
  assert.equal(await call, 2);
});

Deno.test("suspending() may return a greenlet or another thenable", async () => {
  const { run, hub } = await open(
    suspending((value) =>
      value === 0 ? hub.spawn(() => 5) : {
        then: (resolve: (value: number) => void) => resolve(6),
      }
    ),
  );
  assert.equal(await run("call", 0), 5);
  assert.equal(await run("call", 1), 6);
});

Deno.test("suspending() whose thenable throws rejects with that", async () => {
  const reason = new Error("x");
  const { run } = await open(suspending(() => ({
    then: () => {
      throw reason;
    },
  })));
  const call = run("call", 0);
  assert.equal(await rejection(call), reason);
  assert.equal(call.blockedOn, undefined);
});

Deno.test("suspending() whose thenable answers twice answers one call", async () => {
  const answers: ((value: number) => void)[] = [];
  const { run, driver } = await open(suspending(() => ({
    then: (resolve: (value: number) => void) => void answers.push(resolve),
  })));
  const call = run("both", 0);
  await driver.settle();
  answers[0]!(1);
  await driver.settle();
  assert.equal(answers.length, 2);
  answers[0]!(100);
  await driver.settle();
  assert.equal(call.ended, false, "took the first call's answer");
  answers[1]!(2);
  assert.equal(await call, 3);
});

Deno.test("polling() waits with the arguments that its attempt got", async () => {
  const seen: WasmValue[][] = [];
  const { run, driver } = await open(polling({
    attempt: (value) => {
      seen.push(["attempt", value]);
      driver.compute(100);
      return value;
    },
    wait: (value) => {
      seen.push(["wait", value]);
      return Promise.resolve(value * 10);
    },
  }));
  await driver.settle();
  assert.equal(await run("call", 4), 4);
  assert.deepEqual(seen, [["attempt", 4]]);
});

Deno.test("sync() is what a plain function means", async () => {
  const plain = (value: number) => value * 2;
  const { run } = await openGuest(CALLER, { env: { host: plain } });
  assert.equal(await run("call", 4), 8);
  assert.equal(sync(plain).call, plain);
});

// -- HostCall --

Deno.test("HostCall.active is true while the guest waits, and its signal is not aborted by a return", async () => {
  const gates = new Gates<number>();
  const calls: HostCall[] = [];
  const { run, driver } = await open(suspending((_value, call) => {
    calls.push(call);
    return gates.pass();
  }));
  const running = run("both", 1);
  await driver.settle();
  assert.equal(calls[0]!.active, true);
  const { signal } = calls[0]!;
  gates.open(1);
  await driver.settle();
  assert.deepEqual(calls.map(({ active }) => active), [false, true]);
  assert.notEqual(
    calls[0],
    calls[1],
    "reused while the host function holds it",
  );
  assert.equal(signal.aborted, false);
  gates.open(1);
  await running;
});

Deno.test("HostCall.signal says why, also to whoever looks after the kill", async () => {
  for (const early of [true, false]) {
    let kept: HostCall | undefined;
    const { run, driver } = await open(suspending((_value, call) => {
      kept = call;
      if (early) assert.equal(call.signal.aborted, false);
      return new Promise(() => {});
    }));
    const call = run("call", 1);
    await driver.settle();
    await call.kill();
    assert.equal(kept!.active, false);
    assert.equal(kept!.signal.aborted, true);
    assert.equal(kept!.signal.reason, await rejection(call));
  }
});

Deno.test("HostCall of a killed call: what its function does later is ignored", async () => {
  const gates = new Gates<number>();
  const { run, driver } = await open(
    suspending(() => gates.pass(), { interrupted: () => -4 }),
    { killMode: "errno" },
  );
  const call = run("both", 1);
  await driver.settle();
  void call.kill();
  await driver.settle();
  gates.open(1_000);
  await driver.settle();
  assert.equal(gates.waiting, 1);
  assert.equal(call.ended, false);
  gates.open(1);
  await driver.settle();
  assert.equal(call.state, "killed");
});
