/** Running statements, one after the other and at once. @module */

import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { GuestArgumentError } from "../../src/errors.ts";
import { type Database, RESULT_CODES } from "../../src/sqlite/mod.ts";
import { sqliteGuest } from "../../src/sqlite/sqlite_guest.ts";
import {
  open,
  rejectsWith,
  scalar,
  TemporaryDirectory,
  usage,
} from "./support.ts";

// -- Running statements --

Deno.test("execute() tells what a statement changed", async () => {
  await using db = await open(":memory:");
  const create = await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a)");
  assert.deepEqual(create, { changes: 0, lastInsertRowid: 0 });
  assert.deepEqual(await db.execute("INSERT INTO t (a) VALUES (1), (2), (3)"), {
    changes: 3,
    lastInsertRowid: 3,
  });
  assert.deepEqual(await db.execute("UPDATE t SET a = 0 WHERE id > 1"), {
    changes: 2,
    lastInsertRowid: 3,
  });
  assert.deepEqual(await db.execute("SELECT * FROM t"), {
    changes: 0,
    lastInsertRowid: 3,
  });
  assert.deepEqual(await db.execute("DELETE FROM t"), {
    changes: 3,
    lastInsertRowid: 3,
  });
  const { lastInsertRowid } = await db.execute(
    "INSERT INTO t (id) VALUES (9223372036854775807)",
  );
  assert.equal(lastInsertRowid, 2n ** 63n - 1n);
});

Deno.test("query() runs statements that change something, too", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  assert.deepEqual(
    await db.query("INSERT INTO t VALUES (1), (2) RETURNING a, rowid"),
    [{ a: 1, rowid: 1 }, { a: 2, rowid: 2 }],
  );
  assert.deepEqual(await db.query("DELETE FROM t WHERE a = 1"), []);
  assert.equal(await scalar(db, "SELECT count(*) FROM t"), 1);
});

Deno.test("a statement may have comments around it, but must be one", async () => {
  await using db = await open(":memory:");
  const before = usage();
  for (
    const sql of [
      "SELECT 1;",
      " /* one */ SELECT 1 -- two",
      "SELECT 1; -- nothing\n ; ;; /* more */",
    ]
  ) assert.equal(await scalar(db, sql), 1);
  for (const sql of ["", ";", " -- nothing", "/* */"]) {
    await assert.rejects(async () => await db.query(sql), {
      name: "GuestArgumentError",
      message: "Cannot run the statement: the SQL has none",
    });
  }
  for (
    const sql of [
      "SELECT 1; SELECT 2",
      "CREATE TABLE t (a); ;DROP TABLE t",
      "SELECT 1; nonsense",
    ]
  ) {
    await assert.rejects(async () => await db.execute(sql), /more than one/);
  }
  await assert.rejects(
    async () => await db.query("SELECT 1\0"),
    GuestArgumentError,
  );
  assert.deepEqual(usage(), before);
  assert.equal(await scalar(db, "SELECT count(*) FROM sqlite_schema"), 0);
});

Deno.test("a failing statement tells SQLite's code, message and place", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a NOT NULL UNIQUE, CHECK (a <> 13))");
  const before = usage();
  const syntax = await rejectsWith(
    db.query("SELECT a FROM t WHER a"),
    "SQLITE_ERROR",
    /^Cannot run the statement: near "a": syntax error$/,
  );
  assert.equal(syntax.offset, 21);
  assert.equal(syntax.sql, "SELECT a FROM t WHER a");
  assert.equal(syntax.code, RESULT_CODES.SQLITE_ERROR);
  const missing = await rejectsWith(
    db.query("SELECT * FROM x"),
    "SQLITE_ERROR",
    /^Cannot run the statement: no such table: x$/,
  );
  assert.equal(missing.cause, undefined);
  const insert = "INSERT INTO t VALUES (?)";
  await rejectsWith(db.execute(insert, [null]), "SQLITE_CONSTRAINT_NOTNULL");
  await rejectsWith(db.execute(insert, [13]), "SQLITE_CONSTRAINT_CHECK");
  await db.execute(insert, [1]);
  const unique = await rejectsWith(
    db.execute(insert, [1]),
    "SQLITE_CONSTRAINT_UNIQUE",
    /UNIQUE constraint failed: t\.a$/,
  );
  assert.equal(unique.code, 2067);
  assert.equal(unique.offset, undefined);
  await rejectsWith(
    db.query("SELECT abs(-9223372036854775808)"),
    "SQLITE_ERROR",
    /overflow/,
  );
  await rejectsWith(db.query("SELECT zeroblob(2000000000)"), "SQLITE_TOOBIG");
  assert.deepEqual(usage(), before);
  assert.deepEqual(await db.query("SELECT a FROM t"), [{ a: 1 }]);
});

Deno.test("a query that fails after some rows rejects", async () => {
  await using db = await open(":memory:");
  const sql = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
    WHERE i < 5000) SELECT CASE i WHEN 4999 THEN abs(-9223372036854775808) ELSE i END FROM n`;
  await rejectsWith(db.query(sql), "SQLITE_ERROR", /integer overflow/);
  assert.equal(await scalar(db, "SELECT 1"), 1);
});

Deno.test("statements are kept prepared, the last used 64 of them", async () => {
  await using db = await open(":memory:");
  assert.equal(db.stats().statements, 1);
  for (let i = 0; i < 200; i++) {
    assert.equal(await scalar(db, `SELECT ${i}`), i);
    await scalar(db, "SELECT 'often'");
  }
  assert.equal(db.stats().statements, 64);
  for (let i = 199; i >= 0; i--) {
    assert.equal(await scalar(db, `SELECT ${i}`), i);
  }
  await db.execute("CREATE TABLE t (a)");
  await db.query("SELECT * FROM t");
  // A kept statement neither holds a lock nor keeps a table from being dropped.
  await db.execute("DROP TABLE t");
  await rejectsWith(
    db.query("SELECT * FROM t"),
    "SQLITE_ERROR",
    /no such table/,
  );
  await db.execute("VACUUM");
});

Deno.test("foreign keys are enforced unless told otherwise", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)");
  await db.execute("CREATE TABLE c (p REFERENCES p)");
  const insert = () => db.execute("INSERT INTO c VALUES (1)");
  await rejectsWith(insert(), "SQLITE_CONSTRAINT_FOREIGNKEY");
  await db.execute("PRAGMA foreign_keys = OFF");
  assert.equal((await insert()).changes, 1);
});

Deno.test("dates know the local time zone", async () => {
  await using db = await open(":memory:");
  for (const seconds of [0, 1_700_000_000, 1_720_000_000, 951_827_400]) {
    const found = await scalar(
      db,
      `SELECT datetime(${seconds}, 'unixepoch', 'localtime')`,
    );
    const date = new Date(seconds * 1000);
    const offset = date.getTimezoneOffset() * 60_000;
    const local = new Date(date.getTime() - offset).toISOString();
    assert.equal(found, local.slice(0, 19).replace("T", " "));
  }
  const now = await scalar(db, "SELECT unixepoch()");
  assert.ok(Math.abs(Number(now) - Date.now() / 1000) < 5);
});

Deno.test("deeply nested SQL has the stack that it needs", async () => {
  await using db = await open(":memory:");
  const union = Array.from({ length: 500 }, (_, i) => `SELECT ${i}`);
  assert.equal((await db.query(union.join(" UNION ALL "))).length, 500);
  await db.execute("CREATE TABLE t (a)");
  const between = "a BETWEEN ".repeat(900) + "1" + " AND 2".repeat(900);
  assert.deepEqual(await db.query(`SELECT * FROM t WHERE ${between}`), []);
});

// -- Operations at once --

Deno.test("operations of one database run in the order of their calls", async () => {
  await using db = await open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const order: number[] = [];
  const operations = Array.from({ length: 20 }, async (_, i) => {
    await db.execute("INSERT INTO t VALUES (?)", [i]);
    order.push(i);
  });
  assert.equal(db.stats().busy, false);
  await Promise.all(operations);
  assert.deepEqual(order, Array.from({ length: 20 }, (_, i) => i));
  const rows = await db.query<number[]>("SELECT a FROM t", [], {
    rowMode: "array",
  });
  assert.deepEqual(rows.flat(), order);
});

Deno.test("200 databases live in one instance at once", async () => {
  using directory = new TemporaryDirectory();
  const before = usage();
  const { guest } = sqliteGuest();
  const path = (i: number) => directory.file(`${i}.db`);
  const databases = await Promise.all(
    Array.from({ length: 200 }, (_, i) => open(path(i))),
  );
  assert.equal(usage().files, before.files + 200);
  await Promise.all(databases.map(async (db, i) => {
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)");
    await db.transaction(async (transaction) => {
      for (let k = 0; k < 10; k++) {
        await transaction.execute("INSERT INTO t (a, b) VALUES (?, ?)", [
          i,
          `row ${k} of ${i} `.repeat(k * 20),
        ]);
      }
    });
    const [row] = await db.query("SELECT count(*) AS n, sum(a) AS s FROM t");
    assert.deepEqual(row, { n: 10, s: 10 * i });
    assert.equal(await scalar(db, "PRAGMA integrity_check"), "ok");
    await db.close();
  }));
  assert.deepEqual(usage(), before);
  assert.equal(sqliteGuest().guest, guest);
  assert.equal(directory.names().length, 200);
  for (let i = 0; i < 200; i++) {
    const reader = new DatabaseSync(path(i), { readOnly: true });
    const row = reader.prepare("SELECT count(*) AS n, sum(a) AS s FROM t")
      .get();
    assert.deepEqual({ ...row }, { n: 10, s: 10 * i });
    reader.close();
  }
});

Deno.test("two databases on one file wait for each other's locks", async () => {
  using directory = new TemporaryDirectory();
  await using one = await open(directory.file("a.db"), { timeout: 60_000 });
  await using two = await open(directory.file("a.db"), { timeout: 60_000 });
  await one.execute("CREATE TABLE t (who, i)");
  const write = async (db: Database, who: string) => {
    for (let i = 0; i < 25; i++) {
      await db.transaction(
        (transaction) =>
          transaction.execute("INSERT INTO t VALUES (?, ?)", [who, i]),
        { mode: "immediate" },
      );
    }
  };
  await Promise.all([write(one, "one"), write(two, "two")]);
  for (const db of [one, two]) {
    assert.deepEqual(
      await db.query(
        "SELECT who, count(*) AS n, sum(i) AS s FROM t GROUP BY who",
      ),
      [{ who: "one", n: 25, s: 300 }, { who: "two", n: 25, s: 300 }],
    );
    assert.equal(await scalar(db, "PRAGMA integrity_check"), "ok");
  }
});

Deno.test("a statement waits as long as the timeout for a lock", async () => {
  using directory = new TemporaryDirectory();
  await using one = await open(directory.file("a.db"));
  await using two = await open(directory.file("a.db"), { timeout: 30 });
  await one.execute("CREATE TABLE t (a)");
  await one.transaction(async () => {
    const start = performance.now();
    await rejectsWith(
      two.query("SELECT * FROM t"),
      "SQLITE_BUSY",
      /database is locked$/,
    );
    assert.ok(performance.now() - start >= 29);
  }, { mode: "exclusive" });
  assert.deepEqual(await two.query("SELECT * FROM t"), []);
});
