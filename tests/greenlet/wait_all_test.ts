import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import { iwait } from "../../src/greenlet/iwait.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { joinAll, killAll, wait } from "../../src/greenlet/wait_all.ts";
import { nap, type Thread, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

function naps({ hub }: Thread, ...times: number[]) {
  return times.map((time) => hub.spawn(() => nap(time).then(() => time)));
}

// -- joinAll(), wait() --

threadTest(
  "joinAll() gives all in the order in which they end",
  async (thread) => {
    const [slow, fast] = naps(thread, 3, 1);
    const join = joinAll([slow!, fast!]);
    await thread.pass(3);
    assert.deepEqual((await join).map(({ value }) => value), [1, 3]);
    assert.equal((await joinAll([slow!, fast!])).length, 2);
    assert.deepEqual(await joinAll([]), []);
  },
);

threadTest("joinAll() with a count waits for as many", async (thread) => {
  const greenlets = naps(thread, 3, 1, 2);
  const join = joinAll(greenlets, { count: 2 });
  await thread.pass(2);
  assert.deepEqual((await join).map(({ value }) => value), [1, 2]);
  assert.deepEqual(await joinAll(greenlets, { count: 0 }), []);
  assert.equal(greenlets[0]!.links, 0);
  await thread.pass(1);
});

threadTest(
  "joinAll() gives what has ended when the time is over",
  async (thread) => {
    const greenlets = naps(thread, 1, 2, 100);
    const join = joinAll(greenlets, { timeout: 10 });
    for (const time of [1, 1, 8]) await thread.pass(time);
    assert.deepEqual((await join).map(({ value }) => value), [1, 2]);
    assert.equal(greenlets[2]!.links, 0);
    await killAll(greenlets);
  },
);

threadTest(
  "joinAll({ raiseError }) rejects at the first failure; others go on",
  async (thread) => {
    const reason = new Error("x");
    const [slow] = naps(thread, 100);
    const failed = thread.hub.spawn(() => Promise.reject(reason));
    const join = rejection(joinAll([slow!, failed], { raiseError: true }));
    await thread.pass();
    assert.equal(await join, reason);
    assert.equal(slow!.ended, false);
    assert.equal(slow!.links, 0);
    await thread.pass(100);
    assert.equal(slow!.value, 100);
  },
);

threadTest(
  "joinAll() does not reject otherwise, and a kill is no failure",
  async ({ hub, pass }) => {
    const failed = hub.spawn(() => Promise.reject(new Error("x")));
    assert.deepEqual(await joinAll([failed]), [failed]);
    const killed = hub.spawn(() => nap(1));
    const join = joinAll([killed], { raiseError: true });
    await pass();
    await killed.kill();
    assert.deepEqual(await join, [killed]);
  },
);

threadTest(
  "joinAll() is a wait: a kill ends it and takes its links back",
  async (thread) => {
    const greenlets = naps(thread, 100, 100);
    const waiter = thread.hub.spawn(() => joinAll(greenlets));
    await thread.pass();
    assert.deepEqual(greenlets.map(({ links }) => links), [1, 1]);
    await waiter.kill();
    assert.equal(waiter.state, "killed");
    assert.deepEqual(greenlets.map(({ links }) => links), [0, 0]);
    await killAll(greenlets);
  },
);

threadTest("joinAll() does not lose an outer Timeout", async (thread) => {
  const greenlets = naps(thread, 100);
  const waiter = thread.hub.spawn(async (self) => {
    using outer = new Timeout(10).start(self);
    return await rejection(joinAll(greenlets, { timeout: 50 })) === outer;
  });
  await thread.pass(10);
  assert.equal(await waiter, true);
  await killAll(greenlets);
});

threadTest(
  "wait() counts an object once and refuses bad limits",
  async (thread) => {
    const [one] = naps(thread, 1);
    const waiting = wait([one!, one!]);
    await thread.pass(1);
    assert.equal((await waiting).length, 1);
    assert.equal(
      (await rejection(wait([one!], { count: -1 }))) instanceof RangeError,
      true,
    );
    assert.equal(
      (await rejection(wait([one!], { timeout: NaN }))) instanceof RangeError,
      true,
    );
  },
);

threadTest("wait() ends with its signal's reason", async (thread) => {
  const greenlets = naps(thread, 100);
  const controller = new AbortController();
  const waiting = rejection(wait(greenlets, { signal: controller.signal }));
  await thread.pass();
  controller.abort("enough");
  assert.equal(await waiting, "enough");
  assert.equal(greenlets[0]!.links, 0);
  await killAll(greenlets);
});

// -- iwait() --

threadTest("iwait() gives those that are ready first", async (thread) => {
  const [late, early] = naps(thread, 5, 1);
  await thread.pass(1);
  const seen: unknown[] = [];
  const reader = thread.hub.spawn(async () => {
    for await (const { object } of iwait([late!, early!])) {
      seen.push(object.value);
    }
  });
  await thread.pass();
  assert.deepEqual(seen, [1]);
  await thread.pass(4);
  await reader;
  assert.deepEqual(seen, [1, 5]);
});

threadTest(
  "iwait() links nothing before it is asked, and nothing after it is left",
  async (thread) => {
    const greenlets = naps(thread, 1, 100, 100);
    const links = () => greenlets.map((each) => each.links);
    const iterator = iwait(greenlets);
    assert.deepEqual(links(), [0, 0, 0]);
    const reader = thread.hub.spawn(async () => {
      for await (const _ of iterator) break;
    });
    await thread.pass();
    assert.deepEqual(links(), [1, 1, 1]);
    await thread.pass(1);
    await reader;
    assert.deepEqual(links(), [0, 0, 0]);
    assert.equal((await iterator.next()).done, true);
    await killAll(greenlets);
  },
);

threadTest("iwait() goes on where its reader was killed", async (thread) => {
  const greenlets = naps(thread, 5, 6);
  const iterator = iwait(greenlets);
  const reader = thread.hub.spawn(() => iterator.next());
  await thread.pass();
  await reader.kill();
  await thread.pass(6);
  assert.equal((await iterator.next()).value?.object, greenlets[0]);
  assert.equal((await iterator.next()).value?.object, greenlets[1]);
  assert.equal((await iterator.next()).done, true);
});

threadTest(
  "iwait() ends when its time is over, which counts from the first step",
  async (thread) => {
    const greenlets = naps(thread, 5, 9, 100);
    const seen: unknown[] = [];
    const reader = thread.hub.spawn(async () => {
      for await (const { object } of iwait(greenlets, { timeout: 10 })) {
        seen.push(object.value);
      }
    });
    for (const time of [5, 4, 1]) await thread.pass(time);
    await reader;
    assert.deepEqual(seen, [5, 9]);
    assert.equal(greenlets[2]!.links, 0);
    await killAll(greenlets);
  },
);

// -- killAll() --

threadTest(
  "killAll() ends all, started or not, and any iterable",
  async (thread) => {
    const started = naps(thread, 10, 10);
    await thread.pass();
    const queued = thread.hub.spawn(() => 1);
    await killAll(new Set([...started, queued]), "enough");
    for (const greenlet of [...started, queued]) {
      assert.ok(greenlet.error instanceof GreenletKilledError);
      assert.equal(greenlet.error.cause, "enough");
    }
    await killAll([]);
  },
);

threadTest(
  "killAll() rejects with a Timeout when they do not end in time",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(100).finally(() => nap(50)));
    await pass();
    const killing = rejection(killAll([greenlet], undefined, { timeout: 10 }));
    await pass(10);
    assert.ok(await killing instanceof Timeout);
    await pass(40);
    assert.equal(greenlet.state, "killed");
  },
);

threadTest("killAll() by one of them does not hang", async (thread) => {
  const [other] = naps(thread, 10);
  const self = thread.hub.spawn(async (self) => {
    await killAll([self, other!]);
    await nap(1);
  });
  await thread.pass();
  assert.deepEqual([self.state, other!.state], ["killed", "killed"]);
});
