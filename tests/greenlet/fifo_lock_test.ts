import assert from "node:assert/strict";
import { ResourceClosedError } from "../../src/errors.ts";
import { FifoLock } from "../../src/greenlet/fifo_lock.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import { integer, seededRandom } from "../support/random.ts";
import { rejection, virtualHub } from "../support/virtual_hub.ts";

const SEED = Number(Deno.env.get("LOCK_SEED") ?? 20261125);

Deno.test("FifoLock lets greenlets in one at a time, in the order of asking", async () => {
  const { hub, driver } = virtualHub();
  const lock = new FifoLock("the test");
  const order: string[] = [];
  for (let i = 0; i < 4; i++) {
    hub.spawn(async (greenlet) => {
      await lock.acquire(greenlet);
      order.push(`in ${i}`);
      await sleepIn(greenlet, 10);
      order.push(`out ${i}`);
      lock.release();
    });
  }
  await driver.settle();
  assert.equal(lock.waiting, 3);
  for (let i = 0; i < 4; i++) {
    driver.advance(10);
    await driver.settle();
  }
  const expected = [0, 1, 2, 3].flatMap((i) => [`in ${i}`, `out ${i}`]);
  assert.deepEqual(order, expected);
  assert.equal(lock.locked, false);
});

Deno.test("FifoLock.tryAcquire() never barges in before those who wait", async () => {
  const { hub, driver } = virtualHub();
  const lock = new FifoLock("the test");
  assert.equal(lock.tryAcquire(), true);
  assert.equal(lock.tryAcquire(), false);
  let got = false;
  const waiter = hub.spawn(async (greenlet) => {
    await lock.acquire(greenlet);
    got = true;
  });
  await driver.settle();
  lock.release();
  assert.equal(lock.tryAcquire(), false, "barged in");
  await waiter;
  assert.equal(got, true);
  lock.release();
  assert.equal(lock.tryAcquire(), true);
});

Deno.test("FifoLock passes over a waiter that was killed", async () => {
  const { hub, driver } = virtualHub();
  const lock = new FifoLock("the test");
  lock.tryAcquire();
  const killed = hub.spawn((greenlet) => lock.acquire(greenlet));
  const next = hub.spawn((greenlet) => lock.acquire(greenlet));
  await driver.settle();
  assert.equal(killed.blockedOn, "the test");
  await killed.kill();
  assert.equal(lock.waiting, 1);
  lock.release();
  await next;
  assert.equal(lock.locked, true);
});

Deno.test("FifoLock refuses a greenlet with a pending kill", async () => {
  const { hub } = virtualHub();
  const lock = new FifoLock("the test");
  const greenlet = hub.spawn((greenlet) => {
    void greenlet.kill();
    return lock.acquire(greenlet);
  });
  await greenlet.join();
  assert.equal(greenlet.state, "killed");
  assert.equal(lock.locked, false);
});

Deno.test("FifoLock.close() ends every waiting with its error, and every later acquisition", async () => {
  const { hub, driver } = virtualHub();
  const lock = new FifoLock("the test");
  lock.tryAcquire();
  const waiters = [0, 1, 2].map(() =>
    hub.spawn((greenlet) => lock.acquire(greenlet))
  );
  await driver.settle();
  const reason = new ResourceClosedError("closed");
  lock.close(reason);
  for (const waiter of waiters) assert.equal(await rejection(waiter), reason);
  lock.release();
  assert.throws(() => lock.tryAcquire(), reason);
  const late = hub.spawn((greenlet) => lock.acquire(greenlet));
  assert.equal(await rejection(late), reason);
});

Deno.test(`FifoLock excludes and is never lost in 200 random runs with kills (LOCK_SEED=${SEED})`, async () => {
  for (let run = 0; run < 200; run++) {
    const seed = SEED + run;
    const random = seededRandom(seed);
    const { hub, driver } = virtualHub();
    const lock = new FifoLock("the test");
    let inside = 0;
    const greenlets = Array.from(
      { length: 10 },
      () =>
        hub.spawn(async (greenlet) => {
          for (let i = 0; i < 3; i++) {
            await lock.acquire(greenlet);
            inside += 1;
            assert.equal(inside, 1, `LOCK_SEED=${seed}`);
            try {
              await sleepIn(greenlet, integer(random, 3));
            } finally {
              inside -= 1;
              lock.release();
            }
          }
        }),
    );
    for (let step = 0; hub.live > 0; step++) {
      assert.ok(step < 1_000, `hangs: LOCK_SEED=${seed}`);
      await driver.settle();
      if (random() < 0.3) void greenlets[integer(random, 10)]!.kill();
      driver.advance(1);
    }
    assert.equal(lock.locked, false, `LOCK_SEED=${seed}`);
    assert.equal(driver.timers, 0, `LOCK_SEED=${seed}`);
  }
});
