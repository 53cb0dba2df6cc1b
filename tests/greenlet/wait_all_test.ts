import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import { GreenletLocal } from "../../src/greenlet/local.ts";
import { idle } from "../../src/greenlet/idle.ts";
import { iwait } from "../../src/greenlet/iwait.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { joinAll, killAll, wait } from "../../src/greenlet/wait_all.ts";
import { withTimeout } from "../../src/greenlet/with_timeout.ts";
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

// -- withTimeout() --

threadTest(
  "withTimeout() returns what its body returns and leaves no timer",
  async ({ hub, driver }) => {
    assert.equal(await withTimeout(10, () => 7), 7);
    assert.equal(
      await hub.spawn(() => withTimeout(10, () => nap(0))),
      undefined,
    );
    assert.equal(await withTimeout(undefined, () => 8), 8);
    assert.equal(driver.timers, 0);
  },
);

threadTest(
  "withTimeout() throws its own timeout, or returns a value",
  async ({ hub, pass }) => {
    const own: unknown[] = [];
    const thrown = rejection(withTimeout(10, (timeout) => {
      own.push(timeout);
      return nap(100);
    }));
    const value = hub.spawn(() =>
      withTimeout(10, () => nap(100), { value: "late" })
    );
    await pass(10);
    assert.deepEqual(await thrown, own[0]);
    assert.equal(await value, "late");
  },
);

threadTest(
  "withTimeout() does not take an outer timeout for its own",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(async (self) => {
      using outer = new Timeout(10).start(self);
      const error = await rejection(
        withTimeout(20, () => nap(100), { value: "inner" }),
      );
      return error === outer;
    });
    await pass(10);
    assert.equal(await greenlet, true);
  },
);

threadTest(
  "withTimeout() whose inner one fires leaves the outer one running",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn((self) =>
      withTimeout(20, async (outer) => {
        const value = await withTimeout(10, () => nap(100), { value: "inner" });
        assert.equal(value, "inner");
        assert.equal(outer.pending, true);
        assert.equal(await rejection(nap(100)), outer);
        assert.equal(self.ended, false);
        return "done";
      })
    );
    await pass(10);
    await pass(10);
    assert.equal(await greenlet, "done");
  },
);

threadTest(
  "withTimeout() passes errors and kills on",
  async ({ hub, pass }) => {
    const reason = new Error("x");
    const failing = () =>
      withTimeout(10, () => Promise.reject(reason), { value: 1 });
    assert.equal(await rejection(failing()), reason);
    const killed = hub.spawn(() => withTimeout(10, () => nap(5), { value: 1 }));
    await pass();
    await killed.kill();
    assert.equal(killed.state, "killed");
    assert.ok(await rejection(withTimeout(-1, () => 1)) instanceof RangeError);
  },
);

threadTest(
  "Timeout fires inside an endless loop of waits that are over at once",
  async ({ hub, driver, pass }) => {
    let rounds = 0;
    const greenlet = hub.spawn((self) => {
      const timeout = new Timeout(10).start(self);
      return rejection((async () => {
        for (;;) {
          await nap(0);
          if (++rounds % 10 === 0) driver.advance(1);
        }
      })()).then((error) => error === timeout);
    });
    await pass();
    assert.equal(await greenlet, true);
    assert.equal(rounds, 100);
  },
);

// -- idle() --

threadTest(
  "idle() resumes when nobody else is ready",
  async ({ hub, pass }) => {
    const order: string[] = [];
    const patient = hub.spawn(() => idle().then(() => order.push("idle")));
    const busy = hub.spawn(async () => {
      for (let i = 0; i < 2_000; i++) await nap(0);
      order.push("busy");
    });
    await pass();
    await Promise.all([patient, busy]);
    assert.deepEqual(order, ["busy", "idle"]);
    await Promise.all([idle(), pass()]);
  },
);

threadTest("idle() is a wait: a kill ends it", async ({ hub, pass }) => {
  const greenlet = hub.spawn(() => idle());
  const busy = hub.spawn(async () => {
    for (let i = 0; i < 100; i++) await nap(0);
    void greenlet.kill();
    for (let i = 0; i < 100; i++) await nap(0);
  });
  await pass();
  await busy;
  assert.equal(greenlet.state, "killed");
});

// -- GreenletLocal --

threadTest(
  "GreenletLocal has a value for each greenlet, kept across its waits",
  async ({ hub, pass }) => {
    const local = new GreenletLocal(() => ({ count: 0 }));
    local.value.count = 100;
    const greenlets = [1, 2, 3].map((x) =>
      hub.spawn(async () => {
        assert.equal(local.isSet, false);
        local.value.count += x;
        await nap(1);
        local.value.count += x;
        return local.value.count;
      })
    );
    await pass(1);
    assert.deepEqual(greenlets.map(({ value }) => value), [2, 4, 6]);
    assert.equal(local.value.count, 100);
  },
);

threadTest(
  "GreenletLocal begins anew in a child, and can be set and cleared",
  async ({ hub }) => {
    const local = new GreenletLocal(() => "initial");
    await hub.spawn(async () => {
      local.value = "parent";
      await hub.spawn(() => assert.equal(local.value, "initial")).get();
      assert.equal(local.value, "parent");
      local.value = "other";
      assert.equal(local.value, "other");
      local.clear();
      assert.equal(local.value, "initial");
    });
    assert.equal(local.isSet, false);
    local.value = "outside";
    assert.equal(local.value, "outside");
    local.clear();
    assert.equal(local.isSet, false);
  },
);

threadTest(
  "GreenletLocal keeps nothing for a greenlet that has ended",
  async ({ hub, pass }) => {
    const local = new GreenletLocal(() => 1);
    let late: boolean | undefined;
    hub.spawn(() => {
      local.value = 2;
      // Still in the context of the greenlet, which has ended by then.
      setTimeout(() => late = local.isSet, 0);
    });
    await pass();
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(late, false);
  },
);
