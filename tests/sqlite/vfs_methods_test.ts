import assert from "node:assert/strict";
import { FileLocks } from "../../src/sqlite/file_locks.ts";
import { RESULT_CODES, resultCodeName } from "../../src/sqlite/result_codes.ts";
import { OPEN_FLAGS } from "../../src/sqlite/vfs/open_flags.ts";
import {
  sizeOfVfsStructs,
  writeVfsStructs,
} from "../../src/sqlite/vfs/struct_layout.ts";
import {
  DATABASE,
  exclusive,
  FILES,
  Guest,
  IO_METHODS,
  mainDatabase,
  type MethodName,
  NAME,
  none,
  OUT,
  readOnly,
  readWrite,
  reserved,
  shared,
  withGuest,
} from "./vfs_support.ts";

// -- xOpen --

Deno.test("xOpen creates a database, sets its methods and xClose leaves nothing", async () => {
  await withGuest(async (guest, path) => {
    const opened = await guest.open(path, DATABASE);
    assert.deepEqual(
      [opened.code, opened.flags, opened.methods],
      [0, DATABASE, IO_METHODS],
    );
    assert.equal(guest.vfs.openFiles, 1);
    assert.equal(await guest.call("xClose", opened.file), 0);
    assert.equal(guest.vfs.openFiles, 0);
    const { mode } = await Deno.stat(path);
    assert.equal((mode ?? 0) & 0o777, 0o644 & ~Deno.umask());
  });
});

Deno.test("xOpen refuses a directory, a missing file and an existing one", async () => {
  await withGuest(async (guest, path) => {
    const directory = path.replace("/x.db", "");
    const attempts = [
      [directory, DATABASE, "SQLITE_CANTOPEN_ISDIR"],
      [directory, readOnly | mainDatabase, "SQLITE_CANTOPEN_ISDIR"],
      [path, readWrite | mainDatabase, "SQLITE_CANTOPEN"],
      [`${path}/y`, DATABASE, "SQLITE_CANTOPEN"],
    ] as const;
    for (const [name, flags, expected] of attempts) {
      const { code, methods } = await guest.open(name, flags);
      assert.equal(resultCodeName(code), expected, name);
      assert.equal(methods, 0);
      assert.equal(guest.vfs.lastError(name)?.code, code);
      assert.match(String(guest.vfs.lastError()?.cause), /Cannot open '/);
    }
    assert.equal(guest.vfs.openFiles, 0);
  });
});

Deno.test("xOpen takes SQLITE_OPEN_EXCLUSIVE to mean that the file must be new", async () => {
  await withGuest(async (guest, path) => {
    await Deno.writeTextFile(path, "old");
    const flags = DATABASE | OPEN_FLAGS.exclusive;
    // As in the unix VFS, what must not be created is opened for reading.
    assert.equal((await guest.open(path, flags)).flags & readOnly, readOnly);
  });
});

Deno.test("xOpen falls back to reading and says so", async () => {
  await withGuest(async (guest, path) => {
    await Deno.writeTextFile(path, "content");
    // No permission bits stop root, so the write permission of Deno does.
    const url = new URL("../../src/sqlite/vfs/", import.meta.url);
    const script = `
      import { SqliteVfs } from "${url}sqlite_vfs.ts";
      const memory = new WebAssembly.Memory({ initial: 1 });
      const vfs = new SqliteVfs({ memory: () => memory });
      const name = 512, at = 4096;
      const path = new TextEncoder().encode(Deno.args[0]);
      new Uint8Array(memory.buffer).set(path, name);
      const call = { active: true };
      const codes = [];
      for (const flags of [${DATABASE}, ${readOnly | mainDatabase}]) {
        const code = await vfs.methods.xOpen.wait(0, name, at, flags, 8192, call);
        codes.push(code, new DataView(memory.buffer).getInt32(8192, true));
        await vfs.methods.xClose.wait(at, call);
      }
      console.log(JSON.stringify(codes));`;
    const file = path.replace("x.db", "script.js");
    await Deno.writeTextFile(file, script);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", `--allow-read`, file, path],
      env: { NO_COLOR: "1" },
    }).output();
    const reduced = readOnly | mainDatabase;
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      JSON.stringify([0, reduced, 0, reduced]),
      new TextDecoder().decode(stderr),
    );
    assert.equal((await guest.open(path, readOnly | mainDatabase)).code, 0);
  });
});

Deno.test("xOpen closes the file when nobody waits for it any more", async () => {
  await withGuest(async (guest, path) => {
    guest.active = false;
    const opened = await guest.open(path, DATABASE);
    assert.equal(opened.code, RESULT_CODES.SQLITE_INTERRUPT);
    assert.equal(opened.methods, 0);
    assert.equal(guest.vfs.openFiles, 0);
  });
});

// -- Locks and sizes --

Deno.test("two guests on one file lock each other out, and see each other's writes", async () => {
  await withGuest(async (guest, path) => {
    const locks = new FileLocks();
    const [one, two] = [new Guest(locks), new Guest(locks)];
    await Deno.writeTextFile(path, "");
    await Deno.link(path, `${path}-link`);
    const a = (await one.open(path, DATABASE)).file;
    const b = (await two.open(`${path}-link`, DATABASE)).file;
    await two.call("xLock", b, shared);
    assert.equal(await two.size(b), 0);
    await two.size(b);
    assert.equal(two.suspended, false);
    await two.call("xUnlock", b, none);

    for (const level of [shared, reserved, exclusive]) {
      assert.equal(await one.call("xLock", a, level), 0);
    }
    await one.write(a, "written", 0);
    assert.equal(await two.call("xLock", b, shared), 5);
    await two.call("xCheckReservedLock", b, OUT);
    assert.equal(two.int32(OUT), 1);
    assert.equal(await one.call("xUnlock", a, none), 0);
    assert.equal(await Deno.readTextFile(path), "written");

    assert.equal(await two.call("xLock", b, shared), 0);
    assert.equal(await two.size(b), 7);
    assert.equal((await two.read(b, 7, 0)).text, "written");
    await one.vfs.closeAll();
    await two.vfs.closeAll();
    assert.equal(locks.size, 0);
    assert.equal(guest.vfs.openFiles, 0);
  });
});

Deno.test("xUnlock does not suspend where nothing is buffered", async () => {
  await withGuest(async (guest, path) => {
    const { file } = await guest.open(path, DATABASE);
    await guest.call("xLock", file, shared);
    await guest.call("xUnlock", file, none);
    assert.equal(guest.suspended, false);
  });
});

Deno.test("SQLITE_FCNTL_HAS_MOVED tells when the path leads elsewhere", async () => {
  await withGuest(async (guest, path) => {
    const { file } = await guest.open(path, DATABASE);
    await guest.call("xFileControl", file, 20, OUT);
    assert.equal(guest.int32(OUT), 0);
    await Deno.rename(path, `${path}-2`);
    await guest.call("xFileControl", file, 20, OUT);
    assert.equal(guest.int32(OUT), 1);
  });
});

// -- Errors --

Deno.test({
  name: "a full disk is SQLITE_FULL, from whichever call reports it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const guest = new Guest();
    await using _vfs = guest.vfs;
    for (const method of ["xSync", "xUnlock", "xClose"] as const) {
      const { file } = await guest.open("/dev/full", readWrite | mainDatabase);
      await guest.call("xLock", file, shared);
      assert.equal(await guest.write(file, "x", 0), 0);
      const args = method === "xClose" ? [file] : [file, 0];
      assert.equal(await guest.call(method, ...args), 13, method);
      assert.equal(guest.vfs.lastError("/dev/full")?.code, 13);
      assert.equal(await guest.call("xGetLastError", 0, 0, 0), 28);
      if (method !== "xClose") await guest.call("xClose", file);
    }
    assert.equal(guest.vfs.openFiles, 0);
  },
});

Deno.test("a method on a file that is not open is an error, not an exception", async () => {
  await withGuest(async (guest) => {
    assert.equal((await guest.read(4, 10, 0)).code, 266);
    assert.equal(await guest.call("xClose", 4), 4106);
    assert.equal(await guest.call("xLock", 4, shared), 3850);
  });
});

Deno.test("xDelete deletes a file, and only a file", async () => {
  await withGuest(async (guest, path) => {
    await Deno.writeTextFile(path, "x");
    assert.equal(await guest.delete(path), 0);
    assert.equal(await guest.delete(path), 5898);
    await Deno.mkdir(path);
    assert.equal(await guest.delete(path), 2570);
    assert.equal((await Deno.stat(path)).isDirectory, true);
  });
});

// -- The other methods of the VFS --

Deno.test("xAccess takes an empty file for none", async () => {
  await withGuest(async (guest, path) => {
    assert.equal(await guest.access(path), 0);
    await Deno.writeTextFile(path, "");
    assert.equal(await guest.access(path), 0);
    await Deno.writeTextFile(path, "x");
    assert.equal(await guest.access(path), 1);
    assert.equal(await guest.access(path, 1), 1);
    assert.equal(await guest.access(path, 2), 1);
    assert.equal(await guest.access(`${path}-none`, 1), 0);
  });
});

Deno.test("xFullPathname normalises, follows links and refuses what does not fit", async () => {
  await withGuest(async (guest, path) => {
    const full = async (name: string, capacity = 1024) => {
      guest.guest.writeString(NAME, 2048, name);
      const code = await guest.call("xFullPathname", 0, NAME, capacity, OUT);
      return [code, guest.guest.string(OUT)];
    };
    const directory = path.replace("/x.db", "");
    assert.deepEqual(await full(`${directory}/./a/../x.db`), [0, path]);
    assert.deepEqual(await full("y.db"), [0, `${Deno.cwd()}/y.db`]);
    await Deno.writeTextFile(path, "");
    await Deno.symlink(path, `${directory}/link`);
    await Deno.symlink(directory, `${directory}/dir`);
    assert.deepEqual(await full(`${directory}/link`), [512, path]);
    assert.deepEqual(await full(`${directory}/dir/new.db`), [
      0,
      `${directory}/new.db`,
    ]);
    assert.equal((await full(path, path.length))[0], 782);
    assert.equal((await full(path, path.length + 1))[0], 0);
  });
});

Deno.test("xSleep waits, and ends early with the signal", async () => {
  const guest = new Guest();
  assert.ok(await guest.call("xSleep", 0, 2000) >= 1000);
  const sleeping = guest.call("xSleep", 0, 60_000_000);
  guest.controller.abort();
  assert.ok(await sleeping < 60_000_000);
});

Deno.test("xRandomness fills everything, also more than the runtime gives at once", async () => {
  const guest = new Guest();
  const length = 100_000;
  assert.equal(await guest.call("xRandomness", 0, length, FILES), length);
  const bytes = guest.guest.bytes(FILES, length);
  assert.ok(bytes.subarray(length - 64).some((byte) => byte !== 0));
  assert.equal(guest.guest.bytes(FILES + length, 1)[0], 0);
});

Deno.test("xCurrentTime and xCurrentTimeInt64 tell the Julian day", async () => {
  const guest = new Guest();
  await guest.call("xCurrentTime", 0, OUT);
  const view = new DataView(guest.memory.buffer);
  const day = view.getFloat64(OUT, true);
  assert.ok(Math.abs(day - (Date.now() / 86400000 + 2440587.5)) < 0.001);
  await guest.call("xCurrentTimeInt64", 0, OUT);
  const milliseconds = Number(view.getBigInt64(OUT, true));
  assert.ok(Math.abs(milliseconds / 86400000 - day) < 0.001);
});

Deno.test("a kill fails what may fail, and never what ends a transaction", () => {
  const { methods } = new Guest().vfs;
  const failing = Object.entries(methods)
    .filter(([, method]) => method.kind !== "sync")
    .filter(([, method]) =>
      method.kind !== "sync" &&
      method.interrupt.interrupted?.(new Error()) === 9
    )
    .map(([name]) => name);
  assert.deepEqual(failing.sort(), [
    "xAccess",
    "xFileSize",
    "xFullPathname",
    "xRead",
    "xWrite",
  ]);
});

Deno.test("writeVfsStructs() writes both structs and the name", () => {
  const guest = new Guest();
  const names = Object.keys(guest.vfs.methods) as MethodName[];
  const functions = Object.fromEntries(
    names.map((name, i) => [name, 100 + i]),
  ) as Record<MethodName, number>;
  const structs = writeVfsStructs(guest.memory, 256, { name: "x", functions });
  const words = (pointer: number, count: number) =>
    Array.from({ length: count }, (_, i) => guest.int32(pointer + i * 4));
  const vfs = words(structs.vfs, 19);
  assert.deepEqual(vfs.slice(0, 4), [2, 4, 1024, 0]);
  assert.equal(guest.guest.string(vfs[4] ?? 0), "x");
  assert.equal(vfs[6], functions.xOpen);
  assert.deepEqual(vfs.slice(10, 14), [0, 0, 0, 0]);
  assert.equal(vfs[18], functions.xCurrentTimeInt64);
  const io = words(structs.ioMethods, 13);
  assert.deepEqual(io.slice(0, 3), [1, functions.xClose, functions.xRead]);
  assert.equal(io[12], functions.xDeviceCharacteristics);
  assert.equal((vfs[4] ?? 0) + 2, 256 + sizeOfVfsStructs("x"));
  assert.throws(
    () => writeVfsStructs(guest.memory, 2, { name: "x", functions }),
    RangeError,
  );
});
