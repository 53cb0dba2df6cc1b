import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

// -- Spawn options --

threadTest(
  "spawn() with a signal: aborting kills with the reason as cause",
  async ({ hub, pass }) => {
    const controller = new AbortController();
    const greenlet = hub.spawn(() => nap(100), { signal: controller.signal });
    await pass();
    controller.abort("enough");
    await pass();
    assert.equal(greenlet.state, "killed");
    assert.ok(greenlet.error instanceof GreenletKilledError);
    assert.equal(greenlet.error.cause, "enough");
  },
);

threadTest(
  "spawn() with a signal that is aborted already never runs",
  async ({ hub, pass }) => {
    let ran = false;
    const signal = AbortSignal.abort("enough");
    const greenlet = hub.spawn(() => ran = true, { signal });
    await pass();
    assert.deepEqual([greenlet.state, ran, hub.live], ["killed", false, 0]);
  },
);

threadTest(
  "spawn() with a signal takes its listener back at the end",
  async ({ hub, pass }) => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    hub.spawn(() => {}, { signal });
    assert.equal(listeners, 1);
    await pass();
    assert.equal(listeners, 0);
  },
);

threadTest(
  "spawn() with a timeout: the greenlet gets a Timeout",
  async ({ hub, pass }) => {
    const greenlet = hub.spawn(() => nap(100), { timeout: 10 });
    const seen = rejection(greenlet);
    await pass(10);
    assert.ok(await seen instanceof Timeout);
    await hub.spawn(() => 1, { timeout: 10 });
    assert.throws(() => hub.spawn(() => 1, { timeout: -1 }), RangeError);
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "spawn() notes parent and stack only where the hub tracks spawns",
  async ({ hub }) => {
    const plain = hub.spawn(() => 1);
    assert.deepEqual([plain.parent, plain.spawnStack], [undefined, undefined]);
    hub.trackSpawns = true;
    const top = hub.spawn((self) => {
      const child = hub.spawn(() => 1);
      assert.equal(child.parent, self);
      assert.match(child.spawnStack ?? "", /spawn_test/);
      return child.get();
    });
    assert.equal(top.parent, undefined);
    await Promise.all([plain, top]);
  },
);

// -- spawnLater() --

threadTest("spawnLater() starts after its delay", async ({ hub, pass }) => {
  const greenlet = hub.spawnLater(10, () => 7);
  await pass(9);
  assert.equal(greenlet.state, "queued");
  await pass(1);
  assert.equal(greenlet.value, 7);
});

threadTest(
  "spawnLater() that is killed before never runs, fires its links and leaves no timer",
  async ({ hub, driver, pass }) => {
    let ran = false;
    let linked = false;
    const greenlet = hub.spawnLater(10, () => ran = true);
    greenlet.link(() => linked = true);
    await greenlet.kill();
    assert.equal(driver.timers, 0);
    await pass(10);
    assert.deepEqual([ran, linked, hub.live], [false, true, 0]);
  },
);

threadTest(
  "spawnLater() with no time to wait starts in the order of the spawns",
  async ({ hub, pass }) => {
    const order: number[] = [];
    hub.spawnLater(0, () => order.push(1));
    hub.spawn(() => order.push(2));
    hub.spawnLater(-5, () => order.push(3));
    await pass();
    assert.deepEqual(order, [1, 2, 3]);
    assert.throws(() => hub.spawnLater(NaN, () => {}), RangeError);
  },
);

// -- Self-kill --

threadTest(
  "Greenlet.kill() of oneself does not hang, and hits the next wait",
  async ({ hub, pass }) => {
    const steps: string[] = [];
    const greenlet = hub.spawn(async (self) => {
      await self.kill("self");
      steps.push("goes on");
      await nap(10);
      steps.push("never");
    });
    await pass();
    assert.equal(greenlet.state, "killed");
    assert.deepEqual(steps, ["goes on"]);
  },
);

threadTest(
  "Greenlet.kill() is no wait of the killer",
  async ({ hub, pass }) => {
    const slow = hub.spawn(() => nap(10).finally(() => nap(50)));
    await pass();
    const killer = hub.spawn(() => slow.kill());
    await pass();
    assert.equal(killer.blockedOn, undefined);
    await pass(50);
    assert.equal(killer.state, "succeeded");
  },
);

threadTest(
  "Greenlet.kill() of a parent leaves its children alone",
  async ({ hub, pass }) => {
    let child: ReturnType<typeof hub.spawn> | undefined;
    const parent = hub.spawn(() => {
      child = hub.spawn(() => nap(10));
      return nap(100);
    });
    await pass();
    await parent.kill();
    assert.equal(child?.ended, false);
    await pass(10);
    assert.equal(child?.state, "succeeded");
  },
);
