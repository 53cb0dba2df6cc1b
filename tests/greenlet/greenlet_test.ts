import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import type { Wait } from "../../src/greenlet/wait.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import {
  rejection,
  unhandledRejections,
  virtualHub,
  waitFor,
} from "../support/virtual_hub.ts";

// -- Awaiting --

Deno.test("Greenlet resolves with what its body returns, at once or later", async () => {
  const { hub } = virtualHub();
  assert.equal(await hub.spawn(() => 1), 1);
  assert.equal(await hub.spawn(() => Promise.resolve(2)), 2);
  assert.equal(await hub.spawn(() => hub.spawn(() => 3)), 3);
  assert.equal(await hub.spawn(() => undefined), undefined);
});

Deno.test("Greenlet rejects with the same object that its body threw", async () => {
  const { hub } = virtualHub();
  for (const reason of [new Error("x"), "text", undefined, null]) {
    const failed = hub.spawn(() => {
      throw reason;
    });
    assert.equal(await rejection(failed), reason);
    assert.equal(failed.state, "failed");
  }
  const later = hub.spawn(() => Promise.reject("late"));
  assert.equal(await rejection(later), "late");
});

Deno.test("Greenlet can be awaited many times, before and after its end", async () => {
  const { hub } = virtualHub();
  const greenlet = hub.spawn(() => ({ value: 1 }));
  const [first, second] = await Promise.all([greenlet, greenlet]);
  assert.equal(first, second);
  assert.equal(await greenlet, first);
  assert.equal(await greenlet.finally(() => {}), first);
});

Deno.test("Greenlet.catch() and finally() behave as a promise's", async () => {
  const { hub } = virtualHub();
  const failed = hub.spawn(() => {
    throw "x";
  });
  let cleaned = false;
  assert.equal(await failed.catch((error) => `caught ${error}`), "caught x");
  const error = await rejection(failed.finally(() => void (cleaned = true)));
  assert.equal(error, "x");
  assert.equal(cleaned, true);
});

Deno.test("Greenlet that fails unobserved is an unhandled rejection", async () => {
  const { hub, driver } = virtualHub();
  const reason = new Error("nobody looks");
  const seen = await unhandledRejections(async () => {
    hub.spawn(() => {
      throw reason;
    });
    await driver.settle();
  });
  assert.deepEqual(seen, [reason]);
});

Deno.test("Greenlet that is killed unobserved is no unhandled rejection", async () => {
  const { hub, driver } = virtualHub();
  const seen = await unhandledRejections(async () => {
    const queued = hub.spawn(() => {});
    void queued.kill();
    const waiting = hub.spawn((greenlet) => sleepIn(greenlet, 1_000));
    await driver.settle();
    void waiting.kill();
    await driver.settle();
    assert.equal(waiting.state, "killed");
  });
  assert.deepEqual(seen, []);
});

Deno.test("Greenlet that fails with another one's kill has failed, and is reported", async () => {
  const { hub, driver } = virtualHub();
  const seen = await unhandledRejections(async () => {
    const inner = hub.spawn((greenlet) => sleepIn(greenlet, 1_000));
    const outer = hub.spawn(() => inner);
    await driver.settle();
    await inner.kill();
    await driver.settle();
    assert.equal(inner.state, "killed");
    assert.equal(outer.state, "failed");
  });
  assert.equal(seen.length, 1);
  assert.ok(seen[0] instanceof GreenletKilledError);
});

Deno.test("Greenlet.join() never rejects", async () => {
  const { hub } = virtualHub();
  const failed = hub.spawn(() => {
    throw new Error("x");
  });
  assert.equal(await failed.join(), undefined);
  assert.equal(await failed.join(), undefined);
  const killed = hub.spawn((greenlet) => sleepIn(greenlet, 1));
  void killed.kill();
  assert.equal(await killed.join(), undefined);
  assert.equal(await hub.spawn(() => 1).join(), undefined);
});

// -- Life --

Deno.test("Greenlet.state follows its life", async () => {
  const { hub, driver } = virtualHub();
  const states: string[] = [];
  let wait: Wait<void> | undefined;
  const greenlet = hub.spawn(async (greenlet) => {
    states.push(greenlet.state);
    wait = waitFor(greenlet, "a label");
    states.push(greenlet.state);
    await wait.suspend();
    states.push(greenlet.state);
  });
  assert.equal(greenlet.state, "queued");
  assert.equal(greenlet.ended, false);
  await driver.settle();
  assert.equal(greenlet.state, "suspended");
  assert.equal(greenlet.blockedOn, "a label");
  wait!.settle();
  await greenlet;
  assert.deepEqual(states, ["running", "suspended", "running"]);
  assert.equal(greenlet.state, "succeeded");
  assert.equal(greenlet.blockedOn, undefined);
  assert.equal(greenlet.ended, true);
});

Deno.test("Greenlet has an id and a name", async () => {
  const { hub } = virtualHub();
  const first = hub.spawn(() => {});
  const second = hub.spawn(() => {}, { name: "worker" });
  assert.deepEqual([first.id, second.id], [1, 2]);
  assert.deepEqual([first.name, second.name], ["greenlet-1", "worker"]);
  await Promise.all([first, second]);
});

Deno.test("Greenlet.onEnd() runs once at the end, in order, and can be taken back", async () => {
  const { hub, driver } = virtualHub();
  const order: string[] = [];
  const greenlet = hub.spawn((greenlet) => sleepIn(greenlet, 1));
  greenlet.onEnd(() => order.push(`first ${greenlet.state}`));
  const takeBack = greenlet.onEnd(() => order.push("never"));
  greenlet.onEnd(() => order.push("second"));
  takeBack();
  await driver.settle();
  assert.deepEqual(order, []);
  driver.advance(1);
  await greenlet;
  assert.deepEqual(order, ["first succeeded", "second"]);
});

Deno.test("Greenlet with two waits at once is blocked on the inner one, whichever ends first", async () => {
  const { hub, driver } = virtualHub();
  const waits: Wait<void>[] = [];
  const greenlet = hub.spawn((greenlet) => {
    for (const label of ["outer", "inner"]) {
      waits.push(waitFor(greenlet, label));
    }
    return Promise.all(waits.map((wait) => wait.suspend()));
  });
  await driver.settle();
  assert.equal(greenlet.blockedOn, "inner");
  waits[0]!.settle();
  await driver.settle();
  assert.equal(greenlet.blockedOn, "inner");
  waits[1]!.settle();
  await greenlet;
});
