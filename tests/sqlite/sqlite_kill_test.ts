/** Killing and timing out operations, everywhere where they wait. @module */

import * as assert from "node:assert/strict";
import { GreenletKilledError, ResourceClosedError } from "../../src/errors.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { threadHub } from "../../src/host/thread_hub.ts";
import type { Database } from "../../src/sqlite/mod.ts";
import { open, scalar, TemporaryDirectory, usage } from "./support.ts";
import { turn } from "../support/turn.ts";

const ROWS = 400;

/** How an operation is ended early; tells the reasons that it may reject with. */
type Strike = (greenlet: Greenlet<unknown>) => unknown[];

const STRIKES: Readonly<Record<string, Strike>> = {
  "a kill"(greenlet) {
    const reason = new Error("the test");
    greenlet.kill(reason);
    return [reason];
  },
  "a timeout"(greenlet) {
    const timeout = new Timeout(1, "the test");
    greenlet.interrupt(timeout);
    return [timeout];
  },
  "a timeout and a kill"(greenlet) {
    const timeout = new Timeout(1, "the test");
    const reason = new Error("the test");
    greenlet.interrupt(timeout);
    greenlet.kill(reason);
    return [timeout, reason];
  },
  "two timeouts"(greenlet) {
    const timeouts = [new Timeout(1, "one"), new Timeout(2, "two")];
    for (const timeout of timeouts) greenlet.interrupt(timeout);
    return timeouts;
  },
};

/**
 * Runs an operation and strikes it at its n-th wait for the VFS.
 *
 * @returns What it may reject with; `undefined` when it never waited that often.
 */
async function strikeAt(
  start: () => Greenlet<unknown>,
  n: number,
  strike: Strike,
): Promise<{ expected: unknown[] | undefined; error: unknown }> {
  const hub = threadHub();
  let expected: unknown[] | undefined;
  let waits = 0;
  const greenlet = start();
  hub.observer = (event, observed, label) => {
    if (observed !== greenlet || event !== "suspend") return;
    if (!/^x[A-Z]/.test(label ?? "")) return;
    waits += 1;
    // Not at once: the wait is being made just now.
    if (waits === n) queueMicrotask(() => expected = strike(greenlet));
  };
  try {
    await greenlet;
    return { expected, error: undefined };
  } catch (error) {
    return { expected, error };
  } finally {
    hub.observer = undefined;
  }
}

/** What was given to the strike. */
function reasonOf(error: unknown): unknown {
  return error instanceof GreenletKilledError ? error.cause : error;
}

async function seed(db: Database): Promise<void> {
  await db.execute("PRAGMA cache_size = 5");
  await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v, pad)");
  await db.execute("CREATE INDEX i ON t (v, pad)");
  await db.execute(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
     WHERE i < ${ROWS}) INSERT INTO t SELECT i, 0, hex(zeroblob(40)) FROM n`,
  );
}

const OPERATIONS: Readonly<
  Record<string, (db: Database) => Greenlet<unknown>>
> = {
  "a transaction": (db) =>
    db.transaction(async (transaction) => {
      await transaction.execute("UPDATE t SET v = v + 1, pad = pad || 'x'");
      await transaction.query("SELECT sum(v), min(pad) FROM t");
    }),
  "a statement": (db) => db.execute("UPDATE t SET v = v + 1, pad = pad || 'x'"),
};

for (const [operation, start] of Object.entries(OPERATIONS)) {
  for (const [name, strike] of Object.entries(STRIKES)) {
    Deno.test(`${operation} struck by ${name} at any wait changes all or nothing`, async () => {
      using directory = new TemporaryDirectory();
      await using db = await open(directory.file("a.db"));
      await using other = await open(directory.file("a.db"), { timeout: 0 });
      await seed(db);
      const before = usage();
      let value = 0;
      let hits = 0;
      for (let n = 1;; n++) {
        const { expected, error } = await strikeAt(() => start(db), n, strike);
        if (expected === undefined) {
          assert.equal(error, undefined);
          value += 1;
          break;
        }
        if (error === undefined) value += 1;
        else {
          hits += 1;
          const reason = reasonOf(error);
          assert.ok(expected.includes(reason), `${reason}`);
        }
        const found = await other.query(
          "SELECT count(*) AS n, min(v) AS low, max(v) AS high FROM t",
        );
        assert.deepEqual(
          found,
          [{ n: ROWS, low: value, high: value }],
          `at wait ${n}`,
        );
        assert.equal(await scalar(db, "PRAGMA integrity_check"), "ok");
        assert.deepEqual(directory.names(), ["a.db"]);
        // Nobody holds a lock, and both can write.
        for (const each of [other, db]) {
          await each.transaction(() => {}, { mode: "exclusive" });
          const { changes } = await each.execute(
            "UPDATE t SET v = v WHERE id = 7",
          );
          assert.equal(changes, 1);
        }
        assert.deepEqual(usage(), before);
      }
      assert.ok(hits > 20, `${hits} strikes hit`);
      assert.equal(await scalar(db, "SELECT min(v) FROM t"), value);
    });
  }
}

// -- Elsewhere --

const ENDLESS =
  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

async function killed(greenlet: Greenlet<unknown>): Promise<void> {
  await assert.rejects(async () => await greenlet, GreenletKilledError);
}

Deno.test("a query that computes lets the event loop turn, and can be killed", async () => {
  await using db = await open(":memory:");
  const before = usage();
  const query = db.query(ENDLESS);
  for (let i = 0; i < 20; i++) {
    await turn();
    assert.equal(query.ended, false);
  }
  await query.kill();
  await killed(query);
  assert.deepEqual(usage(), before);
  assert.equal(await scalar(db, "SELECT 1"), 1);
});

Deno.test("a query that computes can be timed out", async () => {
  await using db = await open(":memory:");
  const query = db.query(ENDLESS);
  const timeout = new Timeout(5).start(query);
  await assert.rejects(async () => await query, (error) => error === timeout);
  assert.equal(await scalar(db, "SELECT 1"), 1);
});

Deno.test("a killed query in a transaction rolls it back", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const transaction = db.transaction(async (transaction) => {
    await transaction.execute("INSERT INTO t VALUES (1)");
    await transaction.query(ENDLESS);
  });
  for (let i = 0; i < 5; i++) await turn();
  await transaction.kill();
  await killed(transaction);
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
});

Deno.test("a kill does not wait for a transaction's body", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const gate = Promise.withResolvers<void>();
  let late: Promise<unknown> | undefined;
  const transaction = db.transaction(async (transaction) => {
    await transaction.execute("INSERT INTO t VALUES (1)");
    await gate.promise;
    late = transaction.execute("INSERT INTO t VALUES (2)");
    await late;
  });
  for (let i = 0; i < 5; i++) await turn();
  await transaction.kill();
  await killed(transaction);
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
  gate.resolve();
  await turn();
  assert.ok(late);
  await assert.rejects(late, ResourceClosedError);
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
});

Deno.test("a transaction whose body catches a kill or a timeout is rolled back", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  for (const strike of Object.values(STRIKES)) {
    const late: unknown[] = [];
    const transaction = db.transaction(async (transaction) => {
      await transaction.execute("INSERT INTO t VALUES (1)");
      for (let i = 0; i < 2; i++) {
        await transaction.query(ENDLESS).catch((error) => late.push(error));
      }
      return "committed";
    });
    for (let i = 0; i < 5; i++) await turn();
    const reasons = strike(transaction);
    await assert.rejects(async () => await transaction, (error) => {
      assert.ok(reasons.includes(reasonOf(error)), String(error));
      return true;
    });
    await turn();
    assert.equal(late.length, 2);
    assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
  }
});

Deno.test("a transaction that is killed in a statement that nobody awaits is rolled back", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const transaction = db.transaction(async (transaction) => {
    await transaction.execute("INSERT INTO t VALUES (1)");
    transaction.query(ENDLESS).catch(() => {});
  });
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(transaction.ended, false);
  await transaction.kill();
  await killed(transaction);
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
});

Deno.test("a kill ends all of a transaction's statements that run at once", async () => {
  await using db = await open(":memory:");
  const transaction = db.transaction((transaction) =>
    Promise.all([
      transaction.query(ENDLESS),
      transaction.query(ENDLESS),
      transaction.query(ENDLESS),
    ])
  );
  for (let i = 0; i < 5; i++) await turn();
  await transaction.kill();
  await killed(transaction);
  assert.equal(await scalar(db, "SELECT 1"), 1);
});

Deno.test("an operation is killed while it waits for its turn", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const first = db.query(ENDLESS);
  const second = db.execute("INSERT INTO t VALUES (2)");
  const third = db.execute("INSERT INTO t VALUES (3)");
  await turn();
  assert.equal(db.stats().waiting, 2);
  await second.kill();
  await killed(second);
  await first.kill();
  await killed(first);
  await third;
  assert.deepEqual(await db.query("SELECT a FROM t"), [{ a: 3 }]);
});

Deno.test("an operation is killed while it waits for another database's lock", async () => {
  using directory = new TemporaryDirectory();
  await using one = await open(directory.file("a.db"));
  await using two = await open(directory.file("a.db"), { timeout: 60_000 });
  await one.execute("CREATE TABLE t (a)");
  const gate = Promise.withResolvers<void>();
  const holder = one.transaction(() => gate.promise, { mode: "exclusive" });
  const waiter = two.execute("INSERT INTO t VALUES (1)");
  while (waiter.blockedOn !== "busy") await turn();
  await waiter.kill();
  await killed(waiter);
  const impatient = two.query("SELECT * FROM t");
  while (impatient.blockedOn !== "busy") await turn();
  const timeout = new Timeout(0).start(impatient);
  await assert.rejects(
    async () => await impatient,
    (error) => error === timeout,
  );
  gate.resolve();
  await holder;
  assert.deepEqual(await two.query("SELECT * FROM t"), []);
});

Deno.test("a kill during the preparation of a statement leaves nothing", async () => {
  using directory = new TemporaryDirectory();
  {
    await using db = await open(directory.file("a.db"));
    await db.execute("CREATE TABLE t (a)");
  }
  await using writer = await open(directory.file("a.db"));
  await using db = await open(directory.file("a.db"));
  const before = usage();
  for (let n = 1;; n++) {
    // A new schema makes the next preparation read it.
    await writer.execute(`CREATE TABLE t${n} (a)`);
    const { expected } = await strikeAt(
      () => db.query(`SELECT * FROM t${n}`),
      n,
      STRIKES["a kill"]!,
    );
    assert.deepEqual(usage(), before);
    if (expected === undefined) break;
  }
  assert.equal(await scalar(db, "PRAGMA integrity_check"), "ok");
});
