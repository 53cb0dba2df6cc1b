import assert from "node:assert/strict";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import { Wait } from "../../src/greenlet/wait.ts";
import { integer, seededRandom } from "../support/random.ts";
import { microtasks, virtualHub, waitFor } from "../support/virtual_hub.ts";

const SEED = Number(Deno.env.get("HUB_SEED") ?? 20261124);

// -- Order --

Deno.test("Hub.spawn() never runs the body before the caller has given way", async () => {
  const { hub } = virtualHub();
  let ran = false;
  const greenlet = hub.spawn(() => {
    ran = true;
  });
  assert.equal(ran, false);
  assert.equal(greenlet.state, "queued");
  await greenlet;
  assert.equal(ran, true);
});

Deno.test("Hub.spawn() inside a body waits for its turn", async () => {
  const { hub } = virtualHub();
  const order: string[] = [];
  let inner: Greenlet<unknown> | undefined;
  const outer = hub.spawn(() => {
    inner = hub.spawn(() => void order.push("inner"));
    order.push("outer");
  });
  await outer;
  await inner;
  assert.deepEqual(order, ["outer", "inner"]);
});

Deno.test("Hub starts greenlets in the order of their spawns", async () => {
  const { hub, driver } = virtualHub();
  const order: number[] = [];
  for (let i = 0; i < 100; i++) hub.spawn(() => void order.push(i));
  await driver.settle();
  assert.deepEqual(order, Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("sleepIn() of zero lets all that is ready have its turn first", async () => {
  const { hub, driver } = virtualHub();
  const order: string[] = [];
  for (const name of ["a", "b", "c"]) {
    hub.spawn(async (greenlet) => {
      for (let round = 0; round < 3; round++) {
        order.push(`${name}${round}`);
        await sleepIn(greenlet, 0);
      }
    });
  }
  await driver.settle();
  const expected = ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"];
  assert.deepEqual(order, expected);
});

Deno.test("sleepIn() wakes greenlets in the order of their timers", async () => {
  const { hub, driver } = virtualHub();
  const order: number[] = [];
  for (const delay of [30, 10, 20, 10]) {
    hub.spawn(async (greenlet) => {
      await sleepIn(greenlet, delay);
      order.push(delay);
    });
  }
  await driver.settle();
  driver.advance(15);
  await driver.settle();
  assert.deepEqual(order, [10, 10]);
  driver.advance(100);
  await driver.settle();
  assert.deepEqual(order, [10, 10, 20, 30]);
  assert.equal(driver.timers, 0);
});

Deno.test("Hub.live counts greenlets that have not ended", async () => {
  const { hub, driver } = virtualHub();
  const waits: Wait<void>[] = [];
  for (let i = 0; i < 3; i++) {
    hub.spawn((greenlet) => {
      const wait = waitFor(greenlet);
      waits.push(wait);
      return wait.suspend();
    });
  }
  const never = hub.spawn(() => {});
  assert.equal(hub.live, 4);
  void never.kill();
  assert.equal(hub.live, 3);
  await driver.settle();
  waits[0]!.settle();
  await driver.settle();
  assert.equal(hub.live, 2);
  for (const wait of waits) wait.settle();
  await driver.settle();
  assert.equal(hub.live, 0);
});

Deno.test("Wait settled before it is suspended does not let a later one overtake", async () => {
  const { hub } = virtualHub();
  const order: string[] = [];
  let late: Wait<void> | undefined;
  let begin: (() => void) | undefined;
  hub.spawn(async (greenlet) => {
    late = waitFor(greenlet);
    await late.suspend();
    order.push("second");
  });
  hub.spawn(async (greenlet) => {
    await new Promise<void>((resolve) => begin = resolve);
    const wait = waitFor(greenlet);
    queueMicrotask(() => late?.settle());
    wait.settle();
    await wait.suspend();
    order.push("first");
  });
  await microtasks();
  begin?.();
  await microtasks();
  assert.deepEqual(order, ["first", "second"]);
});

/** One schedule of random settlements; returns the two orders. */
async function randomSchedule(
  seed: number,
): Promise<{ settled: number[]; resumed: number[] }> {
  const random = seededRandom(seed);
  const { hub, driver } = virtualHub();
  const settled: number[] = [];
  const resumed: number[] = [];
  const armed: { id: number; wait: Wait<void> }[] = [];
  let id = 0;
  const greenlets = 2 + integer(random, 30);
  const rounds = 1 + integer(random, 6);
  const settleOne = () => {
    const [next] = armed.splice(integer(random, armed.length), 1);
    if (next === undefined) return;
    settled.push(next.id);
    next.wait.settle();
  };
  for (let g = 0; g < greenlets; g++) {
    hub.spawn(async (greenlet) => {
      for (let round = 0; round < rounds; round++) {
        const wait = waitFor(greenlet);
        const own = id++;
        const early = random() < 0.3;
        if (early) {
          settled.push(own);
          wait.settle();
        } else armed.push({ id: own, wait });
        if (random() < 0.3) queueMicrotask(settleOne);
        await wait.suspend();
        resumed.push(own);
        if (random() < 0.2) driver.compute(random() * 3);
        if (random() < 0.4) settleOne();
      }
    });
  }
  await microtasks();
  while (hub.live > 0) {
    const many = 1 + integer(random, 5);
    for (let i = 0; i < many; i++) {
      if (random() < 0.5) settleOne();
      else queueMicrotask(settleOne);
    }
    if (random() < 0.5) driver.runHops();
    if (random() < 0.5) await microtasks();
    else await Promise.resolve();
  }
  return { settled, resumed };
}

Deno.test(`Hub resumes in the order of settling in 500 random schedules (HUB_SEED=${SEED})`, async () => {
  for (let i = 0; i < 500; i++) {
    const { settled, resumed } = await randomSchedule(SEED + i);
    assert.deepEqual(resumed, settled, `HUB_SEED=${SEED + i}`);
  }
});

// -- Fairness --

Deno.test("Hub hops when waits that are always over have used up the slice", async () => {
  const { hub, driver } = virtualHub();
  const rounds = [0, 0, 0];
  const turns: number[] = [];
  let stop = false;
  for (let g = 0; g < rounds.length; g++) {
    hub.spawn(async (greenlet) => {
      while (!stop) {
        rounds[g]! += 1;
        turns.push(g);
        driver.compute(0.1);
        const wait = new Wait<void>(greenlet, "ready");
        wait.settle();
        await wait.suspend();
      }
    });
  }
  await microtasks();
  assert.equal(driver.pendingHops, 1, "the event loop was starved");
  assert.ok(driver.now() >= 5 && driver.now() < 10, `${driver.now()} ms`);
  for (let i = 0; i < 20; i++) {
    const before = driver.now();
    driver.runHops();
    await microtasks();
    const slice = driver.now() - before;
    assert.ok(slice >= 5 - 0.11 && slice < 10, `${slice} ms`);
  }
  const [most, least] = [Math.max(...rounds), Math.min(...rounds)];
  assert.ok(most - least <= 1, `turns: ${rounds}`);
  for (let i = 3; i < turns.length; i++) assert.equal(turns[i], turns[i - 3]);
  stop = true;
  await driver.settle();
});

Deno.test("Hub hops for a single greenlet that never has to wait", async () => {
  const { hub, driver } = virtualHub();
  let rounds = 0;
  let stop = false;
  hub.spawn(async (greenlet) => {
    while (!stop && rounds < 100_000) {
      rounds += 1;
      driver.compute(0.001);
      const wait = waitFor(greenlet, "ready");
      wait.settle();
      await wait.suspend();
    }
  });
  for (let slice = 1; slice <= 10; slice++) {
    await microtasks();
    assert.equal(driver.pendingHops, 1, "the event loop was starved");
    driver.runHops();
  }
  stop = true;
  await driver.settle();
});

Deno.test("Hub gives the event loop a turn after each long resumption", async () => {
  const { hub, driver } = virtualHub();
  let longest = 0;
  let rounds = 0;
  for (let g = 0; g < 40; g++) {
    hub.spawn(async (greenlet) => {
      for (let round = 0; round < 20; round++) {
        driver.compute(4);
        rounds += 1;
        await sleepIn(greenlet, 0);
      }
    });
  }
  let warm = false;
  while (hub.live > 0) {
    const before = driver.now();
    await microtasks();
    driver.runHops();
    const gap = driver.now() - before;
    if (warm) longest = Math.max(longest, gap);
    warm ||= rounds > 100;
  }
  assert.ok(longest <= 10, `the event loop waited ${longest} ms`);
});

Deno.test("Hub.admitCall() declines when the slice is used up, until the event loop had its turn", async () => {
  const { hub, driver } = virtualHub();
  assert.equal(hub.admitCall(), true);
  driver.compute(6);
  let calls = 0;
  while (hub.admitCall() && calls < 10_000) calls += 1;
  assert.ok(calls <= 256, `${calls} calls after the slice`);
  assert.equal(hub.admitCall(), false);
  let ran = false;
  hub.spawn(() => void (ran = true));
  await microtasks();
  assert.equal(ran, false, "ran before the event loop's turn");
  driver.runHops();
  assert.equal(ran, true);
  assert.equal(hub.admitCall(), true);
});

Deno.test("Hub with a longer slice hops later", async () => {
  const { hub, driver } = virtualHub({ timeSlice: 50 });
  hub.spawn(async (greenlet) => {
    for (let i = 0; i < 100; i++) {
      driver.compute(1);
      await sleepIn(greenlet, 0);
    }
  });
  await microtasks();
  assert.ok(driver.now() >= 50 && driver.now() < 60, `${driver.now()} ms`);
  await driver.settle();
});
