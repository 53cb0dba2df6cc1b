import assert from "node:assert/strict";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { withTimeout } from "../../src/greenlet/with_timeout.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

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

threadTest(
  "withTimeout() limits a body that returns a greenlet",
  async ({ hub, pass }) => {
    const slow = hub.spawn(() => nap(1_000));
    const limited = withTimeout(50, () => slow, { value: "late" });
    await pass(50);
    assert.equal(await limited, "late");
    assert.equal(slow.ended, false, "it is not killed");
    await pass(950);
    await slow;
  },
);
