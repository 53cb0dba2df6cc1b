/** What SQLite's rows cost, in both directions, beside `node:sqlite`. @module */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Database } from "../../src/sqlite/mod.ts";
import { type Bench, type BenchResult, compare } from "./measure.ts";

const ROWS = 100_000;

const CREATE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, score REAL)";
const FILL =
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO t SELECT i, 'name of row ' || i, i * 0.37 FROM n`;
const SELECT = "SELECT id, name, score FROM t";
const INSERT = "INSERT INTO t (name, score) VALUES (?, ?)";

/** 100,000 rows of an integer, a text and a real to objects, from memory. */
async function select(): Promise<BenchResult> {
  await using db = await Database.open(":memory:");
  using reference = new DatabaseSync(":memory:");
  for (const sql of [CREATE, FILL]) {
    await db.execute(sql);
    reference.exec(sql);
  }
  const statement = reference.prepare(SELECT);
  return await compare({
    name: "sqlite-select",
    unit: "ns",
    reference: "node:sqlite, a row",
    baseline: () => statement.all(),
    subject: () => db.query(SELECT),
    count: ROWS,
    samples: 15,
  });
}

/** 100,000 inserts in one transaction, into a file. */
async function insertFile(): Promise<BenchResult> {
  const directory = await Deno.makeTempDir({ prefix: "hedgesnake-" });
  try {
    await using db = await Database.open(`${directory}/ours.db`);
    using reference = new DatabaseSync(`${directory}/reference.db`);
    await db.execute(CREATE);
    reference.exec(CREATE);
    return await compare({
      name: "sqlite-insert-file",
      unit: "ns",
      reference: "node:sqlite, a row",
      baseline: (count) => insertReference(reference, count),
      subject: (count) => insertOurs(db, count),
      count: ROWS,
      samples: 7,
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function insertOurs(db: Database, count: number): Promise<void> {
  await db.transaction(async (transaction) => {
    await transaction.execute("DELETE FROM t");
    for (let i = 0; i < count; i++) {
      await transaction.execute(INSERT, [`name of row ${i}`, i * 0.37]);
    }
  });
}

function insertReference(db: DatabaseSync, count: number): void {
  db.exec("BEGIN");
  db.exec("DELETE FROM t");
  const statement: StatementSync = db.prepare(INSERT);
  for (let i = 0; i < count; i++) {
    statement.run(`name of row ${i}`, i * 0.37);
  }
  db.exec("COMMIT");
}

/** The benches of the SQLite adapter. */
export const SQLITE_BENCHES: readonly Bench[] = [
  {
    name: "sqlite-select",
    goal: "≤ 1.2 × node:sqlite",
    run: select,
  },
  {
    name: "sqlite-insert-file",
    goal: "≤ 4 × node:sqlite, which blocks the event loop",
    run: insertFile,
  },
];
