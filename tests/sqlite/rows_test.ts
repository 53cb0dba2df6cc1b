/** What SQLite's values become in JavaScript. @module */

import * as assert from "node:assert/strict";
import { Database } from "../../src/sqlite/mod.ts";
import { rowTemplate } from "../../src/sqlite/row_reader.ts";

async function roundTrip(
  value: string | number | bigint | null | Uint8Array,
): Promise<unknown> {
  await using db = await Database.open(":memory:");
  await db.execute("CREATE TABLE t (v)");
  await db.execute("INSERT INTO t VALUES (?)", [value]);
  const rows = await db.query("SELECT v FROM t");
  assert.equal(rows.length, 1);
  return rows[0]!.v;
}

const VALUES = [
  0,
  1,
  -1,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  -(2 ** 31) - 1,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
  0.1,
  -1.5,
  1e300,
  Number.MIN_VALUE,
  Infinity,
  -Infinity,
  "",
  "a",
  "twelve chars",
  "thirteen char",
  "nul\0in the middle\0",
  "\uFEFFa byte order mark",
  "äöü ß €",
  "🦔 hedgehog 🐍 snake",
  "\uFFFD",
  null,
  new Uint8Array(),
  new Uint8Array([0, 1, 127, 128, 255]),
];

Deno.test("query() returns every value as it was stored", async () => {
  for (const value of VALUES) {
    assert.deepEqual(await roundTrip(value), value, String(value));
  }
});

Deno.test("query() returns texts and blobs bigger than the row memory", async () => {
  const text = "0123456789abcdef".repeat(65_536);
  assert.equal(await roundTrip(text), text);
  const hedgehogs = "🦔".repeat(100_000);
  assert.equal(await roundTrip(hedgehogs), hedgehogs);
  const blob = new Uint8Array(5 * 1024 * 1024).map((_, i) => i * 7);
  const found = await roundTrip(blob);
  assert.ok(found instanceof Uint8Array);
  assert.equal(found.length, blob.length);
  assert.ok(found.every((byte, i) => byte === blob[i]));
});

Deno.test("query() goes on after rows that do not fit the row memory", async () => {
  await using db = await Database.open(":memory:");
  await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)");
  const lengths = [10, 70_000, 0, 65_536, 65_535, 1, 200_000, 30_000, 40_000];
  for (const length of lengths) {
    await db.execute("INSERT INTO t (a, b, c) VALUES (?, zeroblob(?), ?)", [
      "x".repeat(length),
      length,
      `${length}`,
    ]);
  }
  const rows = await db.query<{ a: string; b: Uint8Array; c: string }>(
    "SELECT a, b, c FROM t ORDER BY id",
  );
  assert.deepEqual(
    rows.map(({ a, b, c }) => [a.length, b.length, c]),
    lengths.map((length) => [length, length, `${length}`]),
  );
});

Deno.test("query() returns rows of many batches in order, in both modes", async () => {
  await using db = await Database.open(":memory:");
  const sql = `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
    WHERE i < 9999) SELECT i, 'row ' || i AS name, i / 4.0 AS quarter,
    CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN x'0102' ELSE 'ä' || i END AS mixed
    FROM n`;
  const objects = await db.query(sql);
  const arrays = await db.query(sql, [], { rowMode: "array" });
  assert.equal(objects.length, 10_000);
  for (let i = 0; i < 10_000; i++) {
    const mixed = [null, new Uint8Array([1, 2]), `ä${i}`][i % 3];
    const row = { i, name: `row ${i}`, quarter: i / 4, mixed };
    assert.deepEqual(objects[i], row);
    assert.deepEqual(arrays[i], Object.values(row));
  }
});

Deno.test("query() replaces bytes that are not UTF-8", async () => {
  await using db = await Database.open(":memory:");
  const rows = await db.query<string[]>(
    `SELECT CAST(x'61ff62' AS TEXT), 'ok', CAST(x'c3' AS TEXT), CAST(x'a4' AS TEXT),
     CAST(x'f09fa6' AS TEXT)`,
    [],
    { rowMode: "array" },
  );
  assert.deepEqual(rows, [["a\uFFFDb", "ok", "\uFFFD", "\uFFFD", "\uFFFD"]]);
});

Deno.test("query() reads databases in UTF-16", async () => {
  await using db = await Database.open(":memory:");
  await db.execute("PRAGMA encoding = 'UTF-16le'");
  await db.execute("CREATE TABLE t (v)");
  await db.execute("INSERT INTO t VALUES (?)", ["hedgehog 🦔"]);
  assert.deepEqual(await db.query("SELECT v FROM t"), [{ v: "hedgehog 🦔" }]);
});

Deno.test("query() takes the last of several columns with one name", async () => {
  await using db = await Database.open(":memory:");
  assert.deepEqual(await db.query("SELECT 1 AS a, 2 AS a"), [{ a: 2 }]);
  const rows = await db.query("SELECT 1 AS a, 2 AS a", [], {
    rowMode: "array",
  });
  assert.deepEqual(rows, [[1, 2]]);
});

Deno.test("query() takes any column name", async () => {
  await using db = await Database.open(":memory:");
  const [row] = await db.query(
    `SELECT 1 AS "__proto__", 2 AS "constructor", 3 AS "a b", 4 AS "7", 5 AS ""`,
  );
  assert.deepEqual(Object.entries(row!).sort(), [
    ["", 5],
    ["7", 4],
    ["__proto__", 1],
    ["a b", 3],
    ["constructor", 2],
  ]);
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
});

Deno.test("query() reads rows with as many columns as SQLite allows", async () => {
  await using db = await Database.open(":memory:");
  const columns = Array.from({ length: 2_000 }, (_, i) => `${i} AS c${i}`);
  const sql = `SELECT ${columns} UNION ALL SELECT ${columns} UNION ALL SELECT
    ${columns} UNION ALL SELECT ${columns} UNION ALL SELECT ${columns}`;
  const rows = await db.query(sql);
  const row = Object.fromEntries(columns.map((_, i) => [`c${i}`, i]));
  assert.deepEqual(rows, [row, row, row, row, row]);
});

Deno.test("query() sees columns that a statement got since it was prepared", async () => {
  await using db = await Database.open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  await db.execute("INSERT INTO t VALUES (1)");
  const sql = "SELECT * FROM t";
  assert.deepEqual(await db.query(sql), [{ a: 1 }]);
  await db.execute("ALTER TABLE t ADD COLUMN b DEFAULT 2");
  assert.deepEqual(await db.query(sql), [{ a: 1, b: 2 }]);
  await db.execute("ALTER TABLE t RENAME COLUMN a TO c");
  assert.deepEqual(await db.query(sql), [{ c: 1, b: 2 }]);
  await db.execute("DELETE FROM t");
  assert.deepEqual(await db.query(sql), []);
});

Deno.test("rowTemplate() is for many columns and for '__proto__'", () => {
  assert.equal(rowTemplate(["a", "b"]), undefined);
  assert.deepEqual(Object.keys(rowTemplate(["__proto__"])!), ["__proto__"]);
  const names = Array.from({ length: 9 }, (_, i) => `c"${i}`);
  assert.deepEqual(Object.keys(rowTemplate(names)!), names);
});
