import assert from "node:assert/strict";
import {
  QueueEmptyError,
  QueueFullError,
  ResourceClosedError,
} from "../../../src/errors.ts";
import { sleepIn } from "../../../src/greenlet/sleep.ts";
import { Channel } from "../../../src/greenlet/sync/mod.ts";
import { rejection } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("Channel hands items over in the order in which both sides came", async () => {
  using thread = virtualThread();
  const channel = new Channel<number>();
  const log: string[] = [];
  for (let i = 0; i < 3; i++) {
    thread.hub.spawn(async () => {
      await channel.put(i);
      log.push(`put ${i}`);
    });
  }
  await thread.driver.settle();
  assert.equal(log.length, 0, "a put waits until somebody gets");
  assert.equal(channel.balance, 3);
  for (let i = 0; i < 5; i++) {
    thread.hub.spawn(async () => void log.push(`got ${await channel.get()}`));
  }
  await thread.driver.settle();
  assert.deepEqual(log.toSorted(), [
    ...["got 0", "got 1", "got 2"],
    ...["put 0", "put 1", "put 2"],
  ]);
  assert.equal(channel.balance, -2);
  await channel.put(3);
  channel.tryPut(4);
  await thread.driver.settle();
  assert.deepEqual(log.slice(-2), ["got 3", "got 4"]);
  assert.equal(channel.balance, 0);
});

Deno.test("Channel.tryPut() and tryGet() need somebody who waits", async () => {
  using thread = virtualThread();
  const channel = new Channel<number>();
  assert.throws(() => channel.tryPut(1), {
    name: "QueueFullError",
    message: "Cannot put into the channel: nobody waits to get",
  });
  assert.throws(() => channel.tryGet(), {
    name: "QueueEmptyError",
    message: "Cannot get from the channel: nobody waits to put",
  });
  const getter = channel.get();
  channel.tryPut(2);
  assert.throws(() => channel.tryPut(3), QueueFullError);
  assert.equal(await getter, 2);
  const putter = channel.put(4);
  assert.equal(channel.tryGet(), 4);
  assert.throws(() => channel.tryGet(), QueueEmptyError);
  await putter;
  await thread.driver.settle();
});

Deno.test("Channel passes over who was killed or timed out, on both sides", async () => {
  using thread = virtualThread();
  const channel = new Channel<number>();
  const killedGetter = thread.hub.spawn(() => channel.get());
  const lateGetter = thread.hub.spawn(() => channel.get({ timeout: 10 }));
  const getter = thread.hub.spawn(() => channel.get());
  await thread.driver.settle();
  void killedGetter.kill();
  thread.driver.advance(10);
  channel.tryPut(1);
  assert.equal(await getter, 1);
  await rejection(lateGetter);

  const killedPutter = thread.hub.spawn(() => channel.put(2));
  const latePutter = thread.hub.spawn(() => channel.put(3, { timeout: 10 }));
  const putter = thread.hub.spawn(() => channel.put(4));
  await thread.driver.settle();
  void killedPutter.kill();
  thread.driver.advance(10);
  assert.equal(channel.tryGet(), 4);
  await putter;
  await rejection(latePutter);
  assert.equal(channel.balance, 0);
});

Deno.test("Channel does not lose the item of a getter that is killed in the same moment", async () => {
  using thread = virtualThread();
  const channel = new Channel<number>();
  let got: unknown;
  const getter = thread.hub.spawn(async (greenlet) => {
    got = await channel.get();
    await sleepIn(greenlet, 1_000);
  });
  await thread.driver.settle();
  await channel.put(7);
  await getter.kill();
  assert.equal(got, 7);
});

Deno.test("Channel is iterated until it is closed, which wakes both sides", async () => {
  using thread = virtualThread();
  const channel = new Channel<number>();
  const seen: number[] = [];
  const consumer = thread.hub.spawn(async () => {
    for await (const item of channel) seen.push(item);
    return "done";
  });
  await channel.put(1);
  await channel.put(2);
  await thread.driver.settle();
  channel.close();
  assert.equal(await consumer, "done");
  assert.deepEqual(seen, [1, 2]);
  assert.throws(() => channel.tryPut(3), ResourceClosedError);
  assert.throws(() => channel.tryGet(), ResourceClosedError);
  assert.equal(channel.closed, true);
});

Deno.test("Channel that is closed does not hand over what putters brought", async () => {
  using thread = virtualThread();
  let channel: Channel<number>;
  let putter: Promise<void>;
  {
    using closing = channel = new Channel<number>();
    putter = closing.put(1);
  }
  await assert.rejects(putter, ResourceClosedError);
  await assert.rejects(channel.get(), ResourceClosedError);
  assert.deepEqual(channel.stats(), { getting: 0, putting: 0, closed: true });
  await thread.driver.settle();
});

Deno.test("Channel of two greenlets plays ping-pong in turns", async () => {
  using thread = virtualThread();
  const [there, back] = [new Channel<number>(), new Channel<number>()];
  const echo = thread.hub.spawn(async () => {
    for await (const item of there) await back.put(item + 1);
  });
  const player = thread.hub.spawn(async () => {
    let ball = 0;
    for (let i = 0; i < 100; i++) {
      await there.put(ball);
      ball = await back.get();
    }
    return ball;
  });
  await thread.driver.settle();
  assert.equal(await player, 100);
  there.close();
  await echo;
});
