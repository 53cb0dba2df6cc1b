/** Killing and timing out operations, everywhere where they wait. @module */

import * as assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { threadHub } from "../../src/host/thread_hub.ts";
import type { Database } from "../../src/sqlite/mod.ts";
import { open, scalar, TemporaryDirectory, usage } from "./support.ts";

const ROWS = 400;

/** How an operation is ended early; with the error that it must reject with. */
type Strike = (greenlet: Greenlet<unknown>) => Error;

const STRIKES: Readonly<Record<string, Strike>> = {
  kill(greenlet) {
    const reason = new Error("the test");
    greenlet.kill(reason);
    return reason;
  },
  timeout(greenlet) {
    const timeout = new Timeout(1, "the test");
    greenlet.interrupt(timeout);
    return timeout;
  },
  "kill after timeout"(greenlet) {
    const timeout = new Timeout(1, "the test");
    greenlet.interrupt(timeout);
    greenlet.kill();
    return timeout;
  },
  "timeout after timeout"(greenlet) {
    const timeout = new Timeout(1, "the test");
    greenlet.interrupt(timeout);
    greenlet.interrupt(new Timeout(2, "the other"));
    return timeout;
  },
};

/**
 * Runs an operation and strikes it at its n-th wait for the VFS.
 *
 * @returns The error it must reject with; `undefined` when it never waited that often.
 */
async function strikeAt(
  start: () => Greenlet<unknown>,
  n: number,
  strike: Strike,
): Promise<{ expected: Error | undefined; error: unknown }> {
  const hub = threadHub();
  let expected: Error | undefined;
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

async function seed(db: Database): Promise<void> {
  await db.execute("PRAGMA cache_size = 5");
  await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v, pad)");
  await db.execute("CREATE INDEX i ON t (v, pad)");
  await db.execute(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
     WHERE i < ${ROWS}) INSERT INTO t SELECT i, 0, hex(zeroblob(200)) FROM n`,
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
          const reason = error instanceof GreenletKilledError
            ? error.cause
            : error;
          assert.equal(reason, expected);
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
