import assert from "node:assert/strict";
import { HedgesnakeError } from "../../src/errors.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import type { Wait } from "../../src/greenlet/wait.ts";
import { rejection, virtualHub, waitFor } from "../support/virtual_hub.ts";

Deno.test("Timeout makes the greenlet reject with this very object", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 1_000));
  const timeout = new Timeout(100).start(greenlet);
  assert.equal(timeout.pending, true);
  await driver.settle();
  driver.advance(99);
  await driver.settle();
  assert.equal(greenlet.ended, false);
  driver.advance(1);
  assert.equal(await rejection(greenlet), timeout);
  assert.equal(greenlet.state, "failed");
  assert.equal(timeout.pending, false);
  assert.ok(timeout instanceof HedgesnakeError);
  assert.equal(timeout.message, "Timed out after 100 ms");
  assert.equal(driver.timers, 0);
});

Deno.test("Timeout is cancelled when the greenlet ends and leaves no timer", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 10));
  const timeout = new Timeout(100).start(greenlet);
  await driver.settle();
  driver.advance(10);
  await greenlet;
  assert.equal(driver.timers, 0);
  assert.equal(timeout.pending, false);
  const killed = hub.spawn(() => {});
  new Timeout(100).start(killed);
  await killed.kill();
  assert.equal(driver.timers, 0);
});

Deno.test("Timeout at the end of a using block is cancelled", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn(async (greenlet) => {
    {
      using _timeout = new Timeout(100).start(greenlet);
      await sleepIn(greenlet, 50);
    }
    assert.equal(driver.timers, 0);
    await sleepIn(greenlet, 200);
    return "done";
  });
  await driver.settle();
  driver.advance(50);
  await driver.settle();
  driver.advance(200);
  assert.equal(await greenlet, "done");
});

Deno.test("Timeout that fires in the tick in which its block ends does not hit a later wait", async () => {
  const { hub, driver } = virtualHub();
  let wait: Wait<void> | undefined;
  const greenlet = hub.spawn(async (greenlet) => {
    {
      using _timeout = new Timeout(100).start(greenlet);
      wait = waitFor(greenlet);
      await wait.suspend();
    }
    await sleepIn(greenlet, 10);
    return "done";
  });
  await driver.settle();
  wait!.settle();
  driver.advance(100);
  await driver.settle();
  driver.advance(10);
  assert.equal(await greenlet, "done");
});

Deno.test("Timeout that is cancelled after it has been delivered keeps its effect", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 1_000));
  const timeout = new Timeout(100).start(greenlet);
  await driver.settle();
  driver.advance(100);
  timeout.cancel();
  assert.equal(await rejection(greenlet), timeout);
});

Deno.test("Timeouts that are nested are told apart by identity", async () => {
  const { hub, driver } = virtualHub();
  const log: string[] = [];
  const greenlet = hub.spawn(async (greenlet) => {
    using outer = new Timeout(100).start(greenlet);
    try {
      using inner = new Timeout(200).start(greenlet);
      try {
        await sleepIn(greenlet, 1_000);
      } catch (error) {
        log.push(error === inner ? "inner" : "not inner");
        throw error;
      }
    } catch (error) {
      log.push(error === outer ? "outer" : "not outer");
    }
    using second = new Timeout(10).start(greenlet);
    const error = await rejection(sleepIn(greenlet, 1_000));
    log.push(error === second ? "second" : "not second");
  });
  await driver.settle();
  driver.advance(100);
  await driver.settle();
  driver.advance(10);
  await greenlet;
  assert.deepEqual(log, ["not inner", "outer", "second"]);
  assert.equal(driver.timers, 0);
});

Deno.test("Timeouts of two levels that fire in one tick both arrive, one wait after the other", async () => {
  const { hub, driver } = virtualHub();
  const seen: unknown[] = [];
  const first = new Timeout(10);
  const second = new Timeout(10);
  const greenlet = hub.spawn(async (greenlet) => {
    first.start(greenlet);
    second.start(greenlet);
    for (let i = 0; i < 2; i++) {
      seen.push(await rejection(sleepIn(greenlet, 100)));
    }
  });
  await driver.settle();
  driver.advance(10);
  await greenlet;
  assert.deepEqual(seen.map((error) => error === first), [true, false]);
  assert.equal(seen[1], second);
});

Deno.test("Timeout of a greenlet that computes hits its next wait", async () => {
  const { hub, driver } = virtualHub();
  const timeout = new Timeout(5);
  const greenlet = hub.spawn(async (greenlet) => {
    timeout.start(greenlet);
    driver.advance(50);
    assert.equal(greenlet.interrupted, true);
    await sleepIn(greenlet, 1);
  });
  assert.equal(await rejection(greenlet), timeout);
  assert.equal(driver.timers, 0);
});

Deno.test("Timeout of a queued greenlet ends it before it starts", async () => {
  const { hub, driver } = virtualHub();
  let ran = false;
  const greenlet = hub.spawn(() => void (ran = true));
  const timeout = new Timeout(0).start(greenlet);
  driver.advance(0);
  assert.equal(await rejection(greenlet), timeout);
  await driver.settle();
  assert.equal(ran, false);
});

Deno.test("Timeout does not disturb the clean-up of a killed greenlet", async () => {
  const { hub, driver } = virtualHub();
  let cleaned = false;
  const greenlet = hub.spawn(async (greenlet) => {
    try {
      await sleepIn(greenlet, 1_000);
    } finally {
      await sleepIn(greenlet, 50);
      cleaned = true;
    }
  });
  new Timeout(20).start(greenlet);
  await driver.settle();
  const killing = greenlet.kill();
  await driver.settle();
  driver.advance(50);
  await killing;
  assert.equal(cleaned, true);
  assert.equal(greenlet.state, "killed");
  assert.equal(driver.timers, 0);
});

Deno.test("Timeout without a delay never fires", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 10));
  const timeout = new Timeout().start(greenlet);
  assert.equal(timeout.pending, false);
  await driver.settle();
  driver.advance(10);
  await greenlet;
});

Deno.test("Timeout refuses delays that are none and a second start", async () => {
  assert.throws(() => new Timeout(-1), RangeError);
  assert.throws(() => new Timeout(NaN), RangeError);
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 10));
  const timeout = new Timeout(100).start(greenlet);
  assert.throws(() => timeout.start(greenlet), TypeError);
  timeout.cancel();
  timeout.start(greenlet);
  assert.equal(timeout.pending, true);
  await driver.settle();
  driver.advance(10);
  await greenlet;
  assert.equal(timeout.start(greenlet).pending, false);
  assert.equal(driver.timers, 0);
});

Deno.test("Timeout can be used again after it has fired", async () => {
  const { hub, driver } = virtualHub();
  const timeout = new Timeout(10);
  for (let i = 0; i < 2; i++) {
    const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 100));
    timeout.start(greenlet);
    await driver.settle();
    driver.advance(10);
    assert.equal(await rejection(greenlet), timeout);
  }
});
