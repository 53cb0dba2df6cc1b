import assert from "node:assert/strict";
import type { GreenletEvent } from "../../src/greenlet/observer.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import type { Wait } from "../../src/greenlet/wait.ts";
import { WaitQueue } from "../../src/greenlet/wait_queue.ts";
import { rejection, virtualHub, waitFor } from "../support/virtual_hub.ts";

Deno.test("Wait.settle() never resumes inside the call", async () => {
  const { hub, driver } = virtualHub();
  let wait: Wait<string> | undefined;
  let got: string | undefined;
  hub.spawn(async (greenlet) => {
    wait = waitFor<string>(greenlet);
    got = await wait.suspend();
  });
  await driver.settle();
  wait!.settle("value");
  assert.equal(got, undefined);
  await driver.settle();
  assert.equal(got, "value");
});

Deno.test("Wait counts the first outcome and ignores later ones", async () => {
  const { hub, driver } = virtualHub();
  let wait: Wait<string> | undefined;
  const greenlet = hub.spawn((greenlet) => {
    wait = waitFor<string>(greenlet);
    return wait.suspend();
  });
  await driver.settle();
  wait!.settle("first");
  wait!.settle("second");
  wait!.fail(new Error("third"));
  assert.equal(wait!.interrupt(new Error("fourth")), false);
  assert.equal(await greenlet, "first");
  wait!.settle("late");
});

Deno.test("Wait.fail() rejects with the same object, also when it is not an Error", async () => {
  const { hub } = virtualHub();
  for (const reason of [new Error("x"), "text", undefined, null, 0]) {
    const early = hub.spawn((greenlet) => {
      const wait = waitFor(greenlet);
      wait.fail(reason);
      return wait.suspend();
    });
    const late = hub.spawn((greenlet) => {
      const wait = waitFor(greenlet);
      queueMicrotask(() => wait.fail(reason));
      return wait.suspend();
    });
    assert.equal(await rejection(early), reason);
    assert.equal(await rejection(late), reason);
  }
});

Deno.test("Wait.interrupt() releases what the wait holds, settle() does not", async () => {
  const { hub, driver } = virtualHub();
  const released: string[] = [];
  const body = (name: string) =>
    hub.spawn((greenlet) => {
      const wait = waitFor(greenlet);
      wait.release = () => released.push(name);
      if (name === "settled") queueMicrotask(() => wait.settle());
      return wait.suspend();
    });
  const killed = body("killed");
  await body("settled");
  await killed.kill();
  assert.deepEqual(released, ["killed"]);
  await driver.settle();
});

Deno.test("sleepIn() that is killed leaves no timer", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 1_000));
  await driver.settle();
  assert.equal(driver.timers, 1);
  assert.equal(greenlet.blockedOn, "sleep");
  await greenlet.kill();
  assert.equal(driver.timers, 0);
});

Deno.test("WaitQueue passes over waits that were interrupted", async () => {
  const { hub, driver } = virtualHub();
  const queue = new WaitQueue<number>();
  const woken: number[] = [];
  const greenlets = [0, 1, 2, 3, 4].map((index) =>
    hub.spawn(async (greenlet) => {
      const wait = waitFor<number>(greenlet);
      queue.push(wait);
      woken.push(index, await wait.suspend());
    })
  );
  await driver.settle();
  void greenlets[0]!.kill();
  void greenlets[3]!.kill();
  assert.equal(queue.peek()?.greenlet, greenlets[1]);
  for (let value = 10; queue.peek() !== undefined; value++) {
    queue.shift()?.settle(value);
  }
  await driver.settle();
  assert.deepEqual(woken, [1, 10, 2, 11, 4, 12]);
});

Deno.test("WaitQueue.length counts those that still wait", async () => {
  const { hub, driver } = virtualHub();
  const queue = new WaitQueue<void>();
  const greenlets = [0, 1, 2].map(() =>
    hub.spawn((greenlet) => {
      const wait = waitFor(greenlet);
      queue.push(wait);
      return wait.suspend();
    })
  );
  await driver.settle();
  assert.equal(queue.length, 3);
  await greenlets[1]!.kill();
  assert.equal(queue.length, 2);
  await greenlets[0]!.kill();
  assert.equal(queue.length, 1);
  queue.shift()?.settle();
  assert.equal(queue.length, 0);
  await driver.settle();
});

Deno.test("Hub.observer sees start, suspend, resume and end, balanced and in order", async () => {
  const { hub, driver } = virtualHub();
  const seen: string[] = [];
  const depth = new Map<string, number>();
  hub.observer = (event: GreenletEvent, { name }, label) => {
    seen.push(`${name} ${event}${label === undefined ? "" : ` ${label}`}`);
    const change = { start: 0, suspend: 1, resume: -1, end: 0 }[event];
    depth.set(name, (depth.get(name) ?? 0) + change);
    assert.ok(depth.get(name)! >= 0);
  };
  const body = (name: string) =>
    hub.spawn(async (greenlet) => {
      await sleepIn(greenlet, 0);
      const ready = waitFor(greenlet, "ready");
      ready.settle();
      await ready.suspend();
      await sleepIn(greenlet, 10);
    }, { name });
  const a = body("a");
  const b = body("b");
  await driver.settle();
  await b.kill();
  driver.advance(10);
  await a;
  const expected = (name: string) => [
    `${name} start`,
    `${name} suspend sleep`,
    `${name} resume sleep`,
    `${name} suspend ready`,
    `${name} resume ready`,
    `${name} suspend sleep`,
    `${name} resume sleep`,
    `${name} end`,
  ];
  for (const name of ["a", "b"]) {
    assert.deepEqual(
      seen.filter((line) => line.startsWith(name)),
      expected(name),
    );
    assert.equal(depth.get(name), 0);
  }
});
