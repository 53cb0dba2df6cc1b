import assert from "node:assert/strict";
import { DeadlockError, GreenletKilledError } from "../../src/errors.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection, unhandledRejections } from "../support/virtual_hub.ts";

// -- Outcome --

threadTest(
  "Greenlet tells its value when it has ended by returning",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => 7);
    assert.deepEqual([greenlet.ready, greenlet.successful], [false, false]);
    assert.equal(greenlet.value, undefined);
    await pass();
    assert.deepEqual([greenlet.ready, greenlet.successful], [true, true]);
    assert.deepEqual([greenlet.value, greenlet.error], [7, undefined]);
  },
);

threadTest(
  "Greenlet tells its error when it has failed",
  async ({ hub, pass }) => {
    const reason = new Error("x");
    const greenlet = hub.spawn(() => Promise.reject(reason));
    void greenlet.join();
    await pass();
    assert.deepEqual([greenlet.ready, greenlet.successful], [true, false]);
    assert.deepEqual([greenlet.value, greenlet.error], [undefined, reason]);
  },
);

threadTest(
  "Greenlet that was killed is not successful and has the kill for its error",
  async ({ hub }) => {
    const greenlet = hub.spawn(() => nap(10));
    await greenlet.kill();
    assert.equal(greenlet.successful, false);
    assert.ok(greenlet.error instanceof GreenletKilledError);
  },
);

threadTest(
  "Greenlet.spawn refuses a body that is no function",
  async ({ hub }) => {
    assert.throws(() => hub.spawn(7 as never), TypeError);
    assert.equal(hub.live, 0);
    await Promise.resolve();
  },
);

// -- get() --

threadTest(
  "Greenlet.get() returns the value, outside and in a greenlet, before and after the end",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(5).then(() => 7));
    const inside = hub.spawn(() => greenlet.get());
    const outside = greenlet.get();
    const limited = greenlet.get({ timeout: 100 });
    await pass(5);
    assert.deepEqual(await Promise.all([inside, outside, limited]), [7, 7, 7]);
    assert.equal(await greenlet.get({ timeout: 0 }), 7);
    assert.equal(await hub.spawn(() => greenlet.get()), 7);
  },
);

threadTest(
  "Greenlet.get() rejects with the greenlet's error",
  async ({ hub }) => {
    const reason = new Error("x");
    const greenlet = hub.spawn(() => Promise.reject(reason));
    const seen = await hub.spawn(() => rejection(greenlet.get()));
    assert.equal(seen, reason);
    assert.equal(await rejection(greenlet.get({ timeout: 1 })), reason);
  },
);

threadTest(
  "Greenlet.get() rejects with a Timeout, and the greenlet goes on",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(100).then(() => 7));
    const late = rejection(greenlet.get({ timeout: 10 }));
    const lateInside = hub.spawn(() =>
      rejection(greenlet.get({ timeout: 10 }))
    );
    await pass(10);
    assert.ok(await late instanceof Timeout);
    assert.ok(await lateInside instanceof Timeout);
    assert.equal(greenlet.ended, false);
    await pass(90);
    assert.equal(greenlet.value, 7);
  },
);

threadTest(
  "Greenlet.get() rejects with the very Timeout that was given",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(100));
    const timeout = new Timeout(10);
    const late = rejection(greenlet.get({ timeout }));
    await pass(10);
    assert.equal(await late, timeout);
    await greenlet.kill();
  },
);

threadTest(
  "Greenlet.get() ends with its signal's reason",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(100));
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = rejection(greenlet.get({ signal }));
    await pass();
    controller.abort("enough");
    assert.equal(await waiting, "enough");
    assert.equal(await rejection(greenlet.get({ signal })), "enough");
    await greenlet.kill();
  },
);

threadTest(
  "Greenlet.get() is a wait: a kill ends it and not the awaited one",
  async ({ hub, pass }) => {
    const awaited = hub.spawn(() => nap(100).then(() => 7), {
      name: "awaited",
    });
    const waiter = hub.spawn(() => awaited.get());
    await pass();
    assert.equal(waiter.blockedOn, "get awaited");
    await waiter.kill();
    assert.equal(waiter.state, "killed");
    await pass(100);
    assert.equal(awaited.value, 7);
  },
);

threadTest(
  "Greenlet.get() does not lose an outer Timeout",
  async ({ hub, pass }) => {
    const awaited = hub.spawn(() => nap(100));
    const waiter = hub.spawn(async (self) => {
      using outer = new Timeout(10).start(self);
      return await rejection(awaited.get({ timeout: 50 })) === outer;
    });
    await pass(10);
    assert.equal(await waiter, true);
    await awaited.kill();
  },
);

threadTest(
  "Greenlet.get() and join() of oneself are a deadlock, not a hang",
  async ({ hub }) => {
    await hub.spawn(async (self) => {
      assert.ok(await rejection(self.get()) instanceof DeadlockError);
      assert.ok(await rejection(self.join()) instanceof DeadlockError);
    });
  },
);

threadTest(
  "Greenlet that returns a wait for another one can be killed there",
  async ({ hub, pass }) => {
    const inner = hub.spawn(() => nap(100));
    const outer = hub.spawn(() => inner.get());
    await pass();
    await outer.kill();
    assert.equal(inner.ended, false);
    await inner.kill();
  },
);

// -- join() --

threadTest(
  "Greenlet.join() resolves after its timeout, and the greenlet goes on",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(100));
    const joins = [
      greenlet.join({ timeout: 10 }),
      hub.spawn(() => greenlet.join({ timeout: 10 })),
    ];
    await pass(10);
    assert.deepEqual(await Promise.all(joins), [undefined, undefined]);
    assert.equal(greenlet.ended, false);
    await greenlet.kill();
  },
);

threadTest(
  "Greenlet.join() never rejects with the greenlet's error",
  async ({ hub }) => {
    const failed = hub.spawn(() => Promise.reject(new Error("x")));
    await hub.spawn(() => failed.join());
    await failed.join({ timeout: 5 });
    const killed = hub.spawn(() => {});
    void killed.kill();
    await hub.spawn(() => killed.join());
  },
);

threadTest(
  "Greenlet.join() is a wait: a kill ends it",
  async ({ hub, pass }) => {
    const awaited = hub.spawn(() => nap(100));
    const waiter = hub.spawn(() => awaited.join());
    await pass();
    await waiter.kill();
    assert.equal(waiter.state, "killed");
    await awaited.kill();
  },
);

threadTest(
  "Greenlet is joined at the end of an await using block",
  async ({ hub, pass }) => {
    let kept: unknown;
    const waiter = hub.spawn(async () => {
      await using greenlet = hub.spawn(() => nap(10));
      kept = greenlet;
    });
    await pass(9);
    assert.equal(waiter.ended, false);
    await pass(1);
    assert.equal(waiter.ended, true);
    assert.ok(kept);
  },
);

// -- Links --

threadTest(
  "Greenlet.link() runs in a greenlet of its own, with the ended one",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => 7, { name: "work" });
    let current: string | undefined;
    let seen: unknown;
    greenlet.link(async (ended) => {
      current = hub.current?.name;
      await nap(10);
      seen = ended.value;
    });
    await pass();
    assert.equal(current, "link of work");
    assert.equal(seen, undefined);
    await pass(10);
    assert.equal(seen, 7);
  },
);

threadTest(
  "Greenlet's links fire once, in the order in which they were made",
  async ({ hub, pass }) => {
    const order: number[] = [];
    const greenlet = hub.spawn(() => {});
    for (let i = 0; i < 1_000; i++) greenlet.rawLink(() => order.push(i));
    await pass();
    assert.deepEqual(order, Array.from({ length: 1_000 }, (_, i) => i));
    assert.equal(greenlet.links, 0);
  },
);

threadTest(
  "Greenlet's links of both kinds that run in greenlets keep their order",
  async ({ hub, pass }) => {
    const order: string[] = [];
    const greenlet = hub.spawn(() => {});
    greenlet.link(() => order.push("a"));
    greenlet.linkValue(() => order.push("b"));
    greenlet.link(() => order.push("c"));
    await pass();
    assert.deepEqual(order, ["a", "b", "c"]);
  },
);

threadTest(
  "Greenlet.rawLink() made after the end fires, but not inside the call",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => 7);
    await pass();
    let fired = 0;
    greenlet.rawLink(() => fired += 1);
    greenlet.link(() => fired += 1);
    assert.equal(fired, 0);
    await pass();
    assert.equal(fired, 2);
  },
);

threadTest(
  "Greenlet.linkValue() and linkError() fire for their ends only",
  async ({ hub, pass }) => {
    const seen: string[] = [];
    const ends = {
      value: hub.spawn(() => 1),
      error: hub.spawn(() => Promise.reject(new Error("x"))),
      kill: hub.spawn(() => nap(10)),
    };
    for (const [name, greenlet] of Object.entries(ends)) {
      greenlet.linkValue(() => seen.push(`value ${name}`));
      greenlet.linkError(() => seen.push(`error ${name}`));
    }
    await pass();
    void ends.kill.kill();
    await pass();
    assert.deepEqual(seen, ["value value", "error error", "error kill"]);
  },
);

threadTest("Greenlet.unlink() takes one link back", async ({ hub, pass }) => {
  const seen: string[] = [];
  const greenlet = hub.spawn(() => {});
  const link = () => seen.push("link");
  greenlet.link(link);
  greenlet.rawLink(link);
  assert.equal(greenlet.links, 2);
  assert.equal(greenlet.unlink(link), true);
  assert.equal(greenlet.unlink(link), true);
  assert.equal(greenlet.unlink(link), false);
  greenlet.rawLink(() => seen.push("other"));
  await pass();
  assert.deepEqual(seen, ["other"]);
});

threadTest(
  "Greenlet's link may take later links back and make new ones",
  async ({ hub, pass }) => {
    const seen: string[] = [];
    const greenlet = hub.spawn(() => {});
    const never = () => seen.push("never");
    greenlet.rawLink(() => {
      seen.push("first");
      greenlet.unlink(never);
      greenlet.rawLink(() => seen.push("third"));
    });
    greenlet.rawLink(never);
    greenlet.rawLink(() => seen.push("second"));
    await pass();
    assert.deepEqual(seen, ["first", "second", "third"]);
  },
);

threadTest(
  "Greenlet.rawLink() that throws is reported, and later links run",
  async ({ hub, pass }) => {
    const reason = new Error("link");
    const seen: unknown[] = [];
    let ran = false;
    hub.onError = (error, greenlet) => seen.push(error, greenlet);
    const greenlet = hub.spawn(() => {});
    greenlet.rawLink(() => {
      throw reason;
    });
    greenlet.rawLink(() => ran = true);
    await pass();
    assert.deepEqual(seen, [reason, greenlet]);
    assert.equal(ran, true);
  },
);

threadTest(
  "Greenlet.rawLink() that throws is an unhandled rejection by default",
  async ({ hub, pass }) => {
    const reason = new Error("link");
    const seen = await unhandledRejections(async () => {
      hub.spawn(() => {}).rawLink(() => {
        throw reason;
      });
      await pass();
    });
    assert.deepEqual(seen, [reason]);
  },
);

threadTest(
  "Greenlet that is killed before its start fires its links",
  async ({ hub, pass }) => {
    let ran = false;
    let linked = 0;
    const greenlet = hub.spawn(() => ran = true);
    greenlet.link(() => linked += 1);
    greenlet.rawLink(() => linked += 1);
    void greenlet.kill();
    void greenlet.kill();
    await pass();
    assert.deepEqual([ran, linked], [false, 2]);
  },
);
