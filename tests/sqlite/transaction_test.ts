/** Statements that take effect together. @module */

import * as assert from "node:assert/strict";
import { ResourceClosedError } from "../../src/errors.ts";
import { SqliteError, type Transaction } from "../../src/sqlite/mod.ts";
import {
  open,
  rejectsWith,
  scalar,
  TemporaryDirectory,
  usage,
} from "./support.ts";

Deno.test("transaction() commits what its body did and returns its value", async () => {
  using directory = new TemporaryDirectory();
  await using db = await open(directory.file("a.db"));
  await using other = await open(directory.file("a.db"));
  await db.execute("CREATE TABLE t (a)");
  const value = await db.transaction(async (transaction) => {
    await transaction.execute("INSERT INTO t VALUES (?)", [1]);
    await transaction.execute("INSERT INTO t VALUES (:a)", { a: 2 });
    assert.equal(await scalar(other, "SELECT count(*) FROM t"), 0);
    return await transaction.query<{ a: number }>("SELECT a FROM t");
  });
  assert.deepEqual(value, [{ a: 1 }, { a: 2 }]);
  assert.equal(await scalar(other, "SELECT count(*) FROM t"), 2);
});

Deno.test("transaction() takes a body that is not asynchronous", async () => {
  await using db = await open(":memory:");
  assert.equal(await db.transaction(() => 7), 7);
});

Deno.test("transaction() rolls back when its body throws or rejects", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const error = new Error("the body");
  const bodies = [
    () => {
      throw error;
    },
    async (transaction: Transaction) => {
      await transaction.execute("INSERT INTO t VALUES (1)");
      throw error;
    },
    (transaction: Transaction) => {
      transaction.execute("INSERT INTO t VALUES (1)").catch(() => {});
      throw error;
    },
  ];
  for (const body of bodies) {
    await assert.rejects(
      async () => await db.transaction(body),
      (found) => found === error,
    );
    assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
    assert.equal(db.stats().busy, false);
  }
});

Deno.test("transaction() rolls back when a statement fails that its body awaits", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a UNIQUE)");
  await rejectsWith(
    db.transaction(async (transaction) => {
      await transaction.execute("INSERT INTO t VALUES (1)");
      await transaction.execute("INSERT INTO t VALUES (1)");
    }),
    "SQLITE_CONSTRAINT_UNIQUE",
  );
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
});

Deno.test("transaction() goes on after a failure that its body catches", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a UNIQUE)");
  await db.transaction(async (transaction) => {
    await transaction.execute("INSERT INTO t VALUES (1)");
    await rejectsWith(
      transaction.execute("INSERT INTO t VALUES (1)"),
      "SQLITE_CONSTRAINT_UNIQUE",
    );
    await rejectsWith(transaction.query("nonsense"), "SQLITE_ERROR");
    await transaction.execute("INSERT INTO t VALUES (2)");
  });
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 2);
});

Deno.test("transaction() runs its statements one after the other", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  await db.transaction((transaction) =>
    Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        transaction.execute("INSERT INTO t VALUES (?)", [i])),
    )
  );
  const rows = await db.query<number[]>("SELECT a FROM t", [], {
    rowMode: "array",
  });
  assert.deepEqual(rows.flat(), Array.from({ length: 50 }, (_, i) => i));
});

Deno.test("transaction() waits for statements that its body does not await", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  let pending: Promise<unknown> | undefined;
  await db.transaction((transaction) => {
    pending = transaction.execute("INSERT INTO t VALUES (1)");
  });
  await pending;
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 1);
});

Deno.test("transaction() keeps other operations of its database out", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const transaction = db.transaction(async (transaction) => {
    await transaction.execute("INSERT INTO t VALUES (1)");
    await gate.promise;
    order.push("transaction");
    throw new Error("rolled back");
  });
  const count = db.query("SELECT count(*) AS n FROM t").then((rows) => {
    order.push("query");
    return rows;
  });
  gate.resolve();
  await assert.rejects(async () => await transaction, /rolled back/);
  assert.deepEqual(await count, [{ n: 0 }]);
  assert.deepEqual(order, ["transaction", "query"]);
});

Deno.test("transaction() refuses statements when it is over", async () => {
  await using db = await open(":memory:");
  let kept: Transaction | undefined;
  await db.transaction((transaction) => {
    kept = transaction;
  });
  await assert.rejects(kept!.query("SELECT 1"), ResourceClosedError);
  await assert.rejects(kept!.execute("SELECT 1"), ResourceClosedError);
});

Deno.test("transaction() refuses statements after one that ended it", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)");
  await rejectsWith(
    db.transaction(async (transaction) => {
      await transaction.execute("INSERT INTO t VALUES (1)");
      await rejectsWith(
        transaction.execute("INSERT INTO t VALUES (1)"),
        "SQLITE_CONSTRAINT_UNIQUE",
      );
      await transaction.execute("INSERT INTO t VALUES (2)");
    }),
    "SQLITE_ABORT_ROLLBACK",
    /not open any more/,
  );
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 0);
  await rejectsWith(
    db.transaction((transaction) => transaction.execute("COMMIT")),
    "SQLITE_ERROR",
    /no transaction is active/,
  );
});

Deno.test("transaction() takes its locks when its mode says so", async () => {
  using directory = new TemporaryDirectory();
  await using db = await open(directory.file("a.db"));
  await using other = await open(directory.file("a.db"), { timeout: 0 });
  await db.execute("CREATE TABLE t (a)");
  const write = () => other.execute("INSERT INTO t VALUES (1)");
  await db.transaction(async () => {
    await write();
  });
  await db.transaction(async () => {
    await rejectsWith(write(), "SQLITE_BUSY");
    assert.equal(await scalar(other, "SELECT count(*) FROM t"), 1);
  }, { mode: "immediate" });
  await db.transaction(async () => {
    await rejectsWith(write(), "SQLITE_BUSY");
    await rejectsWith(other.query("SELECT * FROM t"), "SQLITE_BUSY");
  }, { mode: "exclusive" });
  await write();
});

Deno.test("transaction() rejects an unknown mode at once", async () => {
  await using db = await open(":memory:");
  const mode = "later" as "deferred";
  assert.throws(() => db.transaction(() => {}, { mode }), TypeError);
});

Deno.test("transaction() rolls back when it cannot commit", async () => {
  using directory = new TemporaryDirectory();
  await using db = await open(directory.file("a.db"), { timeout: 0 });
  await using reader = await open(directory.file("a.db"));
  await db.execute("CREATE TABLE t (a)");
  await reader.execute("INSERT INTO t VALUES (1)");
  const before = usage();
  await reader.transaction(async (reading) => {
    await reading.query("SELECT * FROM t");
    const error = await rejectsWith(
      db.transaction((transaction) =>
        transaction.execute("INSERT INTO t VALUES (2)")
      ),
      "SQLITE_BUSY",
      /^Cannot run the statement: database is locked$/,
    );
    assert.ok(error instanceof SqliteError);
  });
  assert.deepEqual(usage(), before);
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 1);
  await db.transaction(() => {}, { mode: "exclusive" });
});

Deno.test("transaction() checks deferred foreign keys when it commits", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)");
  await db.execute(
    "CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
  );
  await rejectsWith(
    db.transaction((transaction) =>
      transaction.execute("INSERT INTO c VALUES (1)")
    ),
    "SQLITE_CONSTRAINT_FOREIGNKEY",
  );
  assert.equal(await scalar(db, "SELECT count(*) FROM c"), 0);
});

Deno.test("transaction() leaves alone a transaction that a statement began", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  await db.execute("BEGIN");
  await db.execute("INSERT INTO t VALUES (1)");
  await assert.rejects(
    async () => await db.transaction(() => {}),
    /^SqliteError: Cannot begin a transaction: one is open already, begun by a statement$/,
  );
  await db.execute("COMMIT");
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 1);
});
