import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import { Group } from "../../src/greenlet/group.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

threadTest("Group has its members until they end", async ({ hub, pass }) => {
  const group = new Group();
  const fast = group.spawn(() => nap(1));
  const slow = hub.spawn(() => nap(2));
  group.add(slow);
  group.add(slow);
  assert.deepEqual([...group], [fast, slow]);
  assert.deepEqual([group.size, group.has(fast)], [2, true]);
  await pass(1);
  assert.deepEqual([...group], [slow]);
  await pass(1);
  assert.equal(group.size, 0);
  group.add(slow);
  assert.equal(group.size, 0);
});

threadTest("Group has lost a member as soon as its get() returns", async () => {
  const group = new Group();
  await group.spawn(() => nap(0)).get();
  assert.equal(group.size, 0);
});

threadTest(
  "Group.discard() lets a member go on; one that is none changes nothing",
  async ({ hub, pass }) => {
    const group = new Group();
    const member = group.spawn(() => nap(1));
    const other = hub.spawn(() => nap(1));
    assert.equal(group.discard(other), false);
    assert.equal(group.discard(member), true);
    assert.equal(group.discard(member), false);
    await group.kill();
    await pass(1);
    assert.equal(member.state, "succeeded");
  },
);

// -- join() --

threadTest(
  "Group.join() waits until it is empty, also for those that come meanwhile",
  async ({ hub, pass }) => {
    const group = new Group();
    group.spawn(async () => {
      await nap(1);
      group.spawn(() => nap(5));
    });
    const join = hub.spawn(() => group.join());
    await pass(1);
    assert.equal(join.ended, false);
    await pass(5);
    assert.equal(await join, true);
    assert.equal(await new Group().join(), true);
  },
);

threadTest(
  "Group.join() returns false when the time is over",
  async ({ pass }) => {
    const group = new Group();
    group.spawn(() => nap(10));
    const join = group.join({ timeout: 5 });
    await pass(5);
    assert.equal(await join, false);
    await group.kill();
  },
);

threadTest(
  "Group.join() throws the very Timeout that was given",
  async ({ pass }) => {
    const group = new Group();
    group.spawn(() => nap(10));
    const timeout = new Timeout(5);
    const join = rejection(group.join({ timeout }));
    await pass(5);
    assert.equal(await join, timeout);
    await group.kill();
  },
);

threadTest(
  "Group.join({ raiseError }) throws when all have ended",
  async ({ pass }) => {
    const group = new Group();
    const reason = new Error("x");
    group.spawn(() => Promise.reject(reason));
    const slow = group.spawn(() => nap(10));
    const join = rejection(group.join({ raiseError: true }));
    await pass(10);
    assert.equal(await join, reason);
    assert.equal(slow.state, "succeeded");
  },
);

threadTest(
  "Group.join({ raiseError }) does not take a kill for a failure",
  async () => {
    const group = new Group();
    const member = group.spawn(() => nap(10));
    const join = group.join({ raiseError: true });
    await member.kill();
    assert.equal(await join, true);
  },
);

threadTest(
  "Group.join() without raiseError leaves errors to be reported",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    hub.onError = (error) => seen.push(error);
    const group = new Group();
    group.spawn(() => Promise.reject("x"));
    await group.join();
    await pass();
    assert.deepEqual(seen, ["x"]);
  },
);

threadTest("Group.join() is a wait: a kill ends it", async ({ hub, pass }) => {
  const group = new Group();
  group.spawn(() => nap(10));
  const join = hub.spawn(() => group.join());
  await pass();
  await join.kill();
  assert.equal(join.state, "killed");
  await group.kill();
});

// -- kill() --

threadTest(
  "Group.kill() ends all members, started or not",
  async ({ pass }) => {
    const group = new Group();
    let ran = false;
    const started = group.spawn(() => nap(10));
    await pass();
    const queued = group.spawn(() => ran = true);
    await group.kill("enough");
    assert.deepEqual([started.state, queued.state], ["killed", "killed"]);
    assert.equal(ran, false);
    assert.ok(queued.error instanceof GreenletKilledError);
    assert.equal(queued.error.cause, "enough");
    assert.equal(group.size, 0);
  },
);

threadTest("Group.kill() shoots each member once", async ({ pass }) => {
  const group = new Group();
  let shots = 0;
  for (let i = 0; i < 3; i++) {
    group.spawn(async () => {
      try {
        await nap(100);
      } catch {
        shots += 1;
        await nap(10);
      }
    });
  }
  await pass();
  const killing = group.kill();
  await pass(10);
  await killing;
  assert.equal(shots, 3);
});

threadTest(
  "Group.kill() also ends those that are spawned meanwhile",
  async ({ pass }) => {
    const group = new Group();
    let ran = false;
    group.spawn(async () => {
      try {
        await nap(100);
      } finally {
        group.spawn(() => ran = true);
        await nap(5);
        group.spawn(() => ran = true);
      }
    });
    await pass();
    const killing = group.kill();
    await pass(5);
    await killing;
    assert.deepEqual([group.size, ran], [0, false]);
    group.spawn(() => ran = true);
    await group.join();
    assert.equal(ran, true);
  },
);

threadTest(
  "Group.kill() resolves when its timeout is over",
  async ({ pass }) => {
    const group = new Group();
    const member = group.spawn(() => nap(100).finally(() => nap(50)));
    await pass();
    const killing = group.kill(undefined, { timeout: 10 });
    await pass(10);
    await killing;
    assert.equal(member.ended, false);
    await pass(40);
    assert.equal(member.state, "killed");
  },
);

threadTest(
  "Group.kill() of an empty group is done, and one by a member does not hang",
  async ({ pass }) => {
    const group = new Group();
    await group.kill();
    const member = group.spawn(async () => {
      await group.kill();
      await nap(1);
    });
    const other = group.spawn(() => nap(10));
    await pass();
    assert.deepEqual([member.state, other.state], ["killed", "killed"]);
  },
);
