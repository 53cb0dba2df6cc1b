import assert from "node:assert/strict";
import { WOULD_BLOCK } from "../../src/engine/host_function.ts";
import { RESULT_CODES } from "../../src/sqlite/result_codes.ts";
import { OPEN_FLAGS } from "../../src/sqlite/vfs/open_flags.ts";
import {
  BUFFER,
  create,
  DATABASE,
  exclusive,
  JOURNAL,
  none,
  OUT,
  readWrite,
  reserved,
  shared,
  withGuest,
} from "./vfs_support.ts";

// -- Reading and writing --

Deno.test("xWrite does not suspend, and xRead sees it at once and from the disk", async () => {
  await withGuest(async (guest, path) => {
    const { file } = await guest.open(path, DATABASE);
    assert.equal(await guest.write(file, "hello world", 0), 0);
    assert.equal(guest.suspended, false);
    assert.deepEqual(await guest.read(file, 5, 6), { code: 0, text: "world" });
    assert.equal(await guest.call("xSync", file, 2), 0);
    assert.equal(await Deno.readTextFile(path), "hello world");
    assert.deepEqual(await guest.read(file, 5, 0), { code: 0, text: "hello" });
    assert.equal(guest.suspended, true);
  });
});

Deno.test("xRead fills what lies behind the end with zeros and says so", async () => {
  await withGuest(async (guest, path) => {
    for (const name of [path, undefined]) {
      const { file } = await guest.open(name, DATABASE);
      await guest.write(file, "abc", 0);
      await guest.call("xSync", file, 2);
      const short = RESULT_CODES.SQLITE_IOERR_SHORT_READ;
      assert.deepEqual(await guest.read(file, 5, 1), {
        code: short,
        text: "bc\0\0\0",
      });
      assert.deepEqual(await guest.read(file, 2, 100), {
        code: short,
        text: "\0\0",
      });
      assert.equal(guest.vfs.lastError(), undefined);
      await guest.call("xClose", file);
    }
  });
});

Deno.test("xRead copies into the memory as it is after the wait, if anybody waits", async () => {
  await withGuest(async (guest, path) => {
    const { file } = await guest.open(path, DATABASE);
    await guest.write(file, "data", 0);
    await guest.call("xSync", file, 2);
    const reading = guest.read(file, 4, 0);
    guest.memory.grow(1);
    assert.equal((await reading).text, "data");
    guest.active = false;
    const abandoned = guest.call("xRead", file, BUFFER, 4, 0n);
    guest.guest.bytes(BUFFER, 4).fill(1);
    await abandoned;
    assert.deepEqual([...guest.guest.bytes(BUFFER, 4)], [1, 1, 1, 1]);
  });
});

Deno.test("xRead reads ahead while the lock is held, and not after", async () => {
  await withGuest(async (guest, path) => {
    await Deno.writeTextFile(path, "0123456789".repeat(1000));
    const { file } = await guest.open(path, DATABASE);
    await guest.call("xLock", file, shared);
    const waits: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      assert.equal((await guest.read(file, 10, i * 10)).text, "0123456789");
      waits.push(guest.suspended);
    }
    assert.deepEqual(waits, [true, true, false, false, false]);
    await guest.call("xUnlock", file, none);
    await Deno.writeTextFile(path, "abcdefghij".repeat(1000));
    await guest.call("xLock", file, shared);
    assert.equal((await guest.read(file, 10, 50)).text, "abcdefghij");
    assert.equal((await guest.read(file, 10, 60)).text, "abcdefghij");
    await guest.call("xLock", file, reserved);
    await guest.call("xLock", file, exclusive);
    await guest.write(file, "XY", 72);
    assert.equal((await guest.read(file, 10, 70)).text, "abXYefghij");
    // What was written is put into what was read ahead, not thrown away with it.
    assert.equal((await guest.read(file, 10, 80)).text, "abcdefghij");
    assert.equal(guest.suspended, false);
    await guest.call("xTruncate", file, 85n);
    assert.equal((await guest.read(file, 10, 80)).text, "abcde\0\0\0\0\0");
  });
});

Deno.test("all methods do the same when no attempt is made", async () => {
  await withGuest(async (guest, path) => {
    guest.mustWait = true;
    for (const name of [path, undefined]) {
      const { file, code } = await guest.open(name, DATABASE);
      assert.equal(code, 0);
      assert.equal(await guest.call("xLock", file, shared), 0);
      assert.equal(await guest.write(file, "hello", 3), 0);
      assert.equal(await guest.size(file), 8);
      assert.equal(await guest.call("xTruncate", file, 5n), 0);
      assert.equal((await guest.read(file, 5, 0)).text, "\0\0\0he");
      assert.equal(await guest.call("xSync", file, 0x12), 0);
      for (const control of [1, 5, 20, 21, 22]) {
        assert.equal(await guest.call("xFileControl", file, control, OUT), 0);
      }
      assert.equal(await guest.call("xFileControl", file, 14, OUT), 12);
      assert.equal(await guest.call("xUnlock", file, none), 0);
      assert.equal(await guest.call("xClose", file), 0);
    }
    assert.equal(guest.vfs.openFiles, 0);
  });
});

Deno.test("temporary files live in memory, never suspend and need no name", async () => {
  await withGuest(async (guest, path) => {
    const flags = readWrite | create | OPEN_FLAGS.tempJournal;
    for (const name of [undefined, path]) {
      const { file, code } = await guest.open(name, flags);
      assert.equal(code, 0);
      await guest.write(file, "x".repeat(1000), 100_000);
      assert.equal(guest.suspended, false);
      assert.equal(await guest.size(file), 101_000);
      assert.equal(await guest.call("xTruncate", file, 100_001n), 0);
      await guest.call("xTruncate", file, 100_010n);
      assert.equal((await guest.read(file, 3, 100_000)).text, "x\0\0");
      await guest.call("xClose", file);
      assert.equal(guest.suspended, false);
    }
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("a journal reaches the system before the database is written", async () => {
  await withGuest(async (guest, path) => {
    const db = await guest.open(path, DATABASE, 0);
    const journal = await guest.open(`${path}-journal`, JOURNAL, 1);
    const first = guest.write(journal.file, "old page", 0);
    const { xWrite } = guest.vfs.methods;
    assert.ok(xWrite.kind === "polling");
    assert.equal(xWrite.attempt(db.file, BUFFER, 8, 0n), WOULD_BLOCK);
    await first;
    assert.equal(await guest.write(db.file, "new page", 0), 0);
    assert.equal(await Deno.readTextFile(`${path}-journal`), "old page");
    // SQLITE_FCNTL_SYNC comes before the commit also where no xSync does.
    assert.equal(await guest.call("xFileControl", db.file, 21, 0), 0);
    assert.equal(await Deno.readTextFile(path), "new page");
    await guest.write(db.file, "NEW", 0);
    await guest.call("xClose", journal.file);
    assert.equal(await guest.delete(`${path}-journal`), 0);
    assert.equal(await Deno.readTextFile(path), "NEW page");
  });
});

Deno.test("a journal gets the permissions of its database", async () => {
  await withGuest(async (guest, path) => {
    await Deno.writeTextFile(path, "");
    await Deno.chmod(path, 0o600);
    await guest.open(path, DATABASE, 0);
    await guest.open(`${path}-journal`, JOURNAL, 1);
    const { mode } = await Deno.stat(`${path}-journal`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
  });
});
