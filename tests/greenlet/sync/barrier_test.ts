import assert from "node:assert/strict";
import { BrokenBarrierError } from "../../../src/errors.ts";
import { Barrier } from "../../../src/greenlet/sync/mod.ts";
import { rejection } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("Barrier lets all go on when the last one has come, again and again", async () => {
  using thread = virtualThread();
  const barrier = new Barrier(3);
  const log: string[] = [];
  for (let i = 0; i < 3; i++) {
    thread.hub.spawn(async () => {
      for (let round = 0; round < 2; round++) {
        log.push(`${round} ${await barrier.wait()}`);
      }
    });
    if (i === 1) {
      await thread.driver.settle();
      assert.deepEqual(barrier.stats(), {
        parties: 3,
        waiting: 2,
        broken: false,
        closed: false,
      });
      assert.deepEqual(log, []);
    }
  }
  await thread.driver.settle();
  const expected = [0, 1].flatMap((round) =>
    [0, 1, 2].map((index) => `${round} ${index}`)
  );
  assert.deepEqual(log, expected);
});

Deno.test("Barrier of one lets everybody through", async () => {
  using thread = virtualThread();
  assert.equal(await new Barrier(1).wait({ timeout: 0 }), 0);
  await thread.driver.settle();
});

const losses = {
  "a timeout": "late",
  "a kill": "killed",
  "a signal": "aborted",
} as const;

for (const [what, loss] of Object.entries(losses)) {
  Deno.test(`Barrier breaks by ${what} of a party, for all others`, async () => {
    using thread = virtualThread();
    const barrier = new Barrier(3);
    const controller = new AbortController();
    const other = thread.hub.spawn(() => barrier.wait());
    const lost = thread.hub.spawn(() =>
      barrier.wait({ timeout: 10, signal: controller.signal })
    );
    await thread.driver.settle();
    if (loss === "late") thread.driver.advance(10);
    else if (loss === "killed") void lost.kill();
    else controller.abort(new Error("enough"));
    assert(await rejection(other) instanceof BrokenBarrierError);
    assert(!(await rejection(lost) instanceof BrokenBarrierError));
    await assert.rejects(barrier.wait(), {
      name: "BrokenBarrierError",
      message: "Cannot pass the barrier: it is broken",
    });
    assert.equal(barrier.broken, true);
    assert.equal(barrier.stats().waiting, 0);

    barrier.reset();
    const all = [0, 1, 2].map(() => barrier.wait());
    assert.deepEqual(await Promise.all(all), [0, 1, 2]);
  });
}

Deno.test("Barrier is not broken by who never came", async () => {
  using thread = virtualThread();
  const barrier = new Barrier(2);
  const waiting = barrier.wait();
  await rejection(barrier.wait({ signal: AbortSignal.abort() }));
  await rejection(barrier.wait({ timeout: -1 }));
  const killed = thread.hub.spawn((greenlet) => {
    void greenlet.kill();
    return barrier.wait();
  });
  await killed.join();
  assert.deepEqual([barrier.broken, barrier.stats().waiting], [false, 1]);
  assert.equal(await barrier.wait(), 1);
  assert.equal(await waiting, 0);
});

Deno.test("Barrier is not broken by a kill in the moment in which it opens", async () => {
  using thread = virtualThread();
  const barrier = new Barrier(2);
  const first = thread.hub.spawn(() => barrier.wait());
  await thread.driver.settle();
  const last = barrier.wait();
  void first.kill();
  assert.deepEqual(await Promise.all([first, last]), [0, 1]);
  assert.equal(barrier.broken, false);
});

Deno.test("Barrier.abort() breaks it, reset() makes it as new", async () => {
  using thread = virtualThread();
  const barrier = new Barrier(2);
  const aborted = barrier.wait();
  barrier.abort();
  assert(await rejection(aborted) instanceof BrokenBarrierError);
  barrier.reset();
  const reset = barrier.wait();
  barrier.reset();
  await assert.rejects(reset, {
    name: "BrokenBarrierError",
    message: "Cannot pass the barrier: it was reset",
  });
  assert.equal(barrier.broken, false);
  const waiting = barrier.wait();
  assert.equal(await barrier.wait(), 1);
  assert.equal(await waiting, 0);
  await thread.driver.settle();
});

Deno.test("Barrier refuses numbers of parties that are none", () => {
  for (const parties of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => new Barrier(parties), RangeError);
  }
});

Deno.test("Barrier is closed at the end of its block", async () => {
  using _thread = virtualThread();
  let barrier: Barrier;
  {
    using closing = barrier = new Barrier(2);
    assert.equal(closing.stats().closed, false);
  }
  await assert.rejects(barrier.wait(), { name: "ResourceClosedError" });
});
