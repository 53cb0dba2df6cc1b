/** What JavaScript's values become in SQLite. @module */

import * as assert from "node:assert/strict";
import { GuestArgumentError } from "../../src/errors.ts";
import {
  Database,
  type SqliteParameter,
  type SqliteParameters,
} from "../../src/sqlite/mod.ts";
import { usage } from "./support.ts";

async function bound(value: SqliteParameter): Promise<unknown> {
  await using db = await Database.open(":memory:");
  const [row] = await db.query<unknown[]>("SELECT typeof(?1), ?1", [value], {
    rowMode: "array",
  });
  return row;
}

Deno.test("parameters get the type that holds their value exactly", async () => {
  assert.deepEqual(await bound(3), ["integer", 3]);
  assert.deepEqual(await bound(-3), ["integer", -3]);
  assert.deepEqual(await bound(2 ** 40 + 1), ["integer", 2 ** 40 + 1]);
  assert.deepEqual(await bound(-(2 ** 40) - 1), ["integer", -(2 ** 40) - 1]);
  assert.deepEqual(await bound(2 ** 53), ["real", 2 ** 53]);
  assert.deepEqual(await bound(-0), ["real", -0]);
  assert.deepEqual(await bound(0.5), ["real", 0.5]);
  assert.deepEqual(await bound(Infinity), ["real", Infinity]);
  assert.deepEqual(await bound(5n), ["integer", 5]);
  assert.deepEqual(await bound(2n ** 63n - 1n), ["integer", 2n ** 63n - 1n]);
  assert.deepEqual(await bound(-(2n ** 63n)), ["integer", -(2n ** 63n)]);
  assert.deepEqual(await bound(true), ["integer", 1]);
  assert.deepEqual(await bound(false), ["integer", 0]);
  assert.deepEqual(await bound(""), ["text", ""]);
  assert.deepEqual(await bound("a\ud800b"), ["text", "a\uFFFDb"]);
  assert.deepEqual(await bound(null), ["null", null]);
  const bytes = new Uint8Array([9, 8, 7, 6]);
  assert.deepEqual(await bound(bytes.subarray(1, 3)), [
    "blob",
    new Uint8Array([8, 7]),
  ]);
  assert.deepEqual(await bound(bytes.buffer), ["blob", bytes]);
  assert.deepEqual(await bound(new Uint8Array()), ["blob", new Uint8Array()]);
});

Deno.test("parameters are found by number and by name", async () => {
  await using db = await Database.open(":memory:");
  const run = async (sql: string, parameters?: SqliteParameters) => {
    const [row] = await db.query<unknown[]>(sql, parameters, {
      rowMode: "array",
    });
    return row;
  };
  assert.deepEqual(await run("SELECT ?, ?", [1, 2]), [1, 2]);
  assert.deepEqual(await run("SELECT ?2, ?1, ?2", [1, 2]), [2, 1, 2]);
  assert.deepEqual(await run("SELECT :a, @b, $c", { a: 1, b: 2, c: 3 }), [
    1,
    2,
    3,
  ]);
  assert.deepEqual(
    await run("SELECT :a, @b, $c", { ":a": 1, "@b": 2, "$c": 3 }),
    [1, 2, 3],
  );
  assert.deepEqual(await run("SELECT :a, :b, :a", [1, 2]), [1, 2, 1]);
  assert.deepEqual(await run("SELECT :a, @a", { a: 1 }), [1, 1]);
  assert.deepEqual(await run("SELECT :a, @a", { ":a": 1, "@a": 2 }), [1, 2]);
  assert.deepEqual(await run("SELECT 1", {}), [1]);
  assert.deepEqual(await run("SELECT 1", []), [1]);
  assert.deepEqual(await run("SELECT 1"), [1]);
});

Deno.test("parameters are as many as SQLite allows", async () => {
  await using db = await Database.open(":memory:");
  const values = Array.from({ length: 32_766 }, (_, i) => i);
  const sql = `SELECT value FROM json_each(json_array(${
    values.map(() => "?").slice(0, 900)
  }))`;
  const rows = await db.query<number[]>(sql, values.slice(0, 900), {
    rowMode: "array",
  });
  assert.deepEqual(rows.flat(), values.slice(0, 900));
  const list = values.map(() => "(?)").join();
  const [row] = await db.query(
    `SELECT count(*) AS n, sum(column1) AS s FROM (VALUES ${list})`,
    values,
  );
  assert.deepEqual(row, { n: 32_766, s: 32_766 * 32_765 / 2 });
});

Deno.test("parameters that do not fit are refused before anything runs", async () => {
  await using db = await Database.open(":memory:");
  await db.execute("CREATE TABLE t (a, b)");
  const before = usage();
  const refused: [string, unknown, RegExp][] = [
    ["VALUES (?, ?)", undefined, /the statement has 2, and 0 are given$/],
    ["VALUES (?, ?)", [], /the statement has 2, and 0 are given$/],
    ["VALUES (?, ?)", [1], /the statement has 2, and 1 are given$/],
    ["VALUES (?, ?)", [1, 2, 3], /the statement has 2, and 3 are given$/],
    ["VALUES (1, 2)", [1], /the statement has 0, and 1 are given$/],
    ["VALUES (:a, :b)", { a: 1 }, /':b' is missing$/],
    ["VALUES (:a, :b)", { a: 1, b: 2, c: 3 }, /the statement has no 'c'$/],
    ["VALUES (:a, :b)", { a: 1, b: 2, ":a": 3 }, /the statement has no 'a'$/],
    [
      "VALUES (?, ?)",
      { a: 1, b: 2 },
      /by name: parameter 1 has none; give an array$/,
    ],
    ["VALUES (?1, ?2)", { 1: 1, 2: 2 }, /by name: parameter 1 has none/],
    [
      "VALUES (?, ?)",
      [1, undefined],
      /parameter 2: SQLite has no type for undefined$/,
    ],
    [
      "VALUES (:a, 2)",
      { a: undefined },
      /parameter ':a': SQLite has no type for undefined$/,
    ],
    ["VALUES (?, 2)", [NaN], /parameter 1: SQLite has no NaN; give null$/],
    [
      "VALUES (?, 2)",
      [2n ** 63n],
      /parameter 1: 9223372036854775808 does not fit 64 bits$/,
    ],
    ["VALUES (?, 2)", [-(2n ** 63n) - 1n], /does not fit 64 bits$/],
    ["VALUES (?, 2)", [new Date()], /SQLite has no type for Date$/],
    ["VALUES (?, 2)", [{}], /SQLite has no type for Object$/],
    ["VALUES (?, 2)", [Object.create(null)], /SQLite has no type for object$/],
    ["VALUES (?, 2)", [[1]], /SQLite has no type for Array$/],
    ["VALUES (?, 2)", [() => 1], /SQLite has no type for function$/],
    ["VALUES (?, 2)", [Symbol("a")], /SQLite has no type for symbol$/],
    [
      "VALUES (?, 2)",
      [new Float64Array(1)],
      /SQLite has no type for Float64Array$/,
    ],
    ["VALUES (?, 2)", "x", /they must be an array or an object$/],
    ["VALUES (?, 2)", 1, /they must be an array or an object$/],
    ["VALUES (?, 2)", null, /they must be an array or an object$/],
    ["VALUES (?, 2)", new Uint8Array(1), /they must be an array or an object$/],
  ];
  for (const [values, parameters, message] of refused) {
    // What a caller without types may do.
    const given = parameters as SqliteParameters;
    for (
      const run of [
        db.execute(`INSERT INTO t ${values}`, given),
        db.query(values, given),
      ]
    ) {
      await assert.rejects(async () => await run, (error) => {
        assert.ok(error instanceof GuestArgumentError, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
  }
  assert.deepEqual(usage(), before);
  assert.deepEqual(await db.query("SELECT * FROM t"), []);
});

Deno.test("parameters are those of the time of the call", async () => {
  await using db = await Database.open(":memory:");
  await db.execute("CREATE TABLE t (a)");
  const list = [1];
  const first = db.execute("INSERT INTO t VALUES (?)", list);
  list[0] = 2;
  const second = db.execute("INSERT INTO t VALUES (?)", list);
  const named = { a: 3 };
  const third = db.execute("INSERT INTO t VALUES (:a)", named);
  named.a = 4;
  list[0] = 5;
  await Promise.all([first, second, third]);
  const rows = await db.query<number[]>("SELECT a FROM t", [], {
    rowMode: "array",
  });
  assert.deepEqual(rows.flat(), [1, 2, 3]);
});

Deno.test("parameters of one run are gone in the next", async () => {
  await using db = await Database.open(":memory:");
  const sql = "SELECT ?1 AS a";
  assert.deepEqual(
    await db.query(sql, ["x".repeat(100_000)]).then((rows) => rows.length),
    1,
  );
  assert.deepEqual(await db.query(sql, [null]), [{ a: null }]);
});
