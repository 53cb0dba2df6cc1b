/** The companion module and the memory that it shares with TypeScript. @module */

import * as assert from "node:assert/strict";
import { companionBytes } from "../../src/sqlite/companion/companion.ts";
import { CELL, CELL_SIZE, CONTROL } from "../../src/sqlite/companion/layout.ts";
import { Handlers } from "../../src/sqlite/handlers.ts";
import { RESULT_CODES } from "../../src/sqlite/mod.ts";
import {
  type SqliteGuest,
  sqliteGuest,
} from "../../src/sqlite/sqlite_guest.ts";
import { TextReader } from "../../src/sqlite/text_reader.ts";
import { guestAllocator, type WorkArea } from "../../src/sqlite/work_area.ts";
import { GuestOutOfMemoryError } from "../../src/errors.ts";
import { usage } from "./support.ts";

const { SQLITE_DONE, SQLITE_ROW } = RESULT_CODES;

/** A statement of a database in memory, and an area to run it with. */
class Fixture implements AsyncDisposable {
  readonly sqlite: SqliteGuest = sqliteGuest();
  readonly area: WorkArea = this.sqlite.workAreas.acquire();
  #database = 0;
  #statement = 0;

  static async prepare(sql: string): Promise<Fixture> {
    const fixture = new Fixture();
    await fixture.#prepare(sql);
    return fixture;
  }

  async #prepare(sql: string): Promise<void> {
    const { allocator, memory } = this.sqlite;
    const out = allocator.allocate(8 + 65_536);
    memory.writeString(out + 8, 65_536, ":memory:");
    await this.run("sqlite3_open_v2", out + 8, out, 6, 0);
    this.#database = this.sqlite.readWord(out);
    memory.writeString(out + 8, 65_536, sql);
    const code = await this.run(
      "sqlite3_prepare_v2",
      this.#database,
      out + 8,
      -1,
      out,
      0,
    );
    assert.equal(code, 0);
    this.#statement = this.sqlite.readWord(out);
    allocator.free(out);
    this.area.begin(this.#statement, this.#database);
    this.area.write(CONTROL.parameterCount, 0);
  }

  run(name: string, ...args: number[]): Promise<number> {
    return this.#greenlet((greenlet) =>
      this.sqlite.guest.run(greenlet, name, args)
    );
  }

  call(name: "fetch" | "execute"): Promise<number> {
    return this.#greenlet((greenlet) =>
      this.sqlite.guest.run(greenlet, this.sqlite.companion[name], [
        this.area.control,
      ])
    );
  }

  /** The words of a cell: its tag, its length, and the two of its value. */
  cell(index: number): number[] {
    const start = (this.area.cells + index * CELL_SIZE) >>> 2;
    return [...this.area.views.refresh().words.subarray(start, start + 4)];
  }

  text([, length, address]: number[]): string {
    const bytes = this.sqlite.memory.bytes(address!, length!);
    return new TextDecoder().decode(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("sqlite3_finalize", this.#statement);
    await this.run("sqlite3_close_v2", this.#database);
    this.sqlite.workAreas.release(this.area);
  }

  async #greenlet(
    body: Parameters<SqliteGuest["guest"]["hub"]["spawn"]>[0],
  ): Promise<number> {
    return Number(await this.sqlite.guest.hub.spawn(body));
  }
}

Deno.test("the companion is a valid module of a few hundred bytes", () => {
  const bytes = companionBytes();
  assert.ok(WebAssembly.validate(bytes));
  assert.ok(bytes.length < 3_000, `${bytes.length}`);
});

Deno.test("fetch packs each type in its own way", async () => {
  await using fixture = await Fixture.prepare(
    "SELECT -7, 2147483648, 9007199254740991, 9007199254740992, 1.5, 'ab', x'0102', NULL, '', x''",
  );
  const { area } = fixture;
  assert.equal(await fixture.call("fetch"), SQLITE_DONE);
  assert.equal(area.read(CONTROL.result), SQLITE_DONE);
  assert.equal(area.read(CONTROL.rows), 1);
  assert.equal(area.read(CONTROL.columns), 10);
  const tags = Array.from({ length: 10 }, (_, i) => fixture.cell(i)[0]);
  assert.deepEqual(tags, [
    CELL.integer,
    CELL.float,
    CELL.float,
    CELL.bigInteger,
    CELL.float,
    CELL.text,
    CELL.blob,
    CELL.null,
    CELL.text,
    CELL.blob,
  ]);
  assert.equal(fixture.cell(0)[2], -7);
  assert.equal(fixture.text(fixture.cell(5)), "ab");
  assert.equal(fixture.cell(5)[2], area.heap);
  assert.equal(area.read(CONTROL.textEnd), area.heap + 2);
  assert.deepEqual([fixture.cell(8)[1], fixture.cell(9)[1]], [0, 0]);
});

Deno.test("fetch stops where the cells are full, and goes on", async () => {
  await using fixture = await Fixture.prepare(
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT i, i, i FROM n",
  );
  const { area } = fixture;
  const room = Math.floor((area.heap - area.cells) / (3 * CELL_SIZE));
  for (let first = 0;; first += room) {
    const code = await fixture.call("fetch");
    const rows = area.read(CONTROL.rows);
    assert.equal(rows, Math.min(room, 10_000 - first));
    assert.equal(fixture.cell(0)[2], first);
    assert.equal(fixture.cell(rows * 3 - 1)[2], first + rows - 1);
    if (code === SQLITE_DONE) break;
    assert.equal(code, SQLITE_ROW);
  }
});

Deno.test("fetch ends a batch with a row that does not fit, and leaves that in place", async () => {
  await using fixture = await Fixture.prepare(
    `SELECT 1, 'small' UNION ALL SELECT 2, hex(zeroblob(100000))
     UNION ALL SELECT 3, hex(zeroblob(32768)) UNION ALL SELECT 4, 'last'`,
  );
  const { area } = fixture;
  assert.equal(await fixture.call("fetch"), SQLITE_ROW);
  assert.equal(area.read(CONTROL.rows), 2);
  assert.equal(fixture.text(fixture.cell(1)), "small");
  const big = fixture.cell(3);
  assert.ok(big[2]! < area.control || big[2]! > area.heap + 65_536);
  assert.equal(fixture.text(big), "0".repeat(200_000));
  assert.equal(area.read(CONTROL.textEnd), area.heap + 5);
  // Exactly the room that there is.
  assert.equal(await fixture.call("fetch"), SQLITE_ROW);
  assert.equal(area.read(CONTROL.rows), 2);
  assert.equal(fixture.cell(1)[2], area.heap);
  assert.equal(fixture.text(fixture.cell(1)), "0".repeat(65_536));
  assert.equal(fixture.text(fixture.cell(3)), "last");
  assert.equal(await fixture.call("fetch"), SQLITE_DONE);
  assert.equal(area.read(CONTROL.rows), 0);
});

Deno.test("fetch tells the rows before an error, and the error", async () => {
  await using fixture = await Fixture.prepare(
    "SELECT 1 UNION ALL SELECT abs(-9223372036854775807 - 1)",
  );
  assert.equal(await fixture.call("fetch"), RESULT_CODES.SQLITE_ERROR);
  assert.equal(fixture.area.read(CONTROL.rows), 1);
});

Deno.test("execute tells changes and the state of the transaction", async () => {
  {
    await using fixture = await Fixture.prepare("CREATE TABLE t (a)");
    assert.equal(await fixture.call("execute"), SQLITE_DONE);
    assert.equal(fixture.area.readInteger(CONTROL.changes), 0);
    assert.equal(fixture.area.read(CONTROL.autocommit), 1);
  }
  await using fixture = await Fixture.prepare("BEGIN");
  assert.equal(await fixture.call("execute"), SQLITE_DONE);
  assert.equal(fixture.area.read(CONTROL.autocommit), 0);
});

Deno.test("readInteger() is exact for all of 64 bits", () => {
  const { workAreas, memory } = sqliteGuest();
  const area = workAreas.acquire();
  const address = area.control + CONTROL.changes * 4;
  for (
    const value of [
      0n,
      1n,
      -1n,
      2n ** 32n,
      2n ** 53n - 1n,
      -(2n ** 53n) + 1n,
      2n ** 53n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ]
  ) {
    memory.writeInt64(address, value);
    const found = area.readInteger(CONTROL.changes);
    assert.equal(BigInt(found), value);
    assert.equal(
      typeof found === "number",
      Number.isSafeInteger(Number(value)),
    );
  }
  workAreas.release(area);
});

Deno.test("areas are used again, and given back when many are free", () => {
  const { workAreas } = sqliteGuest();
  const before = usage();
  const areas = Array.from({ length: 40 }, () => workAreas.acquire());
  assert.equal(usage().areas, before.areas + 40);
  assert.equal(new Set(areas.map(({ control }) => control)).size, 40);
  for (const area of areas) workAreas.release(area);
  assert.deepEqual(usage(), before);
  const again = workAreas.acquire();
  assert.ok(areas.includes(again));
  workAreas.release(again);
});

Deno.test("a guest without memory is reported", () => {
  const allocator = guestAllocator(() => 0, () => {});
  assert.throws(() => allocator.allocate(7), GuestOutOfMemoryError);
});

Deno.test("TextReader reads texts of any length from anywhere, in any order", () => {
  const texts = Array.from({ length: 3_000 }, (_, i) => {
    const text = `${i}`.repeat(i % 40) + (i % 500 === 250 ? "äöü🦔" : "");
    return i % 700 === 0 ? text.repeat(30) : text;
  });
  const encoder = new TextEncoder();
  const memory = new Uint8Array(1_000_000);
  let end = 100;
  const places = texts.map((text) => {
    const start = end;
    end += encoder.encodeInto(text, memory.subarray(start)).written;
    return [start, end - start] as const;
  });
  const stray = memory.length - 3;
  memory.set([0xff, 0x61, 0xff], stray);
  const reader = new TextReader();
  reader.open(memory, 100, end);
  const read = (i: number) => reader.read(...places[i]!);
  for (let i = 0; i < texts.length; i++) assert.equal(read(i), texts[i]);
  for (let i = texts.length - 1; i >= 0; i -= 7) {
    assert.equal(read(i), texts[i]);
  }
  assert.equal(reader.read(stray, 3), "\uFFFDa\uFFFD");
  reader.close();
});

// -- Handlers --

Deno.test("the busy handler pauses until it is woken, interrupted or out of time", async () => {
  const handlers = new Handlers();
  const { busy } = handlers.functions;
  assert.ok(busy.kind === "suspending");
  const controller = new AbortController();
  const wait = (database: number, count: number) =>
    busy.wait(database, count, { signal: controller.signal });
  handlers.add(1, "/a", 60_000);
  handlers.add(2, "/a", 0);
  assert.equal(wait(2, 0), 0);
  assert.equal(wait(3, 0), 0);
  const pause = wait(1, 0);
  handlers.wake("/b");
  handlers.wake("/a");
  assert.equal(await pause, 1);
  // Timers that were left running would be found by the sanitizer.
  const pauses = [wait(1, 1), wait(1, 100)];
  controller.abort();
  assert.deepEqual(await Promise.all([...pauses, wait(1, 2)]), [1, 1, 1]);
  handlers.remove(1);
  assert.equal(wait(1, 0), 0);
});
