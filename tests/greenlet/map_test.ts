import assert from "node:assert/strict";
import { Group } from "../../src/greenlet/group.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

// -- apply(), map(), imap() --

threadTest("Group.apply() runs a member and returns its result", async () => {
  const group = new Group();
  assert.equal(await group.apply(() => group.size), 1);
  const reason = new Error("x");
  assert.equal(
    await rejection(group.apply(() => Promise.reject(reason))),
    reason,
  );
});

threadTest(
  "Group.map() gives the results in the order of the items",
  async ({ pass }) => {
    const group = new Group();
    const map = group.map([3, 1, 2], async (x) => {
      await nap(x);
      return x * 10;
    });
    await pass(3);
    assert.deepEqual(await map, [30, 10, 20]);
    assert.deepEqual(await group.map([], () => 1), []);
    assert.deepEqual(await group.map("ab", (x) => x + x), ["aa", "bb"]);
  },
);

threadTest(
  "Group.map() rejects with the first error in the order of the items",
  async ({ pass }) => {
    const group = new Group();
    const map = rejection(group.map([3, 1], async (x) => {
      await nap(x);
      throw x;
    }));
    await pass(3);
    assert.equal(await map, 3);
  },
);

threadTest("Group.imap() starts when it is first asked", async ({ pass }) => {
  const group = new Group();
  let ran = 0;
  const results = group.imap([1, 2], () => ran += 1);
  await pass();
  assert.equal(ran, 0);
  assert.deepEqual(await results.next(), { done: false, value: 1 });
  await results.return();
});

threadTest(
  "Group.imapUnordered() gives results as they come",
  async ({ hub, pass }) => {
    const group = new Group();
    const seen: number[] = [];
    const reader = hub.spawn(async () => {
      const results = group.imapUnordered(
        [3, 1, 2],
        (x) => nap(x).then(() => x),
      );
      for await (const x of results) {
        seen.push(x);
      }
    });
    await pass(3);
    await reader;
    assert.deepEqual(seen, [1, 2, 3]);
  },
);

for (const name of ["imap", "imapUnordered"] as const) {
  threadTest(
    `Group.${name}() raises an error at its item and goes on`,
    async () => {
      const results = new Group()[name]([1, 2, 3], (x) => {
        if (x === 2) throw new RangeError("2");
        return x;
      });
      assert.equal((await results.next()).value, 1);
      assert.ok(await rejection(results.next()) instanceof RangeError);
      assert.equal((await results.next()).value, 3);
      assert.equal((await results.next()).done, true);
      assert.equal((await results.next()).done, true);
    },
  );

  threadTest(
    `Group.${name}() ends with its input's error, after all results`,
    async () => {
      const reason = new Error("input");
      function* items() {
        yield 1;
        yield 2;
        throw reason;
      }
      const results = new Group()[name](items(), (x) => x);
      assert.equal((await results.next()).value, 1);
      assert.equal((await results.next()).value, 2);
      assert.equal(await rejection(results.next()), reason);
      assert.equal((await results.next()).done, true);
    },
  );

  threadTest(`Group.${name}() takes asynchronous items`, async () => {
    async function* items() {
      for (let x = 1; x < 4; x++) yield await Promise.resolve(x);
    }
    const seen: number[] = [];
    for await (const x of new Group()[name](items(), (x) => x * x)) {
      seen.push(x);
    }
    assert.deepEqual(seen, [1, 4, 9]);
  });

  threadTest(
    `Group.${name}() bounds what is finished and not read`,
    async ({ pass }) => {
      let started = 0;
      const results = new Group()[name](
        Array.from({ length: 10 }, (_, i) => i),
        (x) => {
          started += 1;
          return x;
        },
        { maxSize: 2 },
      );
      assert.equal((await results.next()).value, 0);
      await pass();
      assert.equal(started, 3);
      assert.equal((await results.next()).value, 1);
      await pass();
      assert.equal(started, 4);
      const rest: number[] = [];
      for await (const x of results) rest.push(x);
      assert.deepEqual(rest, [2, 3, 4, 5, 6, 7, 8, 9]);
      assert.throws(
        () => new Group()[name]([], () => 1, { maxSize: 0 }),
        RangeError,
      );
    },
  );

  threadTest(
    `Group.${name}() that is left early starts no more and closes its input`,
    async ({ hub, pass }) => {
      let closed = false;
      let started = 0;
      function* items() {
        try {
          for (let i = 0;; i++) yield i;
        } finally {
          closed = true;
        }
      }
      const results = new Group()[name](items(), () => started += 1, {
        maxSize: 3,
      });
      for await (const _ of results) break;
      await pass();
      const before = started;
      await pass();
      assert.equal(closed, true);
      assert.equal(started, before);
      assert.equal((await results.next()).done, true);
      assert.equal(hub.live, 0);
    },
  );

  threadTest(
    `Group.${name}() hands results to readers in the order in which they asked`,
    async ({ pass }) => {
      const results = new Group()[name]([1, 2], (x) => nap(x).then(() => x));
      const reads = [results.next(), results.next(), results.next()];
      await pass(2);
      const seen = (await Promise.all(reads)).map(({ value }) => value);
      assert.deepEqual(seen, [1, 2, undefined]);
    },
  );
}

threadTest(
  "Group.imap() loses no result to a reader that is killed",
  async ({ hub, pass }) => {
    const results = new Group().imap([1, 2], (x) => nap(10).then(() => x));
    const reader = hub.spawn(() => results.next());
    await pass();
    await reader.kill();
    await pass(10);
    assert.equal((await results.next()).value, 1);
    assert.equal((await results.next()).value, 2);
    await results.return();
  },
);
