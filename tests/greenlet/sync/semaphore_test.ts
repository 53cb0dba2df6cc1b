import assert from "node:assert/strict";
import { OverReleaseError, ResourceClosedError } from "../../../src/errors.ts";
import {
  BoundedSemaphore,
  LockGuard,
  Semaphore,
} from "../../../src/greenlet/sync/mod.ts";
import { sleepIn } from "../../../src/greenlet/sleep.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("Semaphore admits as many as it has permits, in the order of asking", async () => {
  using thread = virtualThread();
  const semaphore = new Semaphore(2);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  for (let i = 0; i < 6; i++) {
    thread.hub.spawn(async (greenlet) => {
      using _guard = await semaphore.lock();
      order.push(i);
      most = Math.max(most, ++inside);
      await sleepIn(greenlet, 10);
      inside -= 1;
    });
  }
  for (let i = 0; i < 3; i++) {
    await thread.driver.settle();
    assert.deepEqual(semaphore.stats(), {
      value: 0,
      waiting: 4 - 2 * i,
      closed: false,
    });
    thread.driver.advance(10);
  }
  await thread.driver.settle();
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  assert.equal(most, 2);
  assert.equal(semaphore.value, 2);
});

Deno.test("Semaphore.release() hands the permit over: who released it cannot barge in", async () => {
  using thread = virtualThread();
  const semaphore = new Semaphore(1);
  const order: string[] = [];
  thread.hub.spawn(async () => {
    for (let i = 0; i < 3; i++) {
      await semaphore.acquire();
      order.push("greedy");
      semaphore.release();
      assert.equal(semaphore.tryAcquire(), false);
    }
  });
  thread.hub.spawn(async () => {
    for (let i = 0; i < 3; i++) {
      await semaphore.acquire();
      order.push("other");
      semaphore.release();
    }
  });
  // Both wait before the first of them gets it.
  await semaphore.acquire();
  await thread.driver.settle();
  assert.equal(semaphore.stats().waiting, 2);
  semaphore.release();
  await thread.driver.settle();
  const expected = [0, 1, 2].flatMap(() => ["greedy", "other"]);
  assert.deepEqual(order, expected);
});

Deno.test("Semaphore.release() twice wakes two", async () => {
  using thread = virtualThread();
  const semaphore = new Semaphore(0);
  const both = Promise.all([semaphore.acquire(), semaphore.acquire()]);
  semaphore.release();
  semaphore.release();
  await thread.driver.settle();
  assert.deepEqual(await both, [true, true]);
  assert.equal(semaphore.locked, true);
});

Deno.test("Semaphore may be released more often than acquired", () => {
  const semaphore = new Semaphore(0);
  semaphore.release();
  semaphore.release();
  assert.equal(semaphore.value, 2);
  assert.equal(semaphore.tryAcquire(), true);
});

Deno.test("Semaphore passes over who was killed, and the permit is not lost", async () => {
  using thread = virtualThread();
  const semaphore = new Semaphore(0);
  const killed = thread.hub.spawn(() => semaphore.acquire());
  const next = thread.hub.spawn(() => semaphore.acquire());
  await thread.driver.settle();
  void killed.kill();
  semaphore.release();
  assert.equal(await next, true);
  assert.equal(killed.state, "killed");
});

Deno.test("Semaphore.lock() gives the permit back when the block throws or is killed", async () => {
  using thread = virtualThread();
  const semaphore = new Semaphore(1);
  const failing = thread.hub.spawn(async () => {
    using _guard = await semaphore.lock();
    throw new Error("x");
  });
  await failing.join();
  assert.equal(semaphore.value, 1);
  const killed = thread.hub.spawn(async (greenlet) => {
    using _guard = await semaphore.lock();
    await sleepIn(greenlet, 1_000);
  });
  await thread.driver.settle();
  assert.equal(semaphore.value, 0);
  await killed.kill();
  await thread.driver.settle();
  assert.equal(semaphore.value, 1);
});

Deno.test("Semaphore.lock() whose greenlet is killed in the moment it gets the permit gives it back", async () => {
  using thread = virtualThread();
  const semaphore = new Semaphore(0);
  const greenlet = thread.hub.spawn(async (greenlet) => {
    using _guard = await semaphore.lock();
    await sleepIn(greenlet, 1_000);
  });
  await thread.driver.settle();
  semaphore.release();
  await greenlet.kill();
  await thread.driver.settle();
  assert.deepEqual(semaphore.stats(), { value: 1, waiting: 0, closed: false });
});

Deno.test("LockGuard.release() gives back once", () => {
  const semaphore = new Semaphore(1);
  const guard = semaphore.tryLock();
  assert(guard instanceof LockGuard);
  assert.equal(semaphore.tryLock(), undefined);
  assert.equal(guard.released, false);
  guard.release();
  guard.release();
  guard[Symbol.dispose]();
  assert.equal(guard.released, true);
  assert.equal(semaphore.value, 1);
});

Deno.test("Semaphore that is closed refuses, and takes permits back", () => {
  let semaphore: Semaphore;
  {
    using closing = semaphore = new Semaphore(2);
    closing.tryAcquire();
  }
  assert.throws(() => semaphore.tryAcquire(), {
    name: "ResourceClosedError",
    message: "Cannot acquire the semaphore: it is closed",
  });
  assert.throws(() => semaphore.tryLock(), ResourceClosedError);
  semaphore.release();
  assert.deepEqual(semaphore.stats(), { value: 2, waiting: 0, closed: true });
});

Deno.test("Semaphore refuses numbers of permits that are none", () => {
  for (const value of [-1, 0.5, NaN, Infinity]) {
    assert.throws(() => new Semaphore(value), RangeError);
    assert.throws(() => new BoundedSemaphore(value), RangeError);
  }
});

Deno.test("BoundedSemaphore refuses what was not acquired, and nothing changes", async () => {
  using thread = virtualThread();
  const semaphore = new BoundedSemaphore(2);
  assert.throws(() => semaphore.release(), {
    name: "OverReleaseError",
    message: "Cannot release the semaphore: all of its permits are free (2)",
  });
  assert.equal(semaphore.value, 2);
  await semaphore.acquire();
  semaphore.release();
  assert.throws(() => semaphore.release(), OverReleaseError);
  const none = new BoundedSemaphore(0);
  const waiter = none.acquire({ timeout: 1 });
  assert.throws(() => none.release(), OverReleaseError);
  assert.equal(none.stats().waiting, 1);
  thread.driver.advance(1);
  assert.equal(await waiter, false);
});

Deno.test("BoundedSemaphore hands over to a waiter at its bound", async () => {
  using thread = virtualThread();
  const semaphore = new BoundedSemaphore(1);
  await semaphore.acquire();
  const waiter = semaphore.acquire();
  semaphore.release();
  await thread.driver.settle();
  assert.equal(await waiter, true);
  semaphore.release();
  assert.equal(semaphore.value, semaphore.bound);
});
