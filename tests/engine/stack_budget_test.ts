import assert from "node:assert/strict";
import { suspending } from "../../src/engine/host_function.ts";
import { StackBudget } from "../../src/engine/stack_budget.ts";
import { Gates } from "../support/gate.ts";
import { openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { microtasks, rejection, virtualHub } from "../support/virtual_hub.ts";

async function openParking(
  limit: number,
  concurrency: "exclusive" | "interleaved" = "interleaved",
) {
  const gates = new Gates<number>();
  const order: number[] = [];
  const opened = await openGuest(WAITING_GUEST, {
    env: {
      wait: suspending((value: number) => {
        order.push(value);
        return gates.pass();
      }),
    },
  }, {
    concurrency,
    stacks: new StackBudget(limit),
    stackSize: 1_024,
    onTaint: "allow",
  });
  return { ...opened, gates, order };
}

Deno.test("StackBudget counts what is taken and given back", () => {
  const stacks = new StackBudget(2);
  assert.equal(stacks.limit, 2);
  assert.equal(stacks.tryAcquire(), true);
  assert.equal(stacks.tryAcquire(), true);
  assert.equal(stacks.tryAcquire(), false);
  assert.equal(stacks.used, 2);
  stacks.release();
  assert.equal(stacks.used, 1);
  assert.equal(stacks.tryAcquire(), true);
});

Deno.test("StackBudget admits beyond its limit only for callbacks, up to the reserve", () => {
  const stacks = new StackBudget(2);
  let taken = 0;
  while (stacks.tryAcquireReserve()) taken += 1;
  assert.equal(taken, 2 + 1_024);
  assert.equal(stacks.used, taken);
});

Deno.test("StackBudgets on one counter share their stacks", () => {
  const counter = new SharedArrayBuffer(4);
  const [here, there] = [
    new StackBudget(3, counter),
    new StackBudget(3, counter),
  ];
  assert.equal(here.tryAcquire(), true);
  assert.equal(there.tryAcquire(), true);
  assert.equal(here.used, 2);
  assert.equal(here.tryAcquire(), true);
  assert.equal(there.tryAcquire(), false);
  here.release();
  assert.equal(there.tryAcquire(), true);
});

Deno.test("StackBudget.tryAcquire() does not barge in when another thread gave a stack back", async () => {
  const counter = new SharedArrayBuffer(4);
  const [here, there] = [
    new StackBudget(1, counter),
    new StackBudget(1, counter),
  ];
  assert.equal(there.tryAcquire(), true);
  const { hub, driver } = virtualHub();
  const waiter = hub.spawn((greenlet) => here.acquire(greenlet));
  await driver.settle();
  there.release();
  assert.equal(here.tryAcquire(), false);
  assert.equal(waiter.ended, false);
  await waiter.kill();
  await waiter.join();
  assert.equal(here.tryAcquire(), true);
});

Deno.test("Guest queues calls beyond the cap, first in, first out", async () => {
  const { run, driver, gates, order, stacks } = await openParking(2);
  const calls = [1, 2, 3, 4, 5, 6].map((value) => run("frame", value));
  await driver.settle();
  assert.deepEqual(order, [1, 2]);
  assert.equal(stacks.waiting, 4);
  assert.equal(calls[2]!.blockedOn, "a free stack");
  for (let i = 0; i < 6; i++) {
    gates.open(10 + i);
    await driver.settle();
    assert.ok(gates.waiting <= 2);
  }
  assert.deepEqual(order, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await Promise.all(calls), [10, 11, 12, 13, 14, 15]);
  assert.equal(stacks.waiting, 0);
  assert.equal(stacks.used, 0);
});

Deno.test("Guest does not let a new call barge in before those that wait for a stack", async () => {
  const { run, driver, gates, order } = await openParking(1);
  const first = [run("frame", 1), run("frame", 2)];
  await driver.settle();
  gates.open(0);
  await Promise.resolve();
  const late = run("frame", 3);
  await driver.settle();
  gates.open(0);
  await driver.settle();
  gates.open(0);
  await Promise.all([...first, late]);
  assert.deepEqual(order, [1, 2, 3]);
});

Deno.test("Guest's call that is killed in the queue for a stack takes none", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { run, driver, gates, order, stacks, guest } = await openParking(
      1,
      concurrency,
    );
    const other = await openParking(1, concurrency);
    assert.equal(stacks.tryAcquire(), true);
    const calls = [1, 2, 3].map((value) => run("frame", value));
    await driver.settle();
    assert.equal(gates.waiting, 0);
    await calls[0]!.kill();
    await calls[2]!.kill();
    assert.equal(stacks.used, 1);
    stacks.release();
    await driver.settle();
    assert.deepEqual(order, [2]);
    gates.open(5);
    assert.equal(await calls[1], 5);
    await driver.settle();
    assert.equal(stacks.used, 0);
    assert.equal(guest.running, 0);
    assert.equal(other.stacks.used, 0);
  }
});

Deno.test("Guest's call that is killed when it has just got its stack gives it back", async () => {
  const { run, driver, gates, order, stacks } = await openParking(1);
  assert.equal(stacks.tryAcquire(), true);
  const call = run("frame", 1);
  await driver.settle();
  stacks.release();
  await call.kill();
  await driver.settle();
  assert.equal(call.state, "killed");
  assert.deepEqual(order, [], "the kill hits its first wait");
  assert.equal(gates.waiting, 0);
  assert.equal(stacks.used, 0);
});

Deno.test("StackBudget gives shares back after a trim, when the event loop had its turn", async () => {
  const { run, driver, gates, stacks } = await openParking(1_000);
  const calls = Array.from({ length: 10 }, (_, i) => run("frame", i));
  await driver.settle();
  assert.equal(stacks.used, 10);
  while (gates.waiting > 0) gates.open(0);
  await Promise.all(calls);
  assert.equal(stacks.used, 10, "the stacks are still mapped");
  await driver.settle();
  assert.equal(stacks.used, 0);
});

Deno.test("StackBudget gives shares back at the next start", async () => {
  const { run, driver, gates, stacks } = await openParking(1_000);
  const call = run("frame", 1);
  await driver.settle();
  gates.open(0);
  await call;
  assert.equal(stacks.used, 1);
  const next = run("frame", 1);
  await microtasks();
  assert.equal(gates.waiting, 1);
  assert.equal(stacks.used, 1);
  gates.open(0);
  await next;
  await driver.settle();
});

Deno.test("StackBudget trims after every 256 endings", async () => {
  const { run, driver, gates, stacks } = await openParking(1_000);
  const calls = Array.from({ length: 300 }, (_, i) => run("frame", i));
  await driver.settle();
  assert.equal(stacks.used, 300);
  while (gates.waiting > 0) gates.open(0);
  await Promise.all(calls);
  assert.equal(stacks.used, 300 - 256);
  await driver.settle();
  assert.equal(stacks.used, 0);
});

Deno.test("StackBudget.acquire() rejects for a greenlet with a pending kill", async () => {
  const stacks = new StackBudget(1);
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => {
    void greenlet.kill();
    return stacks.acquire(greenlet);
  });
  await driver.settle();
  await rejection(greenlet);
  assert.equal(greenlet.state, "killed");
  assert.equal(stacks.used, 0);
  assert.equal(stacks.waiting, 0);
});

Deno.test("Guest with many short calls never uses more than the cap", async () => {
  const { run, driver, gates, stacks } = await openParking(8);
  const calls = Array.from({ length: 500 }, (_, i) => run("twice", i));
  let most = 0;
  while (calls.some((call) => !call.ended)) {
    await driver.settle();
    most = Math.max(most, stacks.used);
    while (gates.waiting > 0) gates.open(1);
  }
  assert.equal(most, 8);
  assert.deepEqual(await Promise.all(calls), calls.map(() => 2));
});
