import assert from "node:assert/strict";
import { OverReleaseError } from "../../../src/errors.ts";
import { sleepIn } from "../../../src/greenlet/sleep.ts";
import { JoinableQueue } from "../../../src/greenlet/sync/mod.ts";
import { rejection } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("JoinableQueue.join() waits until all that was put is done", async () => {
  using thread = virtualThread();
  const queue = new JoinableQueue<number>({ items: [0, 1, 2, 3, 4] });
  let done = 0;
  for (let i = 0; i < 2; i++) {
    thread.hub.spawn(async (greenlet) => {
      for await (const _item of queue) {
        await sleepIn(greenlet, 10);
        done += 1;
        queue.taskDone();
      }
    });
  }
  let joined = false;
  void queue.join().then(() => joined = true);
  for (let i = 0; i < 3; i++) {
    await thread.driver.settle();
    assert.equal(joined, false);
    assert.equal(queue.stats().joining, 1);
    thread.driver.advance(10);
  }
  await thread.driver.settle();
  assert.deepEqual([joined, done, queue.unfinished], [true, 5, 0]);
  assert.equal(await queue.join({ timeout: 0 }), true);
  queue.close();
  await thread.driver.settle();
});

Deno.test("JoinableQueue counts what is put, by whichever way", async () => {
  using thread = virtualThread();
  const queue = new JoinableQueue<number>({ maxSize: 1, items: [1] });
  const waiting = queue.put(2);
  assert.equal(queue.unfinished, 1, "it is not in the queue yet");
  queue.tryGet();
  await waiting;
  assert.equal(queue.unfinished, 2);
  queue.tryGet();
  const getter = queue.get();
  queue.tryPut(3);
  assert.equal(await getter, 3);
  const late = thread.hub.spawn(async () => {
    queue.tryPut(4);
    await queue.put(5, { timeout: 10 });
  });
  await thread.driver.settle();
  thread.driver.advance(10);
  await rejection(late);
  assert.equal(queue.unfinished, 4);
});

Deno.test("JoinableQueue.taskDone() refuses more tasks than there were, and nothing changes", () => {
  const queue = new JoinableQueue<number>({ items: [1] });
  queue.tryGet();
  queue.taskDone();
  assert.throws(() => queue.taskDone(), {
    name: "OverReleaseError",
    message: "Cannot finish a task: all tasks of the queue are done",
  });
  assert.throws(() => new JoinableQueue().taskDone(), OverReleaseError);
  queue.tryPut(2);
  assert.equal(queue.unfinished, 1);
});

Deno.test("JoinableQueue that drops its items waits only for those being worked on", async () => {
  using thread = virtualThread();
  const queue = new JoinableQueue<number>({ items: [1, 2, 3] });
  queue.tryGet();
  let joined = false;
  void queue.join().then(() => joined = true);
  queue.close();
  await thread.driver.settle();
  assert.deepEqual([joined, queue.unfinished], [false, 3]);
  queue.close(undefined, { immediate: true });
  await thread.driver.settle();
  assert.deepEqual([joined, queue.unfinished], [false, 1]);
  queue.taskDone();
  await thread.driver.settle();
  assert.equal(joined, true);
});
