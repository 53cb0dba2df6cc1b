import assert from "node:assert/strict";
import {
  GreenletKilledError,
  LockOwnerError,
  ResourceClosedError,
} from "../../../src/errors.ts";
import type { Greenlet } from "../../../src/greenlet/greenlet.ts";
import { Condition, RLock } from "../../../src/greenlet/sync/mod.ts";
import { Timeout } from "../../../src/greenlet/timeout.ts";
import { rejection } from "../../support/virtual_hub.ts";
import {
  type VirtualThread,
  virtualThread,
} from "../../support/virtual_thread.ts";

/** Greenlets that wait, and what they do when they go on. */
function waiters(
  { hub }: VirtualThread,
  condition: Condition,
  count: number,
  log: string[],
): Greenlet<void>[] {
  return Array.from(
    { length: count },
    (_, index) =>
      hub.spawn(async (greenlet) => {
        using _guard = await condition.lock.lock();
        try {
          log.push(`${index} ${await condition.wait()}`);
        } catch (error) {
          log.push(`${index} ${error instanceof Error ? error.name : ""}`);
        }
        assert.equal(condition.lock.owner, greenlet);
      }),
  );
}

/** Runs a function with the lock held. */
function locked({ hub }: VirtualThread, { lock }: Condition, body: () => void) {
  return hub.spawn(async () => {
    using _guard = await lock.lock();
    body();
  });
}

Deno.test("Condition.notify() wakes those who wait the longest, one after the other", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const log: string[] = [];
  waiters(thread, condition, 4, log);
  await thread.driver.settle();
  assert.deepEqual(condition.stats(), { waiting: 4, closed: false });
  await locked(thread, condition, () => {
    condition.notify();
    assert.deepEqual(log, []);
  });
  await thread.driver.settle();
  assert.deepEqual(log, ["0 true"]);
  await locked(thread, condition, () => condition.notify(2));
  await thread.driver.settle();
  assert.deepEqual(log, ["0 true", "1 true", "2 true"]);
  await locked(thread, condition, () => condition.notifyAll());
  await thread.driver.settle();
  assert.deepEqual(log.at(-1), "3 true");
  await locked(thread, condition, () => condition.notify(7));
  assert.equal(condition.lock.locked, false);
});

Deno.test("Condition.wait() gives up all acquisitions and has them back", async () => {
  using thread = virtualThread();
  const condition = new Condition(new RLock());
  const { lock } = condition;
  const waiter = thread.hub.spawn(async () => {
    await lock.acquire();
    await lock.acquire();
    await condition.wait();
    assert.equal(lock.stats().depth, 2);
    lock.release();
    lock.release();
  });
  await thread.driver.settle();
  assert.equal(lock.locked, false);
  await locked(thread, condition, () => condition.notifyAll());
  await waiter;
  assert.equal(lock.locked, false);
});

Deno.test("Condition refuses who does not hold the lock, and nothing changes", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const other = {};
  condition.lock.tryAcquire({ owner: other });
  const stranger = thread.hub.spawn(async () => {
    await assert.rejects(condition.wait(), LockOwnerError);
    await assert.rejects(condition.waitFor(() => true), LockOwnerError);
    assert.throws(() => condition.notify(), {
      name: "LockOwnerError",
      message: "Cannot notify the condition: somebody else holds it",
    });
    assert.throws(() => condition.notifyAll(), LockOwnerError);
  });
  await stranger;
  assert.equal(condition.lock.owner, other);
  assert.equal(condition.stats().waiting, 0);
  await assert.rejects(condition.wait(), TypeError);
  for (const count of [-1, NaN]) {
    assert.throws(() => condition.notify(count, { owner: other }), RangeError);
  }
});

Deno.test("Condition.wait() with an aborted signal or a bad timeout does not give up the lock", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const { lock } = condition;
  const owner = {};
  lock.tryAcquire({ owner });
  const rival = lock.acquire({ owner: {} });
  const signal = AbortSignal.abort("enough");
  assert.equal(await rejection(condition.wait({ owner, signal })), "enough");
  await assert.rejects(condition.wait({ owner, timeout: -1 }), RangeError);
  assert.equal(lock.owner, owner);
  lock.release({ owner });
  await thread.driver.settle();
  assert.equal(await rival, true);
});

Deno.test("Condition.wait() that timed out has the lock back before it says so", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const { lock } = condition;
  const other = {};
  let outcome: unknown;
  const waiter = thread.hub.spawn(async () => {
    using _guard = await lock.lock();
    outcome = await condition.wait({ timeout: 10 });
  });
  await thread.driver.settle();
  lock.tryAcquire({ owner: other });
  thread.driver.advance(10);
  await thread.driver.settle();
  assert.equal(outcome, undefined);
  assert.equal(condition.stats().waiting, 0);
  assert.equal(lock.stats().waiting, 1);
  lock.release({ owner: other });
  await waiter;
  assert.equal(outcome, false);
  assert.equal(lock.locked, false);
});

Deno.test("Condition.wait() of a killed greenlet has the lock back for its clean-up", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const { lock } = condition;
  const log: string[] = [];
  const [killed] = waiters(thread, condition, 1, log);
  await thread.driver.settle();
  const other = {};
  lock.tryAcquire({ owner: other });
  void killed?.kill();
  await thread.driver.settle();
  assert.deepEqual(log, [], "it went on without the lock");
  thread.driver.advance(100);
  lock.release({ owner: other });
  await thread.driver.settle();
  assert.deepEqual(log, ["0 GreenletKilledError"]);
  assert.equal(lock.locked, false);
  assert.equal(thread.driver.timers, 0);
});

Deno.test("Condition.wait() of a killed greenlet gives up at the end of its grace time", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const { lock } = condition;
  const killed = thread.hub.spawn(async () => {
    using _guard = await lock.lock();
    await condition.wait();
  });
  await thread.driver.settle();
  const other = {};
  lock.tryAcquire({ owner: other });
  const killing = killed.kill(undefined, { grace: 50 });
  thread.driver.advance(50);
  await killing;
  assert(await rejection(killed) instanceof GreenletKilledError);
  assert.equal(lock.owner, other);
  assert.deepEqual(lock.stats(), { depth: 1, waiting: 0, closed: false });
});

Deno.test("Condition.wait() does not lose an outer Timeout while it takes the lock back", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const { lock } = condition;
  const outer = new Timeout(20);
  const log: unknown[] = [];
  const waiter = thread.hub.spawn(async (greenlet) => {
    outer.start(greenlet);
    using _guard = await lock.lock();
    log.push(await condition.wait({ timeout: 10 }));
    assert.equal(lock.owner, greenlet);
    await condition.wait();
  });
  await thread.driver.settle();
  const other = {};
  lock.tryAcquire({ owner: other });
  thread.driver.advance(30);
  await thread.driver.settle();
  lock.release({ owner: other });
  assert.equal(await rejection(waiter), outer);
  assert.deepEqual(log, [false]);
  assert.equal(lock.locked, false);
});

Deno.test("Condition passes the notification on when the first waiter was killed", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const log: string[] = [];
  const [killed] = waiters(thread, condition, 2, log);
  await thread.driver.settle();
  await killed?.kill();
  await locked(thread, condition, () => condition.notify());
  await thread.driver.settle();
  assert.deepEqual(log, ["0 GreenletKilledError", "1 true"]);
});

Deno.test("Condition.waitFor() waits until its predicate holds, asked with the lock held", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  let stock = 0;
  let asked = 0;
  const buyer = thread.hub.spawn(async (greenlet) => {
    using _guard = await condition.lock.lock();
    return await condition.waitFor(() => {
      assert.equal(condition.lock.owner, greenlet);
      asked += 1;
      return stock >= 2;
    });
  });
  for (let i = 0; i < 2; i++) {
    await thread.driver.settle();
    await locked(thread, condition, () => {
      stock += 1;
      condition.notifyAll();
    });
  }
  assert.equal(await buyer, true);
  assert.equal(asked, 3);
});

Deno.test("Condition.waitFor() has one time limit for all of its waits", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const timeout = new Timeout(100);
  const [late, given] = [100, timeout].map((timeout) =>
    thread.hub.spawn(async () => {
      using _guard = await condition.lock.lock();
      return await condition.waitFor(() => false, { timeout });
    })
  );
  const error = rejection(given!);
  for (let i = 0; i < 3; i++) {
    await thread.driver.settle();
    thread.driver.advance(33);
    void locked(thread, condition, () => condition.notifyAll());
  }
  await thread.driver.settle();
  assert.equal(condition.stats().waiting, 2);
  thread.driver.advance(1);
  await thread.driver.settle();
  assert.equal(await late, false);
  assert.equal(await error, timeout);
  assert.equal(thread.driver.timers, 0);
});

Deno.test("Condition.waitFor() asks once more when its time is over", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  let changed = false;
  const waiter = thread.hub.spawn(async () => {
    using _guard = await condition.lock.lock();
    return await condition.waitFor(() => changed, { timeout: 10 });
  });
  await thread.driver.settle();
  changed = true;
  thread.driver.advance(10);
  assert.equal(await waiter, true);
});

Deno.test("Condition.waitFor() rejects with what its predicate throws, holding the lock", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const owner = {};
  condition.lock.tryAcquire({ owner });
  const reason = new Error("no");
  const failing = condition.waitFor(() => {
    throw reason;
  }, { owner });
  assert.equal(await rejection(failing), reason);
  assert.equal(condition.lock.owner, owner);
  await thread.driver.settle();
});

Deno.test("Condition whose lock is closed while it waits rejects, without the lock", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const waiter = thread.hub.spawn(async () => {
    using _guard = await condition.lock.lock();
    await condition.wait({ timeout: 10 });
  });
  await thread.driver.settle();
  condition.lock.close();
  thread.driver.advance(10);
  assert(await rejection(waiter) instanceof ResourceClosedError);
  assert.equal(condition.lock.locked, false);
});

Deno.test("Condition that is closed refuses and keeps the lock with its owner", async () => {
  using thread = virtualThread();
  const condition = new Condition();
  const owner = {};
  condition.lock.tryAcquire({ owner });
  condition[Symbol.dispose]();
  await assert.rejects(condition.wait({ owner }), ResourceClosedError);
  assert.equal(condition.lock.owner, owner);
  assert.equal(condition.stats().closed, true);
  await thread.driver.settle();
});
