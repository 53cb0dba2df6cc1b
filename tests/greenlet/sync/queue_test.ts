import assert from "node:assert/strict";
import {
  GreenletKilledError,
  QueueEmptyError,
  QueueFullError,
  ResourceClosedError,
} from "../../../src/errors.ts";
import { sleepIn } from "../../../src/greenlet/sleep.ts";
import {
  JoinableQueue,
  LifoQueue,
  PriorityQueue,
  Queue,
  type QueueOptions,
} from "../../../src/greenlet/sync/mod.ts";
import type { QueueBase } from "../../../src/greenlet/sync/queue_base.ts";
import { rejection } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

const KINDS: Readonly<
  Record<string, (options?: QueueOptions<number>) => QueueBase<number>>
> = {
  Queue: (options) => new Queue(options),
  LifoQueue: (options) => new LifoQueue(options),
  PriorityQueue: (options) => new PriorityQueue(options),
  JoinableQueue: (options) => new JoinableQueue(options),
};

for (const [kind, create] of Object.entries(KINDS)) {
  Deno.test(`${kind}.tryPut(), tryGet() and tryPeek() never wait and say why they cannot`, () => {
    const queue = create({ maxSize: 2 });
    assert.throws(() => queue.tryGet(), QueueEmptyError);
    assert.throws(() => queue.tryPeek(), {
      name: "QueueEmptyError",
      message: "Cannot get from the queue: it is empty",
    });
    queue.tryPut(1);
    assert.deepEqual([queue.empty, queue.full], [false, false]);
    queue.tryPut(1);
    assert.throws(() => queue.tryPut(3), {
      name: "QueueFullError",
      message: "Cannot put into the queue: it is full (2)",
    });
    assert.deepEqual([queue.empty, queue.full, queue.size], [false, true, 2]);
    assert.equal(queue.tryPeek(), 1);
    assert.equal(queue.tryGet(), 1);
    assert.deepEqual([queue.full, queue.size], [false, 1]);
  });

  Deno.test(`${kind} serves getters in the order in which they came`, async () => {
    using thread = virtualThread();
    const queue = create();
    const got: string[] = [];
    for (let i = 0; i < 4; i++) {
      thread.hub.spawn(async () => void got.push(`${i} ${await queue.get()}`));
    }
    await thread.driver.settle();
    for (let i = 0; i < 4; i++) queue.tryPut(10 + i);
    assert.equal(queue.size, 0, "the items are the getters' at once");
    assert.throws(() => queue.tryGet(), QueueEmptyError);
    await thread.driver.settle();
    assert.deepEqual(got, ["0 10", "1 11", "2 12", "3 13"]);
  });

  Deno.test(`${kind} lets putters in in the order in which they came`, async () => {
    using thread = virtualThread();
    const queue = create({ maxSize: 1, items: [1] });
    const order: number[] = [];
    for (const item of [2, 3, 4]) {
      thread.hub.spawn(async () => {
        await queue.put(item);
        order.push(item);
      });
    }
    await thread.driver.settle();
    assert.equal(queue.stats().putting, 3);
    const got: number[] = [];
    for (let i = 0; i < 4; i++) got.push(queue.tryGet());
    await thread.driver.settle();
    assert.deepEqual(got, [1, 2, 3, 4]);
    assert.deepEqual(order, [2, 3, 4]);
  });

  Deno.test(`${kind} gives the item to the next when the first of two getters is killed`, async () => {
    using thread = virtualThread();
    const queue = create();
    const first = thread.hub.spawn(() => queue.get());
    const second = thread.hub.spawn(() => queue.get());
    await thread.driver.settle();
    void first.kill();
    queue.tryPut(7);
    assert.equal(await second, 7);
    assert(await rejection(first) instanceof GreenletKilledError);
  });

  Deno.test(`${kind} does not lose the item of a getter that is killed in the same moment`, async () => {
    using thread = virtualThread();
    const queue = create();
    let got: unknown;
    const killed = thread.hub.spawn(async (greenlet) => {
      got = await queue.get();
      await sleepIn(greenlet, 1_000);
    });
    const next = thread.hub.spawn(() => queue.get());
    await thread.driver.settle();
    queue.tryPut(7);
    await killed.kill();
    assert.equal(got, 7);
    assert.equal(queue.stats().getting, 1);
    queue.tryPut(8);
    assert.equal(await next, 8);
  });

  Deno.test(`${kind} does not hold what a putter brought that timed out, was killed or aborted`, async () => {
    using thread = virtualThread();
    const queue = create({ maxSize: 1, items: [1] });
    const controller = new AbortController();
    const late = thread.hub.spawn(() => queue.put(2, { timeout: 10 }));
    const killed = thread.hub.spawn(() => queue.put(3));
    const aborted = queue.put(4, { signal: controller.signal });
    const kept = queue.put(5);
    await thread.driver.settle();
    assert.equal(queue.stats().putting, 4);
    thread.driver.advance(10);
    void killed.kill();
    controller.abort("enough");
    await rejection(late);
    await rejection(killed);
    await rejection(aborted);
    assert.equal(queue.stats().putting, 1);
    assert.equal(queue.tryGet(), 1);
    await kept;
    assert.equal(queue.tryGet(), 5);
    assert.equal(queue.empty, true);
  });

  Deno.test(`${kind}.peek() leaves the item to whoever gets it`, async () => {
    using thread = virtualThread();
    const queue = create();
    const looking = [queue.peek(), queue.peek()];
    const getting = queue.get();
    const later = queue.peek({ timeout: 10 });
    queue.tryPut(7);
    assert.deepEqual(await Promise.all([...looking, getting]), [7, 7, 7]);
    thread.driver.advance(10);
    await rejection(later);
    const alone = queue.peek();
    queue.tryPut(8);
    assert.equal(await alone, 8);
    assert.equal(await queue.peek({ timeout: 0 }), 8);
    assert.equal(queue.size, 1);
  });

  Deno.test(`${kind}.close() wakes putters at once, and getters when nothing is left`, async () => {
    using thread = virtualThread();
    const queue = create({ maxSize: 1, items: [1] });
    const putter = thread.hub.spawn(() => queue.put(2));
    await thread.driver.settle();
    const reason = new Error("enough");
    queue.close(reason);
    queue.close(new Error("later"));
    const error = await rejection(putter);
    assert(error instanceof ResourceClosedError);
    assert.equal(error.message, "Cannot put into the queue: it is closed");
    assert.equal(error.cause, reason);
    assert.throws(() => queue.tryPut(3), ResourceClosedError);
    await assert.rejects(queue.put(3), ResourceClosedError);
    assert.equal(await queue.peek(), 1);
    assert.equal(await queue.get(), 1);
    await assert.rejects(queue.get(), {
      name: "ResourceClosedError",
      message: "Cannot get from the queue: it is closed",
    });
    await assert.rejects(queue.peek(), ResourceClosedError);
    assert.throws(() => queue.tryGet(), ResourceClosedError);
    assert.throws(() => queue.tryPeek(), ResourceClosedError);
    assert.deepEqual([queue.closed, queue.stats().closed], [true, true]);
  });

  Deno.test(`${kind}.close() drops what it holds when it is told to, also later`, () => {
    const queue = create({ items: [1, 2] });
    queue.close();
    assert.equal(queue.size, 2);
    queue.close(undefined, { immediate: true });
    assert.equal(queue.size, 0);
    assert.throws(() => queue.tryGet(), ResourceClosedError);
  });

  Deno.test(`${kind} is iterated until it is closed and empty`, async () => {
    using thread = virtualThread();
    const queue = create({ maxSize: 1 });
    const seen: number[] = [];
    const consumer = thread.hub.spawn(async () => {
      for await (const item of queue) seen.push(item);
      return "done";
    });
    const producer = thread.hub.spawn(async () => {
      for (let i = 0; i < 5; i++) await queue.put(i);
      queue.close();
    });
    await thread.driver.settle();
    await producer;
    assert.equal(await consumer, "done");
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    for await (const item of queue) seen.push(item);
    assert.equal(seen.length, 5);
  });

  Deno.test(`${kind} that is iterated is left by a kill, and by nothing else that failed`, async () => {
    using thread = virtualThread();
    const queue = create();
    const killed = thread.hub.spawn(async () => {
      for await (const item of queue) assert.equal(item, 1);
    });
    queue.tryPut(1);
    await thread.driver.settle();
    assert.equal(killed.blockedOn, `${kind}.get()`);
    await killed.kill();
    assert.equal(killed.state, "killed");
    assert.equal(queue.stats().getting, 0);
  });

  Deno.test(`${kind} refuses sizes that are none, and more items than it has room for`, () => {
    for (const maxSize of [0, -1, 1.5, NaN, -Infinity]) {
      assert.throws(() => create({ maxSize }), {
        name: "RangeError",
        message:
          `Cannot create a queue of at most ${maxSize} items: it must be a whole number from 1`,
      });
    }
    assert.throws(() => create({ maxSize: 1, items: [1, 2] }), RangeError);
    assert.equal(create().maxSize, Infinity);
  });

  Deno.test(`${kind} is closed at the end of its block`, () => {
    let queue: QueueBase<number>;
    {
      using closing = queue = create();
      closing.tryPut(1);
    }
    assert.deepEqual([queue.closed, queue.size], [true, 1]);
    assert.equal(Object.isFrozen(queue.stats()), true);
  });
}

Deno.test("Queue gives items out in the order of the puts, undefined ones as well", async () => {
  using _thread = virtualThread();
  const queue = new Queue<number | undefined>({ items: [undefined, 2] });
  await queue.put(undefined);
  assert.equal(queue.size, 3);
  const got = [queue.tryPeek(), queue.tryGet(), queue.tryGet()];
  assert.deepEqual(got, [undefined, undefined, 2]);
  assert.equal(await queue.get(), undefined);
  assert.equal(queue.empty, true);
});

Deno.test("LifoQueue gives out what was put last", () => {
  const queue = new LifoQueue<number>({ items: [1, 2] });
  queue.tryPut(3);
  assert.equal(queue.tryPeek(), 3);
  assert.deepEqual([queue.tryGet(), queue.tryGet(), queue.tryGet()], [3, 2, 1]);
});

Deno.test("PriorityQueue gives out the smallest, among equals the oldest", () => {
  const numbers = new PriorityQueue({ items: [3, 1, 2] });
  assert.deepEqual([1, 2, 3].map(() => numbers.tryGet()), [1, 2, 3]);
  const named = new PriorityQueue<{ rank: number; name: string }>({
    compare: (a, b) => a.rank - b.rank,
  });
  for (const name of "abcdefgh") named.tryPut({ rank: 1, name });
  named.tryPut({ rank: 0, name: "first" });
  const names = Array.from({ length: 9 }, () => named.tryGet().name);
  assert.equal(names.join(""), "firstabcdefgh");
});

Deno.test("PriorityQueue whose comparison throws is as before", async () => {
  using thread = virtualThread();
  const reason = new Error("incomparable");
  const queue = new PriorityQueue<number>({
    maxSize: 3,
    compare: (a, b) => {
      if (a === 99 || b === 99) throw reason;
      return a - b;
    },
    items: [5, 3, 4],
  });
  const refused = thread.hub.spawn(() => queue.put(99));
  await thread.driver.settle();
  const admitted = queue.put(1);
  assert.equal(queue.tryGet(), 3);
  assert.equal(await rejection(refused), reason);
  await admitted;
  assert.equal(queue.tryGet(), 1);
  assert.throws(() => queue.tryPut(99), reason);
  assert.equal(await rejection(queue.put(99)), reason);
  assert.deepEqual([queue.tryGet(), queue.tryGet()], [4, 5]);
  assert.equal(queue.empty, true);
});

// -- A producer that waits for room, with other errors than those of the queue --

Deno.test("Queue.put() into a full queue can be tried again after its timeout", async () => {
  using thread = virtualThread();
  const queue = new Queue<number>({ maxSize: 1, items: [1] });
  const late = queue.put(2, { timeout: 10 });
  thread.driver.advance(10);
  await rejection(late);
  assert.throws(() => queue.tryPut(2), QueueFullError);
  const again = queue.put(2, { timeout: 10 });
  assert.equal(await queue.get(), 1);
  await again;
  assert.equal(thread.driver.timers, 0);
});
