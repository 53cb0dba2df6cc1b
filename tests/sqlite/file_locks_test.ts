import assert from "node:assert/strict";
import {
  FileLocks,
  LOCK_LEVELS,
  type LockLevel,
} from "../../src/sqlite/file_locks.ts";
import { RESULT_CODES } from "../../src/sqlite/result_codes.ts";

const { SQLITE_OK, SQLITE_BUSY } = RESULT_CODES;
const { none, shared, reserved, pending, exclusive } = LOCK_LEVELS;

/** How to bring two locks to a pair of levels, where that is possible. */
const PAIRS: readonly (readonly [LockLevel, LockLevel])[] = [
  [none, none],
  [none, shared],
  [none, reserved],
  [none, pending],
  [none, exclusive],
  [shared, shared],
  [shared, reserved],
  [shared, pending],
];

function pair(mine: LockLevel, theirs: LockLevel) {
  const locks = new FileLocks();
  const [me, them] = [locks.open("f"), locks.open("f")];
  const helper = locks.open("f");
  if (mine === shared) me.lock(shared);
  if (theirs >= shared) them.lock(shared);
  if (theirs === reserved || theirs === pending) them.lock(reserved);
  if (theirs === pending) {
    helper.close();
    const reader = mine === shared ? undefined : locks.open("f");
    // A reader from before keeps the writer waiting.
    them.unlock(shared);
    reader?.lock(shared);
    them.lock(reserved);
    assert.equal(them.lock(exclusive), SQLITE_BUSY);
    reader?.close();
  }
  if (theirs === exclusive) them.lock(exclusive);
  assert.deepEqual([me.level, them.level], [mine, theirs]);
  return { me, them };
}

/** For each pair, what the first one's request returns and the level that it has afterwards. */
const EXPECTED: Record<string, readonly [number, number]> = {
  "0,0 wants 1": [SQLITE_OK, shared],
  "0,1 wants 1": [SQLITE_OK, shared],
  "0,2 wants 1": [SQLITE_OK, shared],
  "0,3 wants 1": [SQLITE_BUSY, none],
  "0,4 wants 1": [SQLITE_BUSY, none],
  "1,1 wants 2": [SQLITE_OK, reserved],
  "1,2 wants 2": [SQLITE_BUSY, shared],
  "1,3 wants 2": [SQLITE_BUSY, shared],
  "1,1 wants 4": [SQLITE_BUSY, shared],
  "1,2 wants 4": [SQLITE_BUSY, shared],
  "1,3 wants 4": [SQLITE_BUSY, shared],
};

for (const [mine, theirs] of PAIRS) {
  const wanted = mine === none ? [shared] : [reserved, exclusive];
  for (const level of wanted) {
    const name = `${mine},${theirs} wants ${level}`;
    Deno.test(`FileLock.lock() with levels ${name}`, () => {
      const { me } = pair(mine, theirs);
      const expected = EXPECTED[name];
      assert.ok(expected !== undefined, name);
      assert.deepEqual([me.lock(level), me.level], expected);
    });
  }
}

Deno.test("FileLock.lock() goes all the way up where nobody else has the file", () => {
  const lock = new FileLocks().open("f");
  for (const level of [shared, reserved, exclusive] as const) {
    assert.equal(lock.lock(level), SQLITE_OK);
    assert.equal(lock.level, level);
  }
  assert.equal(lock.lock(shared), SQLITE_OK);
  assert.equal(lock.level, exclusive);
});

Deno.test("a failed exclusive lock leaves pending, which keeps new readers out", () => {
  const locks = new FileLocks();
  const [writer, reader, late] = [
    locks.open("f"),
    locks.open("f"),
    locks.open("f"),
  ];
  reader.lock(shared);
  writer.lock(shared);
  writer.lock(reserved);
  assert.equal(writer.lock(exclusive), SQLITE_BUSY);
  assert.equal(writer.level, pending);
  assert.equal(late.lock(shared), SQLITE_BUSY);
  assert.equal(writer.lock(exclusive), SQLITE_BUSY);
  reader.unlock(none);
  assert.equal(writer.lock(exclusive), SQLITE_OK);
  writer.unlock(shared);
  assert.equal(late.lock(shared), SQLITE_OK);
});

Deno.test("a hot journal's rollback goes from shared to exclusive at once", () => {
  const locks = new FileLocks();
  const [me, other] = [locks.open("f"), locks.open("f")];
  me.lock(shared);
  other.lock(shared);
  assert.equal(me.lock(exclusive), SQLITE_BUSY);
  assert.equal(me.level, shared);
  other.unlock(none);
  assert.equal(me.lock(exclusive), SQLITE_OK);
});

Deno.test("FileLock.checkReserved() sees every database's lock", () => {
  const { me, them } = pair(shared, reserved);
  assert.equal(me.checkReserved(), true);
  assert.equal(them.checkReserved(), true);
  them.unlock(shared);
  assert.equal(me.checkReserved(), false);
});

Deno.test("FileLock.close() releases the lock and forgets the file", () => {
  const locks = new FileLocks();
  const [first, second] = [locks.open("f"), locks.open("f")];
  first.lock(shared);
  first.lock(exclusive);
  assert.equal(second.lock(shared), SQLITE_BUSY);
  first.close();
  first.close();
  assert.equal(second.lock(shared), SQLITE_OK);
  assert.equal(locks.size, 1);
  second.close();
  assert.equal(locks.size, 0);
});

Deno.test("locks on different files do not meet", () => {
  const locks = new FileLocks();
  const [one, two] = [locks.open("f"), locks.open("g")];
  for (const lock of [one, two]) {
    lock.lock(shared);
    assert.equal(lock.lock(exclusive), SQLITE_OK);
  }
});

Deno.test("any sequence of calls keeps at most one writer, and no reader beside it", () => {
  for (let seed = 1; seed <= 20; seed++) {
    let state = seed;
    const below = (limit: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % limit;
    };
    const locks = new FileLocks();
    const all = Array.from({ length: 4 }, () => locks.open("f"));
    for (let step = 0; step < 500; step++) {
      const lock = all[below(4)];
      assert.ok(lock !== undefined);
      const ups = lock.level === none ? [shared] : [reserved, exclusive];
      const up = ups[below(ups.length)] ?? shared;
      if (below(3) === 0) lock.unlock(below(2) === 0 ? none : shared);
      else lock.lock(up);
      const levels = all.map((each) => each.level);
      const what = `seed ${seed}, step ${step}: ${levels}`;
      const planning = levels.filter((level) => level >= reserved).length;
      assert.ok(planning <= 1, what);
      if (levels.includes(exclusive)) {
        assert.equal(levels.filter((level) => level > none).length, 1, what);
      }
    }
  }
});
