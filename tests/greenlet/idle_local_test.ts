import assert from "node:assert/strict";
import { GreenletLocal } from "../../src/greenlet/local.ts";
import { idle } from "../../src/greenlet/idle.ts";
import { nap, threadTest } from "../support/thread_hub.ts";

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
