import assert from "node:assert/strict";
import { LockOwnerError, ResourceClosedError } from "../../../src/errors.ts";
import { sleepIn } from "../../../src/greenlet/sleep.ts";
import { RLock } from "../../../src/greenlet/sync/mod.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("RLock is its greenlet's again and again, and free after as many releases", async () => {
  using thread = virtualThread();
  const lock = new RLock();
  const greenlet = thread.hub.spawn(async (greenlet) => {
    await lock.acquire();
    assert.equal(await lock.acquire({ timeout: 0 }), true);
    assert.equal(lock.tryAcquire(), true);
    assert.equal(lock.owner, greenlet);
    assert.equal(lock.stats().depth, 3);
    lock.release();
    lock.release();
    assert.equal(lock.locked, true);
    lock.release();
    assert.equal(lock.locked, false);
  });
  await greenlet;
  await thread.driver.settle();
});

Deno.test("RLock lets greenlets in one at a time, in the order of asking", async () => {
  using thread = virtualThread();
  const lock = new RLock();
  const order: string[] = [];
  for (let i = 0; i < 3; i++) {
    thread.hub.spawn(async (greenlet) => {
      using _outer = await lock.lock();
      order.push(`in ${i}`);
      await sleepIn(greenlet, 10);
      using _inner = await lock.lock();
      await sleepIn(greenlet, 10);
      order.push(`out ${i}`);
    });
  }
  for (let i = 0; i < 6; i++) {
    await thread.driver.settle();
    thread.driver.advance(10);
  }
  await thread.driver.settle();
  const expected = [0, 1, 2].flatMap((i) => [`in ${i}`, `out ${i}`]);
  assert.deepEqual(order, expected);
  assert.equal(lock.locked, false);
});

Deno.test("RLock.release() by a stranger, or of a free lock, changes nothing", async () => {
  using thread = virtualThread();
  const lock = new RLock();
  const owner = {};
  assert.throws(() => lock.release({ owner }), {
    name: "LockOwnerError",
    message: "Cannot release the lock: nobody holds it",
  });
  lock.tryAcquire({ owner });
  const stranger = thread.hub.spawn(() => {
    assert.throws(() => lock.release(), {
      name: "LockOwnerError",
      message: "Cannot release the lock: somebody else holds it",
    });
  });
  await stranger;
  assert.throws(() => lock.release({ owner: {} }), LockOwnerError);
  assert.deepEqual(lock.stats(), { depth: 1, waiting: 0, closed: false });
  assert.equal(lock.owner, owner);
});

Deno.test("RLock outside greenlets asks for an owner, and changes nothing", async () => {
  using _thread = virtualThread();
  const lock = new RLock();
  const message =
    "Cannot acquire the lock: outside greenlets the option 'owner' is needed";
  await assert.rejects(lock.acquire(), { name: "TypeError", message });
  await assert.rejects(lock.lock(), { name: "TypeError", message });
  assert.throws(() => lock.tryAcquire(), { name: "TypeError", message });
  assert.throws(() => lock.tryLock(), { name: "TypeError", message });
  assert.throws(() => lock.release(), TypeError);
  assert.equal(lock.locked, false);
});

Deno.test("RLock is an owner's across greenlets, when it is given", async () => {
  using thread = virtualThread();
  const lock = new RLock();
  const owner = {};
  await thread.hub.spawn(() => lock.acquire({ owner }));
  await thread.hub.spawn(() => {
    assert.equal(lock.tryAcquire(), false);
    assert.equal(lock.tryAcquire({ owner }), true);
  });
  lock.release({ owner });
  lock.release({ owner });
  assert.equal(lock.locked, false);
});

Deno.test("RLock belongs to the greenlet whose guest calls the host function", () => {
  using thread = virtualThread();
  const lock = new RLock();
  const caller = thread.hub.spawn(() => {});
  thread.hub.guestCaller = () => caller;
  assert.equal(lock.tryAcquire(), true);
  assert.equal(lock.owner, caller);
  lock.release();
  thread.hub.guestCaller = undefined;
});

Deno.test("RLock passes over who was killed or timed out", async () => {
  using thread = virtualThread();
  const lock = new RLock();
  const owner = {};
  lock.tryAcquire({ owner });
  const killed = thread.hub.spawn(() => lock.acquire());
  const late = thread.hub.spawn(() => lock.acquire({ timeout: 5 }));
  const next = thread.hub.spawn(() => lock.acquire());
  await thread.driver.settle();
  await killed.kill();
  thread.driver.advance(5);
  assert.equal(await late, false);
  assert.equal(lock.stats().waiting, 1);
  lock.release({ owner });
  assert.equal(lock.owner, next, "it is not handed over at once");
  assert.equal(await next, true);
});

Deno.test("RLock.tryLock() holds the lock until the end of the block", () => {
  const lock = new RLock();
  const [owner, other] = [{}, {}];
  {
    using guard = lock.tryLock({ owner });
    assert(guard !== undefined);
    assert.equal(lock.tryLock({ owner: other }), undefined);
  }
  assert.equal(lock.locked, false);
});

Deno.test("RLock that is closed refuses, also its owner, who may release it", () => {
  const lock = new RLock();
  const owner = {};
  lock.tryAcquire({ owner });
  lock[Symbol.dispose]();
  assert.throws(() => lock.tryAcquire({ owner }), ResourceClosedError);
  lock.release({ owner });
  assert.deepEqual(lock.stats(), { depth: 0, waiting: 0, closed: true });
});
