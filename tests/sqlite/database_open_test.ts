/** Opening and closing databases. @module */

import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ResourceClosedError } from "../../src/errors.ts";
import { Database } from "../../src/sqlite/mod.ts";
import {
  open,
  rejectsWith,
  scalar,
  TemporaryDirectory,
  usage,
} from "./support.ts";
import { until } from "../support/turn.ts";

// -- Opening --

Deno.test("open() reads what node:sqlite has written", async () => {
  using directory = new TemporaryDirectory();
  const writer = new DatabaseSync(directory.file("a.db"));
  writer.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), ('two'), (NULL)");
  writer.close();
  await using db = await open(directory.file("a.db"));
  assert.deepEqual(await db.query("SELECT a FROM t"), [
    { a: 1 },
    { a: "two" },
    { a: null },
  ]);
});

Deno.test("open() rolls back what a process left half done", async () => {
  using directory = new TemporaryDirectory();
  const code = `
    import { DatabaseSync } from "node:sqlite";
    const db = new DatabaseSync(${JSON.stringify(directory.file("a.db"))});
    db.exec("PRAGMA cache_size = 2; CREATE TABLE t (a); INSERT INTO t VALUES (0)");
    db.exec("BEGIN; UPDATE t SET a = 1");
    const insert = db.prepare("INSERT INTO t VALUES (hex(zeroblob(2000)))");
    for (let i = 0; i < 50; i++) insert.run();
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    stderr: "null",
  }).output();
  assert.equal(signal, "SIGKILL");
  assert.deepEqual(directory.names(), ["a.db", "a.db-journal"]);
  await using db = await open(directory.file("a.db"));
  assert.deepEqual(await db.query("SELECT a FROM t"), [{ a: 0 }]);
  assert.deepEqual(directory.names(), ["a.db"]);
});

Deno.test("open() tells why it cannot, and leaves nothing open", async () => {
  using directory = new TemporaryDirectory();
  await using db = await open(":memory:");
  const before = usage();
  const isDirectory = await rejectsWith(
    open(directory.file(".")),
    "SQLITE_CANTOPEN_ISDIR",
    /^Cannot open '.*\.': unable to open database file$/,
  );
  assert.match(String(isDirectory.cause), /is a directory/);
  const missing = await rejectsWith(
    open(directory.file("no.db"), { create: false }),
    "SQLITE_CANTOPEN",
  );
  assert.match(String(missing.cause), /no such file/i);
  await rejectsWith(
    open(directory.file("no.db"), { readOnly: true }),
    "SQLITE_CANTOPEN",
  );
  await rejectsWith(open(directory.file("no/where.db")), "SQLITE_CANTOPEN");
  await rejectsWith(
    open(directory.file("x".repeat(2_000))),
    "SQLITE_CANTOPEN_FULLPATH",
  );
  assert.deepEqual(directory.names(), []);
  await Deno.writeTextFile(
    directory.file("text"),
    "This is no database. ".repeat(100),
  );
  await rejectsWith(
    open(directory.file("text")),
    "SQLITE_NOTADB",
    /file is not a database$/,
  );
  assert.deepEqual(usage(), before);
  assert.equal(await scalar(db, "SELECT 1"), 1);
});

Deno.test("open() needs Deno's permission for the file", async () => {
  using directory = new TemporaryDirectory();
  const url = new URL("../../src/sqlite/mod.ts", import.meta.url).href;
  await Deno.writeTextFile(
    directory.file("main.js"),
    `import { Database } from ${JSON.stringify(url)};
    await using db = await Database.open(":memory:");
    console.log((await db.query("SELECT 1 AS a"))[0].a);
    try {
      await Database.open(${JSON.stringify(directory.file("a.db"))});
    } catch (error) {
      console.log(error.codeName, String(error.cause?.cause));
    }`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", directory.file("main.js")],
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  assert.equal(lines[0], "1");
  assert.match(
    lines[1]!,
    /^SQLITE_PERM NotCapable: Requires (read|write) access/,
  );
});

Deno.test("open() refuses what is no path and no timeout", async () => {
  await assert.rejects(Database.open("a\0b"), TypeError);
  await assert.rejects(Database.open(JSON.parse("1")), TypeError);
  for (const timeout of [-1, NaN]) {
    await assert.rejects(Database.open(":memory:", { timeout }), RangeError);
  }
});

Deno.test("a read-only database cannot be written", async () => {
  using directory = new TemporaryDirectory();
  {
    await using db = await open(directory.file("a.db"));
    await db.execute("CREATE TABLE t (a)");
  }
  await using db = await open(directory.file("a.db"), { readOnly: true });
  assert.deepEqual(await db.query("SELECT * FROM t"), []);
  await rejectsWith(db.execute("INSERT INTO t VALUES (1)"), "SQLITE_READONLY");
});

Deno.test("a corrupt file is reported and does no harm", async () => {
  using directory = new TemporaryDirectory();
  {
    await using db = await open(directory.file("a.db"));
    await db.execute("CREATE TABLE t (a)");
    await db.execute(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1
      FROM n WHERE i < 500) INSERT INTO t SELECT hex(zeroblob(50)) FROM n`);
  }
  const bytes = await Deno.readFile(directory.file("a.db"));
  await Deno.writeFile(
    directory.file("a.db"),
    bytes.fill(0x55, 4096 + 10, 12_000),
  );
  const before = usage();
  await using db = await open(directory.file("a.db"));
  await rejectsWith(
    db.query("SELECT sum(length(a)) FROM t"),
    "SQLITE_CORRUPT",
    /malformed/,
  );
  await db.close();
  assert.deepEqual(usage(), before);
});

// -- Closing --

Deno.test("close() lets what runs end, and refuses what waits and comes later", async () => {
  using directory = new TemporaryDirectory();
  const before = usage();
  const db = await open(directory.file("a.db"));
  await db.execute("CREATE TABLE t (a)");
  const gate = Promise.withResolvers<void>();
  const transaction = db.transaction(async (transaction) => {
    await gate.promise;
    await transaction.execute("INSERT INTO t VALUES (1)");
    return "done";
  });
  const waiting = db.query("SELECT 1");
  waiting.catch(() => {});
  await until(() => db.stats().waiting > 0);
  const closing = db.close();
  assert.equal(db.close(), closing);
  const message = /^Cannot use '.*a\.db': the database is closed$/;
  const isClosed = (error: unknown) => {
    assert.ok(error instanceof ResourceClosedError);
    assert.match(error.message, message);
    return true;
  };
  await assert.rejects(async () => await waiting, isClosed);
  gate.resolve();
  assert.equal(await transaction, "done");
  await closing;
  for (
    const operation of [
      db.query("SELECT 1"),
      db.execute("SELECT 1"),
      db.transaction(() => {}),
    ]
  ) await assert.rejects(async () => await operation, isClosed);
  assert.deepEqual(db.stats(), {
    open: false,
    busy: false,
    waiting: 0,
    statements: 0,
  });
  assert.deepEqual(usage(), before);
  const reader = new DatabaseSync(directory.file("a.db"));
  assert.equal(reader.prepare("SELECT count(*) AS n FROM t").get()?.n, 1);
  reader.close();
});

Deno.test("stats() is frozen", async () => {
  await using db = await open(":memory:");
  const stats = db.stats();
  assert.ok(Object.isFrozen(stats));
  assert.deepEqual({ ...stats, statements: 0 }, {
    open: true,
    busy: false,
    waiting: 0,
    statements: 0,
  });
});
