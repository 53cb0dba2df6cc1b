import assert from "node:assert/strict";
import { ResourceClosedError } from "../../src/errors.ts";
import {
  RandomAccessFile,
  type RandomAccessFileOptions,
} from "../../src/host/file.ts";
import { FileError } from "../../src/host/file_error.ts";

const READ_WRITE = { write: true, create: true } as const;

async function withFile(
  run: (file: RandomAccessFile, path: string) => Promise<void>,
  options: RandomAccessFileOptions = READ_WRITE,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/file`;
    await using file = await RandomAccessFile.open(path, options);
    await run(file, path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function filled(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

/** Numbers in [0, 1) that are the same in each run: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

Deno.test("read() sees a write that is still buffered", async () => {
  await withFile(async (file) => {
    assert.equal(file.write(filled(10, 7), 5), undefined);
    assert.equal(file.stats().systemWrites, 0);
    const into = filled(20, 9);
    assert.equal(await file.read(into, 0), 15);
    assert.deepEqual([...into.subarray(0, 15)], [
      ...filled(5, 0),
      ...filled(10, 7),
    ]);
  });
});

Deno.test("tryRead() serves only ranges that the buffer covers", async () => {
  await withFile(async (file) => {
    file.write(filled(10, 1), 100);
    const into = filled(4, 0);
    assert.equal(file.tryRead(into, 103), true);
    assert.deepEqual(into, filled(4, 1));
    assert.equal(file.tryRead(into, 98), false);
    assert.equal(file.tryRead(into, 108), false);
    await file.flush();
    assert.equal(file.tryRead(into, 103), false);
  });
});

Deno.test("write() copies its bytes", async () => {
  await withFile(async (file, path) => {
    const data = filled(3, 1);
    file.write(data, 0);
    data.fill(2);
    await file.flush();
    assert.deepEqual(await Deno.readFile(path), filled(3, 1));
  });
});

Deno.test("write() joins adjacent writes", async () => {
  await withFile(async (file, path) => {
    for (let i = 0; i < 100; i++) file.write(filled(10, i), i * 10);
    file.write(filled(10, 200), 0);
    await file.flush();
    assert.equal(file.stats().systemWrites, 1);
    const bytes = await Deno.readFile(path);
    assert.equal(bytes.length, 1000);
    assert.equal(bytes[0], 200);
    assert.equal(bytes[995], 99);
  });
});

Deno.test("write() asks to wait when the buffer is full, and keeps all bytes", async () => {
  await withFile(async (file, path) => {
    assert.equal(file.hasRoom(100), true);
    assert.equal(file.hasRoom(101), false);
    assert.equal(file.write(filled(100, 1), 0), undefined);
    assert.equal(file.hasRoom(1), false);
    const waiting = file.write(filled(100, 2), 1000);
    assert.ok(waiting instanceof Promise);
    await waiting;
    assert.ok(file.stats().bufferedBytes <= 100);
    await file.flush();
    assert.equal((await Deno.stat(path)).size, 1100);
  }, { ...READ_WRITE, maxBufferedBytes: 100 });
});

Deno.test("size() counts buffered writes and truncations", async () => {
  await withFile(async (file) => {
    file.write(filled(10, 1), 90);
    assert.equal(await file.size(), 100);
    const truncated = file.truncate(50);
    assert.equal(await file.size(), 50);
    await truncated;
    assert.equal(await file.size(), 50);
  });
});

Deno.test("truncate() and a later write leave zeros between them", async () => {
  await withFile(async (file) => {
    file.write(filled(100, 1), 0);
    const truncated = file.truncate(10);
    file.write(filled(1, 2), 20);
    const into = filled(30, 9);
    assert.equal(await file.read(into, 0), 21);
    const expected = [...filled(10, 1), ...filled(10, 0), 2];
    assert.deepEqual([...into.subarray(0, 21)], expected);
    await truncated;
  });
});

Deno.test("overlapping calls take effect in the order they were made", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const model: { bytes: Uint8Array; size: number } = {
      bytes: new Uint8Array(4096),
      size: 0,
    };
    await withFile(async (file) => {
      const calls: Promise<void>[] = [];
      for (let step = 0; step < 150; step++) {
        const what = `seed ${seed}, step ${step}`;
        const position = below(2000);
        const length = 1 + below(600);
        switch (below(10)) {
          case 0: {
            const size = below(3000);
            model.bytes.fill(0, size);
            model.size = size;
            calls.push(file.truncate(size));
            break;
          }
          case 1: {
            const expected = model.size;
            calls.push(
              file.size().then((size) => assert.equal(size, expected, what)),
            );
            break;
          }
          case 2:
            calls.push(file.sync({ dataOnly: random() < 0.5 }));
            break;
          case 3:
            await new Promise((resolve) => setTimeout(resolve, below(2)));
            break;
          case 4:
          case 5:
          case 6: {
            const end = Math.min(position + length, model.size);
            const expected = model.bytes.slice(
              position,
              Math.max(end, position),
            );
            const into = filled(length, 0xee);
            calls.push(
              file.read(into, position).then((got) => {
                assert.deepEqual(into.slice(0, got), expected, what);
              }),
            );
            break;
          }
          default: {
            const data = filled(length, 1 + below(200));
            model.bytes.set(data, position);
            model.size = Math.max(model.size, position + length);
            calls.push(Promise.resolve(file.write(data, position)));
          }
        }
      }
      await Promise.all(calls);
      await file.flush();
      const all = filled(4096, 0xee);
      const got = await file.read(all, 0);
      assert.deepEqual(
        all.slice(0, got),
        model.bytes.slice(0, model.size),
        `seed ${seed}`,
      );
    }, { ...READ_WRITE, maxBufferedBytes: 2000 });
  }
});

Deno.test("close() writes what is buffered and may be called again", async () => {
  await withFile(async (file, path) => {
    file.write(filled(5, 3), 0);
    await Promise.all([file.close(), file.close()]);
    assert.deepEqual(await Deno.readFile(path), filled(5, 3));
    assert.throws(() => file.write(filled(1, 0), 0), ResourceClosedError);
    await assert.rejects(file.read(filled(1, 0), 0), {
      name: "ResourceClosedError",
      message: `Cannot read '${path}': the file is closed`,
    });
  });
});

Deno.test("close() lets a read in progress finish", async () => {
  await withFile(async (file) => {
    file.write(filled(5, 3), 0);
    await file.flush();
    const into = filled(5, 0);
    const [got] = await Promise.all([file.read(into, 0), file.close()]);
    assert.equal(got, 5);
  });
});

Deno.test("positions beyond 4 GiB work", async () => {
  await withFile(async (file) => {
    const far = 5_000_000_000;
    file.write(filled(3, 8), far);
    await file.flush();
    const into = filled(3, 0);
    assert.equal(await file.read(into, far), 3);
    assert.deepEqual(into, filled(3, 8));
    assert.equal(await file.size(), far + 3);
  });
});

Deno.test("open() refuses a directory, a missing file and an existing one", async () => {
  await withFile(async (_, path) => {
    const directory = path.replace(/\/file$/, "");
    for (const write of [false, true]) {
      await assert.rejects(RandomAccessFile.open(directory, { write }), {
        name: "FileError",
        code: "EISDIR",
        message: `Cannot open '${directory}': the path is a directory`,
      });
    }
    await assert.rejects(RandomAccessFile.open(`${path}-none`), {
      operation: "open",
      code: "ENOENT",
      message: `Cannot open '${path}-none': no such file or directory`,
    });
    await assert.rejects(
      RandomAccessFile.open(path, { write: true, createNew: true }),
      { code: "EEXIST" },
    );
  });
});

Deno.test("open() tells the same identity for two paths of one file", async () => {
  await withFile(async (file, path) => {
    await Deno.link(path, `${path}-2`);
    await using other = await RandomAccessFile.open(`${path}-2`);
    assert.equal(other.identity.key, file.identity.key);
  });
});

Deno.test("a read-only file refuses writes, a write-only one reads", async () => {
  await withFile(async (_, path) => {
    await using reader = await RandomAccessFile.open(path);
    assert.throws(() => reader.write(filled(1, 0), 0), TypeError);
    await reader.sync();
    await using writer = await RandomAccessFile.open(path, {
      read: false,
      write: true,
    });
    await assert.rejects(writer.read(filled(1, 0), 0), TypeError);
    writer.write(filled(4, 1), 0);
    assert.equal(await writer.size(), 4);
  });
});

// /dev/full fails every write with ENOSPC.
const FULL = {
  ignore: Deno.build.os !== "linux",
  options: { write: true },
};

Deno.test({
  name: "a failed write is thrown by the flush that waits for it, once",
  ignore: FULL.ignore,
  async fn() {
    const file = await RandomAccessFile.open("/dev/full", FULL.options);
    file.write(filled(10, 1), 0);
    await assert.rejects(file.flush(), {
      name: "FileError",
      operation: "write",
      code: "ENOSPC",
      message: "Cannot write '/dev/full': no space left on device",
    });
    assert.equal(file.dirty, false);
    await file.flush();
    await file.close();
  },
});

Deno.test({
  name: "a write that fails in the background is thrown by the next call, once",
  ignore: FULL.ignore,
  async fn() {
    for (const call of ["write", "flush", "sync", "close"] as const) {
      const file = await RandomAccessFile.open("/dev/full", FULL.options);
      file.write(filled(10, 1), 0);
      while (file.stats().bufferedBytes > 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assert.equal(file.dirty, true);
      if (call === "write") {
        assert.throws(() => file.write(filled(1, 0), 0), FileError);
      } else {
        await assert.rejects(file[call](), FileError, call);
      }
      await file.close();
      assert.equal(file.dirty, false);
    }
  },
});

Deno.test({
  name: "a failed write is thrown by all calls that wait for it",
  ignore: FULL.ignore,
  async fn() {
    const file = await RandomAccessFile.open("/dev/full", FULL.options);
    file.write(filled(10, 1), 0);
    const results = await Promise.allSettled([file.flush(), file.flush()]);
    assert.deepEqual(results.map((result) => result.status), [
      "rejected",
      "rejected",
    ]);
    await file.close();
  },
});

Deno.test("a position that is not a number of bytes is refused", async () => {
  await withFile(async (file) => {
    for (const position of [-1, 0.5, NaN, 2 ** 53]) {
      assert.throws(() => file.write(filled(1, 0), position), RangeError);
      await assert.rejects(file.read(filled(1, 0), position), RangeError);
      await assert.rejects(file.truncate(position), RangeError);
    }
  });
});
