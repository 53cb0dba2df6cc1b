/** How long the event loop waits while greenlets query. @module */

import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { LoopMeter } from "../../examples/demo/loop_meter.ts";
import { Database } from "../../src/sqlite/mod.ts";
import { type Bench, result } from "./measure.ts";

const GREENLETS = 200;
const ROWS = 100_000;
const SAMPLES = 7;

/** Walks a part of the table without an index: some milliseconds of computing. */
const QUERY =
  "SELECT count(*) AS n, total(length(note) * value) AS sum FROM item WHERE id BETWEEN ? AND ? + 20000";

function fill(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`
    CREATE TABLE item (id INTEGER PRIMARY KEY, value REAL, note TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${ROWS})
    INSERT INTO item SELECT i, i * 0.5, 'note ' || i FROM n`);
  database.close();
}

/** The worst delay of the event loop while something runs, in milliseconds. */
async function worstDelay(run: () => unknown): Promise<number> {
  const meter = new LoopMeter();
  await run();
  return meter.stop().worstDelay;
}

async function measure(path: string) {
  const native = Array.from(
    { length: GREENLETS },
    () => new DatabaseSync(path, { readOnly: true }),
  );
  const ours = await Promise.all(
    Array.from(
      { length: GREENLETS },
      () => Database.open(path, { readOnly: true }),
    ),
  );
  const from = (index: number) => index * (ROWS - 20_000) / GREENLETS;
  const blocking = () =>
    native.forEach((each, i) => each.prepare(QUERY).get(from(i), from(i)));
  const greenlets = () =>
    Promise.all(ours.map((each, i) => each.query(QUERY, [from(i), from(i)])));
  await greenlets();
  const samples: number[] = [];
  const references: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    references.push(await worstDelay(blocking));
    samples.push(await worstDelay(greenlets));
  }
  for (const each of native) each.close();
  await Promise.all(ours.map((each) => each.close()));
  return result(
    { name: "loop-delay", unit: "ms", reference: "node:sqlite, blocking" },
    samples,
    references,
  );
}

/** The bench of the event loop's delay. */
export const LOOP_BENCHES: readonly Bench[] = [
  {
    name: "loop-delay",
    goal: "≤ 10 ms at worst, while 200 greenlets query",
    run: async () => {
      const directory = await Deno.makeTempDir();
      try {
        const path = join(directory, "items.db");
        fill(path);
        return await measure(path);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  },
];
