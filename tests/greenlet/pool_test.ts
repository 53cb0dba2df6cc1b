import assert from "node:assert/strict";
import {
  DeadlockError,
  GreenletKilledError,
  PoolFullError,
} from "../../src/errors.ts";
import { Pool } from "../../src/greenlet/pool.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { integer, seededRandom } from "../support/random.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

threadTest("Pool refuses a limit that is none", async () => {
  for (const limit of [0, -1, NaN, 1.5, -Infinity]) {
    assert.throws(() => new Pool(limit), RangeError, `${limit}`);
  }
  assert.equal(new Pool(Infinity).free, Infinity);
  await Promise.resolve();
});

threadTest("Pool counts its places", async ({ pass }) => {
  const pool = new Pool(2);
  assert.deepEqual([pool.free, pool.full, pool.size], [2, false, 0]);
  await pool.spawn(() => nap(1));
  assert.deepEqual([pool.free, pool.full, pool.size], [1, false, 1]);
  await pool.spawn(() => nap(1));
  assert.deepEqual([pool.free, pool.full, pool.size], [0, true, 2]);
  await pass(1);
  assert.deepEqual([pool.free, pool.full, pool.size], [2, false, 0]);
});

threadTest(
  "Pool.spawn() waits while it is full, first in, first out",
  async ({ hub, pass }) => {
    const pool = new Pool(1);
    const order: number[] = [];
    for (let i = 0; i < 4; i++) {
      hub.spawn(async () => {
        await pool.spawn(async () => {
          order.push(i);
          await nap(1);
        });
      });
    }
    await pass();
    assert.deepEqual([order.length, pool.waiting], [1, 3]);
    for (let i = 0; i < 4; i++) await pass(1);
    assert.deepEqual(order, [0, 1, 2, 3]);
  },
);

threadTest(
  "Pool.spawn() gives the greenlet, which runs on",
  async ({ pass }) => {
    const pool = new Pool(1);
    const { greenlet } = await pool.spawn(
      (self) => nap(1).then(() => self.name),
      { name: "one" },
    );
    assert.equal(greenlet.ended, false);
    await pass(1);
    assert.equal(await greenlet, "one");
  },
);

threadTest("Pool.trySpawn() rejects when it is full", async ({ pass }) => {
  const pool = new Pool(1);
  const greenlet = pool.trySpawn(() => nap(1).then(() => 7));
  assert.throws(() => pool.trySpawn(() => 1), PoolFullError);
  await pass(1);
  assert.equal(greenlet.value, 7);
  assert.equal(await pool.trySpawn(() => 8), 8);
});

threadTest(
  "Pool.spawn() rejects when its time to wait is over, and takes no place",
  async ({ pass }) => {
    const pool = new Pool(1);
    await pool.spawn(() => nap(100));
    const late = rejection(pool.spawn(() => 1, { wait: { timeout: 10 } }));
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = rejection(pool.spawn(() => 1, { wait: { signal } }));
    await pass(10);
    assert.ok(await late instanceof Timeout);
    controller.abort("enough");
    assert.equal(await aborted, "enough");
    assert.equal(pool.waiting, 0);
    await pass(90);
    assert.equal(pool.free, 1);
  },
);

threadTest(
  "Pool.spawn() that is killed while it waits leaks no place",
  async ({ hub, pass }) => {
    const pool = new Pool(1);
    await pool.spawn(() => nap(10));
    let ran = false;
    const spawner = hub.spawn(() => pool.spawn(() => ran = true));
    await pass();
    assert.equal(spawner.blockedOn, "Pool.spawn()");
    await spawner.kill();
    await pass(10);
    assert.deepEqual([pool.free, pool.size, ran], [1, 0, false]);
  },
);

threadTest(
  "Pool.spawn() that is killed in the tick in which it got its place leaks none",
  async ({ hub, driver, pass }) => {
    const pool = new Pool(1);
    await pool.spawn(() => nap(10));
    const spawner = hub.spawn(() => pool.spawn(() => nap(1)).then(() => {}));
    await pass();
    driver.advance(10);
    void spawner.kill();
    await pass(1);
    await pass(1);
    assert.deepEqual([pool.free, pool.size, pool.waiting], [1, 0, 0]);
  },
);

threadTest("Pool.spawn() with bad options leaks no place", async () => {
  const pool = new Pool(1);
  await assert.rejects(pool.spawn(() => 1, { timeout: -1 }), RangeError);
  assert.throws(() => pool.trySpawn(7 as never), TypeError);
  assert.equal(pool.free, 1);
});

threadTest(
  "Pool.discard() frees a member's place, and no place for one that is none",
  async ({ hub, pass }) => {
    const pool = new Pool(2);
    const { greenlet } = await pool.spawn(() => nap(5));
    const stranger = hub.spawn(() => nap(5));
    assert.equal(pool.discard(stranger), false);
    assert.equal(pool.free, 1);
    assert.equal(pool.discard(greenlet), true);
    assert.equal(pool.free, 2);
    await pass(5);
    assert.equal(pool.free, 2);
  },
);

threadTest(
  "Pool.add() waits for a place; one that ends meanwhile takes none",
  async ({ hub, pass }) => {
    const pool = new Pool(1);
    await pool.spawn(() => nap(10));
    const brief = hub.spawn(() => nap(5));
    const long = hub.spawn(() => nap(50));
    const adds = [pool.add(brief), pool.add(long)];
    await pass(10);
    await Promise.all(adds);
    assert.deepEqual([...pool], [long]);
    await pool.add(long);
    await pool.add(brief);
    assert.throws(() => pool.tryAdd(hub.spawn(() => {})), PoolFullError);
    await pass(40);
    assert.equal(pool.free, 1);
    pool.tryAdd(hub.spawn(() => {}));
    assert.equal(pool.free, 0);
    await pass();
    assert.equal(pool.free, 1);
  },
);

threadTest(
  "Pool.available() waits for a place and takes none",
  async ({ pass }) => {
    const pool = new Pool(2);
    assert.equal(await pool.available(), 2);
    await pool.spawn(() => nap(10));
    await pool.spawn(() => nap(20));
    const late = pool.available({ timeout: 5 });
    const soon = pool.available();
    await pass(5);
    assert.equal(await late, 0);
    await pass(5);
    assert.equal(await soon, 1);
    assert.equal(pool.free, 1);
    await pass(10);
  },
);

threadTest(
  "Pool.join() and kill() end what a pool holds, and places come back",
  async ({ pass }) => {
    const pool = new Pool(2);
    const members = [pool.trySpawn(() => nap(5)), pool.trySpawn(() => nap(50))];
    const join = pool.join({ timeout: 10 });
    await pass(10);
    assert.equal(await join, false);
    await pool.kill();
    assert.deepEqual(members.map((each) => each.state), [
      "succeeded",
      "killed",
    ]);
    assert.equal(pool.free, 2);
    assert.equal(await pool.join(), true);
  },
);

// -- Deadlock --

threadTest(
  "Pool.spawn() by the only member of a full pool is a deadlock",
  async ({ pass }) => {
    const pool = new Pool(1);
    const { greenlet } = await pool.spawn(() => rejection(pool.spawn(() => 1)));
    await pass();
    assert.ok(await greenlet instanceof DeadlockError);
    assert.deepEqual([pool.free, pool.waiting], [1, 0]);
  },
);

threadTest(
  "Pool.spawn() by all members: the last gets the error, the others their places",
  async ({ pass }) => {
    const pool = new Pool(3);
    const outcomes: string[] = [];
    for (let i = 0; i < 3; i++) {
      pool.trySpawn(async () => {
        try {
          await pool.spawn(() => outcomes.push(`child ${i}`));
        } catch (error) {
          outcomes.push(`${(error as Error).name} ${i}`);
        }
      });
    }
    await pass();
    assert.deepEqual(outcomes, ["DeadlockError 2", "child 0", "child 1"]);
    assert.equal(pool.free, 3);
  },
);

threadTest(
  "Pool.spawn() by a member is no deadlock while another member can end",
  async ({ pass }) => {
    const pool = new Pool(2);
    pool.trySpawn(() => nap(5));
    let ran = false;
    pool.trySpawn(() => pool.spawn(() => ran = true).then(() => {}));
    await pass(5);
    assert.equal(ran, true);
  },
);

threadTest(
  "Pool.spawn() by a member with a timeout waits for it",
  async ({ pass }) => {
    const pool = new Pool(1);
    const { greenlet } = await pool.spawn(() =>
      rejection(pool.spawn(() => 1, { wait: { timeout: 5 } }))
    );
    await pass(5);
    assert.ok(await greenlet instanceof Timeout);
  },
);

threadTest(
  "Pool.map() in the only member of a full pool is a deadlock",
  async ({ pass }) => {
    const pool = new Pool(1);
    const { greenlet } = await pool.spawn(() =>
      rejection(pool.map([1], (x) => x))
    );
    await pass();
    assert.ok(await greenlet instanceof DeadlockError);
  },
);

threadTest(
  "Pool.apply() in a member runs there, at any depth",
  async ({ pass }) => {
    const pool = new Pool(1);
    const depth = (left: number): Promise<number> =>
      left === 0
        ? Promise.resolve(0)
        : pool.apply(() => depth(left - 1)).then((x) => x + 1);
    const result = pool.apply(() => depth(5));
    await pass();
    assert.equal(await result, 5);
  },
);

threadTest(
  "Pool.apply() that is killed leaves its member running",
  async ({ hub, pass }) => {
    const pool = new Pool(1);
    let ran = false;
    const caller = hub.spawn(() =>
      pool.apply(async () => {
        await nap(10);
        ran = true;
      })
    );
    await pass();
    await caller.kill();
    await pass(10);
    assert.equal(ran, true);
  },
);

// -- map() with every size --

for (const limit of [1, 2, 3, 10, Infinity]) {
  threadTest(
    `Pool(${limit}).map() runs as many at once and keeps the order`,
    async ({ hub, pass }) => {
      const pool = new Pool(limit);
      const random = seededRandom(limit === Infinity ? 99 : limit);
      let most = 0;
      const items = Array.from({ length: 30 }, (_, i) => i);
      const map = hub.spawn(() =>
        pool.map(items, async (x) => {
          most = Math.max(most, pool.size);
          await nap(1 + integer(random, 5));
          return x * x;
        })
      );
      while (!map.ended) await pass(1);
      assert.deepEqual(await map, items.map((x) => x * x));
      assert.equal(most, Math.min(limit, 30));
      assert.equal(pool.free, limit);
    },
  );

  threadTest(
    `Pool(${limit}).imapUnordered() gives every result once`,
    async ({ hub, pass }) => {
      const pool = new Pool(limit);
      const random = seededRandom(7);
      const seen: number[] = [];
      const reader = hub.spawn(async () => {
        const results = pool.imapUnordered(
          Array.from({ length: 20 }, (_, i) => i),
          (x) => nap(integer(random, 4)).then(() => x),
          { maxSize: 4 },
        );
        for await (const x of results) seen.push(x);
      });
      while (!reader.ended) await pass(1);
      assert.deepEqual(
        seen.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => i),
      );
    },
  );
}

threadTest(
  "Pool.imap() gives a killed member's kill at its item",
  async ({ pass }) => {
    const pool = new Pool(2);
    const results = pool.imap([1, 2], (x) => nap(10).then(() => x));
    const first = rejection(results.next());
    await pass();
    await [...pool][0]!.kill();
    assert.ok(await first instanceof GreenletKilledError);
    const second = results.next();
    await pass(10);
    assert.equal((await second).value, 2);
    await results.return();
  },
);

threadTest(
  "Pool that is used at random keeps its count",
  async ({ hub, pass }) => {
    const random = seededRandom(20_261_123);
    const pool = new Pool(4);
    const spawners: { kill(): Promise<void> }[] = [];
    for (let step = 0; step < 400; step++) {
      const what = integer(random, 6);
      if (what < 3) {
        const length = integer(random, 10);
        spawners.push(
          hub.spawn(() => pool.spawn(() => nap(length)).then(() => {})),
        );
      } else if (what === 3) {
        void spawners[integer(random, spawners.length)]?.kill();
      } else if (what === 4) {
        const members = [...pool];
        void members[integer(random, members.length)]?.kill();
      }
      await pass(integer(random, 3));
      assert.ok(pool.size <= 4);
    }
    await pass(10_000);
    assert.deepEqual([pool.size, pool.waiting, pool.free], [0, 0, 4]);
  },
);
