import assert from "node:assert/strict";
import { Event } from "../../../src/greenlet/sync/mod.ts";
import { microtasks } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("Event.set() wakes all who wait, in their order, in greenlets and outside", async () => {
  using thread = virtualThread();
  const event = new Event();
  const woken: number[] = [];
  const body = async (index: number) => {
    assert.equal(await event.wait(), true);
    woken.push(index);
  };
  for (let i = 0; i < 6; i++) {
    if (i % 2 === 0) thread.hub.spawn(() => body(i));
    else void body(i);
    await thread.driver.settle();
  }
  assert.equal(event.stats().waiting, 6);
  event.set();
  assert.deepEqual(woken, []);
  await thread.driver.settle();
  assert.deepEqual(woken, [0, 1, 2, 3, 4, 5]);
  assert.equal(event.isSet, true);
});

for (const waiters of [1, 100, 1_000]) {
  Deno.test(`Event.set() and clear() at once wake ${waiters} waiters with true`, async () => {
    using thread = virtualThread();
    const event = new Event();
    const greenlets = Array.from(
      { length: waiters },
      () => thread.hub.spawn(() => event.wait()),
    );
    await thread.driver.settle();
    event.set();
    event.clear();
    await thread.driver.settle();
    for (const greenlet of greenlets) assert.equal(await greenlet, true);
    assert.equal(event.isSet, false);
    let late = false;
    void event.wait().then(() => late = true);
    await thread.driver.settle();
    assert.equal(late, false);
    event.set();
    await thread.driver.settle();
  });
}

Deno.test("Event.wait() on a flag that is up stands behind those who were woken before", async () => {
  using thread = virtualThread();
  const event = new Event();
  const order: number[] = [];
  for (const index of [1, 2]) {
    thread.hub.spawn(async () => {
      await event.wait();
      order.push(index);
    });
  }
  await thread.driver.settle();
  event.set();
  void event.wait().then(() => order.push(3));
  await thread.driver.settle();
  assert.deepEqual(order, [1, 2, 3]);
});

Deno.test("Event.wait() on a flag that is up ends with a timeout of 0 as well", async () => {
  using thread = virtualThread();
  const event = new Event();
  event.set();
  assert.equal(await event.wait({ timeout: 0 }), true);
  event.clear();
  const late = event.wait({ timeout: 0 });
  thread.driver.advance(0);
  assert.equal(await late, false);
});

Deno.test("Event.wait() in a loop never starves the event loop", async () => {
  using thread = virtualThread();
  const event = new Event();
  event.set();
  let turns = 0;
  let stopped = false;
  const greenlet = thread.hub.spawn(async () => {
    while (!stopped) {
      await event.wait();
      thread.driver.compute(1);
      turns += 1;
    }
  });
  // If it never gave way, this would never return.
  await microtasks();
  assert(turns > 0 && turns < 1_000);
  stopped = true;
  await thread.driver.settle();
  await greenlet;
});

Deno.test("Event that is closed refuses waits although its flag is up", async () => {
  using thread = virtualThread();
  let event: Event;
  {
    using closing = event = new Event();
    closing.set();
  }
  await assert.rejects(event.wait(), {
    name: "ResourceClosedError",
    message: "Cannot wait for the event: it is closed",
  });
  assert.deepEqual(event.stats(), { set: true, waiting: 0, closed: true });
  assert.equal(Object.isFrozen(event.stats()), true);
  event.set();
  await thread.driver.settle();
});
