import assert from "node:assert/strict";
import { suspending } from "../../src/engine/host_function.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { Gates } from "../support/gate.ts";
import { openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";
import { ECANCELED, openWork, soft } from "../support/working_guest.ts";

// -- Timeouts --

Deno.test("Timeout of a guest's call rejects with the timeout in both modes", async () => {
  for (const killMode of ["throw", "errno"] as const) {
    const { run, driver, gates } = await openWork(soft, { killMode });
    const call = run("work", 2);
    const timeout = new Timeout(50).start(call);
    await driver.settle();
    driver.advance(50);
    await driver.settle();
    if (killMode === "errno") gates.open(0, 1);
    assert.equal(await rejection(call), timeout);
    assert.equal(driver.timers, 0);
  }
});

Deno.test("Timeouts that are nested around a guest's call are told apart", async () => {
  const { hub, guest, driver, gates } = await openWork(soft, {
    onTaint: "allow",
  });
  const inner = new Timeout(10);
  const outer = new Timeout(100);
  const log: string[] = [];
  const greenlet = hub.spawn(async (greenlet) => {
    outer.start(greenlet);
    inner.start(greenlet);
    const first = await rejection(guest.run(greenlet, "work", [1]));
    log.push(first === inner ? "inner" : "other");
    await guest.run(greenlet, "work", [1]);
  });
  await driver.settle();
  driver.advance(10);
  await driver.settle();
  assert.deepEqual(log, ["inner"]);
  driver.advance(90);
  assert.equal(await rejection(greenlet), outer);
  assert.equal(gates.waiting, 2);
});

Deno.test("Timeout in mode errno leaves the guest a grace time, then unwinds it", async () => {
  const { run, driver, notes } = await openWork(soft);
  const call = run("work", 1_000);
  const timeout = new Timeout(50).start(call);
  await driver.settle();
  driver.advance(50);
  await driver.settle();
  assert.deepEqual(notes, [ECANCELED], "one call fails, the next one waits");
  driver.advance(4_999);
  await driver.settle();
  assert.equal(call.state, "suspended");
  driver.advance(1);
  assert.equal(await rejection(call), timeout);
  assert.equal(driver.timers, 0);
});

// -- Force --

Deno.test("Greenlet.abort() ends a guest that waits, in both modes and for work that must end", async () => {
  for (const killMode of ["throw", "errno"] as const) {
    for (const onInterrupt of ["abandon", "finish"] as const) {
      const { run, driver } = await openWork({ ...soft, onInterrupt }, {
        killMode,
      });
      const call = run("work", 2);
      await driver.settle();
      const reason = new Error("closed");
      call.abort(reason);
      assert.equal(await rejection(call), reason);
      assert.equal(driver.timers, 0);
    }
  }
});

Deno.test("Guest keeps greenlets apart while some of them are killed", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, {
    env: { wait: suspending(() => gates.pass(), { interrupted: () => 1_000 }) },
  }, { concurrency: "interleaved", killMode: "errno", stackSize: 1_024 });
  const calls = Array.from({ length: 20 }, (_, i) => run("twice", i));
  await driver.settle();
  for (let i = 0; i < 20; i += 2) void calls[i]!.kill();
  await driver.settle();
  while (gates.waiting > 0) {
    gates.open(1, gates.waiting - 1);
    await driver.settle();
  }
  for (const [i, call] of calls.entries()) {
    if (i % 2 === 0) assert.equal(call.state, "killed");
    else assert.equal(await call, 2);
  }
  assert.equal(guest.tainted, undefined);
  assert.equal(guest.call("sp"), 65_536);
});
