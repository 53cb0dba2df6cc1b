import assert from "node:assert/strict";
import { GreenletKilledError, HedgesnakeError } from "../../src/errors.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import type { Wait } from "../../src/greenlet/wait.ts";
import { rejection, virtualHub, waitFor } from "../support/virtual_hub.ts";

Deno.test("Greenlet.kill() before the start: the body never runs", async () => {
  const { hub, driver } = virtualHub();
  let ran = false;
  const greenlet = hub.spawn(() => void (ran = true), { name: "query" });
  await greenlet.kill("too late");
  await driver.settle();
  assert.equal(ran, false);
  assert.equal(greenlet.state, "killed");
  const error = await rejection(greenlet);
  assert.ok(error instanceof GreenletKilledError);
  assert.ok(error instanceof HedgesnakeError);
  assert.equal(error.cause, "too late");
  assert.equal(error.message, "Cannot finish 'query': it was killed");
});

Deno.test("Greenlet.kill() of a waiting one wakes it with the error", async () => {
  const { hub, driver } = virtualHub();
  let caught: unknown;
  const greenlet = hub.spawn(async (greenlet) => {
    try {
      await sleepIn(greenlet, 1_000);
    } catch (error) {
      caught = error;
      throw error;
    }
  });
  await driver.settle();
  const killing = greenlet.kill();
  assert.equal(greenlet.ended, false, "ended inside the call");
  await killing;
  assert.equal(greenlet.state, "killed");
  assert.ok(caught instanceof GreenletKilledError);
  assert.equal(await rejection(greenlet), caught);
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() of one that has ended does nothing", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn(() => 7);
  await greenlet;
  await greenlet.kill();
  assert.equal(greenlet.state, "succeeded");
  assert.equal(await greenlet, 7);
  const failed = hub.spawn(() => {
    throw new Error("x");
  });
  await failed.join();
  await failed.kill();
  assert.equal(failed.state, "failed");
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() twice ends it once, with the first kill's error", async () => {
  const { hub, driver } = virtualHub();
  let wakes = 0;
  const greenlet = hub.spawn(async (greenlet) => {
    try {
      await sleepIn(greenlet, 1_000);
    } finally {
      wakes += 1;
      await sleepIn(greenlet, 10);
    }
  });
  await driver.settle();
  const both = Promise.all([greenlet.kill("first"), greenlet.kill("second")]);
  await driver.settle();
  driver.advance(10);
  await both;
  assert.equal(wakes, 1);
  const error = await rejection(greenlet);
  assert.ok(error instanceof GreenletKilledError);
  assert.equal(error.cause, "first");
});

Deno.test("Greenlet.kill() in the tick in which the wait was settled keeps the value and hits the next wait", async () => {
  const { hub, driver } = virtualHub();
  let wait: Wait<string> | undefined;
  let received: string | undefined;
  let reached = false;
  const greenlet = hub.spawn(async (greenlet) => {
    wait = waitFor<string>(greenlet);
    received = await wait.suspend();
    await sleepIn(greenlet, 1_000);
    reached = true;
  });
  await driver.settle();
  wait!.settle("a message");
  await greenlet.kill();
  assert.equal(received, "a message");
  assert.equal(reached, false);
  assert.equal(greenlet.state, "killed");
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() of one that ends without another wait comes too late", async () => {
  const { hub, driver } = virtualHub();
  let wait: Wait<string> | undefined;
  const greenlet = hub.spawn((greenlet) => {
    wait = waitFor<string>(greenlet);
    return wait.suspend();
  });
  await driver.settle();
  wait!.settle("done");
  await greenlet.kill();
  assert.equal(greenlet.state, "succeeded");
  assert.equal(await greenlet, "done");
});

Deno.test("Greenlet.kill() from its own body hits its next wait", async () => {
  const { hub, driver } = virtualHub();
  let after = false;
  const greenlet = hub.spawn(async (greenlet) => {
    void greenlet.kill("self");
    assert.equal(greenlet.interrupted, true);
    await sleepIn(greenlet, 1_000);
    after = true;
  });
  await driver.settle();
  assert.equal(greenlet.state, "killed");
  assert.equal(after, false);
});

// -- Grace --

/** A greenlet whose clean-up takes a number of waits of 100 ms each. */
function slowCleanUp(
  hub: ReturnType<typeof virtualHub>["hub"],
  steps: number,
): { greenlet: ReturnType<typeof hub.spawn>; log: string[] } {
  const log: string[] = [];
  const greenlet = hub.spawn(async (greenlet) => {
    try {
      await sleepIn(greenlet, 100_000);
    } finally {
      for (let i = 0; i < steps; i++) {
        try {
          await sleepIn(greenlet, 100);
          log.push(`step ${i}`);
        } catch {
          log.push(`cut ${i}`);
        }
      }
    }
  });
  return { greenlet, log };
}

Deno.test("Greenlet.kill() shields the clean-up until the grace time is over", async () => {
  const { hub, driver } = virtualHub();
  const { greenlet, log } = slowCleanUp(hub, 4);
  await driver.settle();
  const killing = greenlet.kill(undefined, { grace: 250 });
  for (let i = 0; i < 4; i++) {
    await driver.settle();
    driver.advance(100);
  }
  await killing;
  assert.deepEqual(log, ["step 0", "step 1", "cut 2", "cut 3"]);
  assert.equal(greenlet.state, "killed");
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() has a grace of five seconds by default", async () => {
  const { hub, driver } = virtualHub();
  const { greenlet, log } = slowCleanUp(hub, 60);
  await driver.settle();
  void greenlet.kill();
  for (let i = 0; i < 60 && !greenlet.ended; i++) {
    await driver.settle();
    driver.advance(100);
  }
  await driver.settle();
  const done = log.filter((line) => line.startsWith("step")).length;
  assert.ok(done === 49 || done === 50, `${done} steps`);
  assert.equal(greenlet.ended, true);
});

Deno.test("Greenlet.kill() with a grace of zero cuts every later wait short", async () => {
  const { hub, driver } = virtualHub();
  const { greenlet, log } = slowCleanUp(hub, 2);
  await driver.settle();
  await greenlet.kill(undefined, { grace: 0 });
  assert.deepEqual(log, ["cut 0", "cut 1"]);
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() again with less grace shortens the clean-up", async () => {
  const { hub, driver } = virtualHub();
  const { greenlet, log } = slowCleanUp(hub, 50);
  await driver.settle();
  void greenlet.kill();
  await driver.settle();
  driver.advance(100);
  await driver.settle();
  assert.deepEqual(log, ["step 0"]);
  const killing = greenlet.kill(undefined, { grace: 50 });
  driver.advance(60);
  await driver.settle();
  await killing;
  assert.equal(log.filter((line) => line.startsWith("step")).length, 1);
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() again with more grace does not lengthen the clean-up", async () => {
  const { hub, driver } = virtualHub();
  const { greenlet, log } = slowCleanUp(hub, 3);
  await driver.settle();
  void greenlet.kill(undefined, { grace: 150 });
  await driver.settle();
  void greenlet.kill(undefined, { grace: 100_000 });
  for (let i = 0; i < 3; i++) {
    driver.advance(100);
    await driver.settle();
  }
  assert.deepEqual(log, ["step 0", "cut 1", "cut 2"]);
  assert.equal(greenlet.ended, true);
});

Deno.test("Greenlet.kill() during the clean-up does not disturb it", async () => {
  const { hub, driver } = virtualHub();
  const { greenlet, log } = slowCleanUp(hub, 3);
  await driver.settle();
  for (let i = 0; i < 3; i++) {
    void greenlet.kill(`reason ${i}`);
    await driver.settle();
    driver.advance(100);
    await driver.settle();
  }
  assert.deepEqual(log, ["step 0", "step 1", "step 2"]);
  assert.equal(greenlet.state, "killed");
});

Deno.test("Greenlet that swallows its kill and returns has succeeded", async () => {
  const { hub, driver } = virtualHub();
  const greenlet = hub.spawn(async (greenlet) => {
    await sleepIn(greenlet, 1_000).catch(() => {});
    return "survived";
  });
  await driver.settle();
  await greenlet.kill();
  assert.equal(await greenlet, "survived");
  assert.equal(greenlet.state, "succeeded");
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() with two waits at once reaches the outer one too", async () => {
  const { hub, driver } = virtualHub();
  let inner: Wait<void> | undefined;
  const greenlet = hub.spawn(async (greenlet) => {
    const outer = waitFor(greenlet, "outer");
    inner = waitFor(greenlet, "inner");
    await Promise.all([outer.suspend(), inner.suspend()]);
  });
  await driver.settle();
  // The ready queue is not empty, so that the inner wait is over and has not run on.
  hub.spawn(() => {});
  inner!.settle();
  void greenlet.kill();
  await driver.settle();
  assert.equal(greenlet.state, "killed");
});

// -- abort() --

Deno.test("Greenlet.abort() ends a queued, a waiting and a shielded one at once", async () => {
  const { hub, driver } = virtualHub();
  const queued = hub.spawn(() => "never");
  const reason = new Error("closed");
  queued.abort(reason);
  assert.equal(await rejection(queued), reason);
  const waiting = hub.spawn((greenlet) => sleepIn(greenlet, 1_000));
  const { greenlet: shielded, log } = slowCleanUp(hub, 2);
  await driver.settle();
  void shielded.kill();
  await driver.settle();
  waiting.abort(reason);
  shielded.abort(reason);
  await driver.settle();
  assert.equal(await rejection(waiting), reason);
  assert.deepEqual(log, ["cut 0", "cut 1"]);
  assert.equal(shielded.ended, true);
  assert.equal(driver.timers, 0);
});
