import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { waitFor } from "../../src/greenlet/wait_for.ts";
import { Gate } from "../support/gate.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection, unhandledRejections } from "../support/virtual_hub.ts";

threadTest(
  "waitFor() ends as its promise does, in a greenlet and outside",
  async ({ hub }) => {
    const reason = new Error("x");
    assert.equal(await waitFor(Promise.resolve(1)), 1);
    assert.equal(await hub.spawn(() => waitFor(Promise.resolve(2))), 2);
    assert.equal(await rejection(waitFor(Promise.reject(reason))), reason);
    const failed = hub.spawn(() => waitFor(Promise.reject(reason)));
    assert.equal(await rejection(failed), reason);
  },
);

threadTest(
  "waitFor() is a wait: a kill ends it, and a late error is dropped",
  async ({ hub, pass }) => {
    const gate = new Gate();
    const seen = await unhandledRejections(async () => {
      const greenlet = hub.spawn(() => waitFor(gate.promise));
      await pass();
      assert.equal(greenlet.blockedOn, "waitFor()");
      await greenlet.kill();
      assert.equal(greenlet.state, "killed");
      gate.fail(new Error("late"));
      await pass();
    });
    assert.deepEqual(seen, []);
  },
);

threadTest(
  "waitFor() ends with its timeout or an outer one",
  async ({ hub, pass }) => {
    const gate = new Gate();
    const own = rejection(waitFor(gate.promise, { timeout: 5 }));
    const outer = hub.spawn(async (self) => {
      using timeout = new Timeout(5).start(self);
      return await rejection(waitFor(gate.promise, { timeout: 50 })) ===
        timeout;
    });
    await pass(5);
    assert.ok(await own instanceof Timeout);
    assert.equal(await outer, true);
  },
);

threadTest(
  "Greenlet whose body returns another one can be killed there, and the other goes on",
  async ({ hub, pass }) => {
    const inner = hub.spawn(() => nap(10).then(() => 7));
    const outer = hub.spawn(() => inner);
    const happy = hub.spawn(() => inner);
    await pass();
    await outer.kill();
    assert.equal(outer.state, "killed");
    await pass(10);
    assert.equal(await happy, 7);
  },
);

threadTest(
  "Greenlet that awaits another one without get() goes on to its next wait",
  async ({ hub, pass }) => {
    const steps: unknown[] = [];
    const inner = hub.spawn(() => nap(10).then(() => 7));
    const outer = hub.spawn(async () => {
      steps.push(await inner);
      await nap(1);
      steps.push("never");
    });
    await pass();
    void outer.kill();
    await pass(10);
    assert.deepEqual(steps, [7]);
    assert.ok(outer.error instanceof GreenletKilledError);
  },
);

threadTest(
  "Greenlet's kill is not swallowed by handlers that nobody awaits",
  async ({ hub, pass }) => {
    const inner = hub.spawn(() => nap(50).then(() => Promise.reject("inner")));
    const handled: unknown[] = [];
    const outer = hub.spawn(async () => {
      inner.catch((error) => handled.push(error));
      void inner.then(() => {}, (error) => handled.push(error));
      await nap(100);
    });
    await pass();
    await outer.kill();
    assert.equal(outer.state, "killed");
    assert.deepEqual(handled, []);
    await pass(50);
    assert.deepEqual(handled, ["inner", "inner"]);
  },
);
