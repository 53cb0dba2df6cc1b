import assert from "node:assert/strict";
import { ByteReader } from "../../src/engine/binary/byte_reader.ts";
import { ByteWriter } from "../../src/engine/binary/byte_writer.ts";
import { InvalidModuleError } from "../../src/errors.ts";

function reader(...bytes: number[]): ByteReader {
  return new ByteReader(new Uint8Array(bytes));
}

Deno.test("ByteReader reads back every u32 that ByteWriter writes", () => {
  const values = [0, 1, 127, 128, 16383, 16384, 2 ** 28 - 1, 2 ** 28];
  for (const value of [...values, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const read = new ByteReader(new ByteWriter().u32(value).finish());
    assert.equal(read.u32(), value);
    assert(read.done);
  }
});

Deno.test("ByteReader reads back every s32 that ByteWriter writes", () => {
  const values = [0, 63, 64, -64, -65, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)];
  for (const value of values) {
    const read = new ByteReader(new ByteWriter().s32(value).finish());
    assert.equal(read.s32(), value);
    assert(read.done);
  }
});

Deno.test("ByteReader reads back every 64-bit integer that ByteWriter writes", () => {
  for (const value of [0n, 63n, 64n, 2n ** 31n, 2n ** 35n, 2n ** 63n - 1n]) {
    for (const signed of [value, -value, -value - 1n]) {
      const read = new ByteReader(new ByteWriter().s64(signed).finish());
      assert.equal(read.s64(), signed);
      assert(read.done);
    }
  }
  for (const value of [0n, 127n, 128n, 2n ** 63n, 2n ** 64n - 1n]) {
    const read = new ByteReader(new ByteWriter().u64(value).finish());
    assert.equal(read.u64(), value);
    assert(read.done);
  }
});

Deno.test("ByteWriter writes integers in their shortest form", () => {
  const lengthOf = (write: (writer: ByteWriter) => unknown) => {
    const writer = new ByteWriter();
    write(writer);
    return writer.finish().length;
  };
  for (
    const [value, length] of [[-64, 1], [63, 1], [-65, 2], [64, 2]] as const
  ) {
    assert.equal(lengthOf((writer) => writer.s32(value)), length);
    assert.equal(lengthOf((writer) => writer.s64(BigInt(value))), length);
  }
  for (const [value, length] of [[127, 1], [128, 2]] as const) {
    assert.equal(lengthOf((writer) => writer.u32(value)), length);
    assert.equal(lengthOf((writer) => writer.u64(BigInt(value))), length);
  }
});

Deno.test("ByteReader accepts integers padded to their type's greatest length", () => {
  assert.equal(reader(0x83, 0x80, 0x80, 0x80, 0x00).u32(), 3);
  assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x7f).s32(), -1);
  assert.equal(reader(0x80, 0x80, 0x80, 0x80, 0x78).s32(), -(2 ** 31));
  assert.equal(reader(...Array(9).fill(0x80), 0x01).u64(), 2n ** 63n);
  assert.equal(reader(...Array(9).fill(0x80), 0x7f).s64(), -(2n ** 63n));
});

Deno.test("ByteReader rejects integers that are too long or too large", () => {
  const cases: readonly (readonly [number[], (read: ByteReader) => unknown])[] =
    [
      [[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], (read) => read.u32()],
      [[0xff, 0xff, 0xff, 0xff, 0x1f], (read) => read.u32()],
      [[0x80, 0x80, 0x80, 0x80, 0x08], (read) => read.s32()],
      [[0xff, 0xff, 0xff, 0xff, 0x4f], (read) => read.s32()],
      [[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], (read) => read.s32()],
      [[0x80, 0x80, 0x80, 0x80, 0x10], (read) => read.s33()],
      [[...Array(9).fill(0xff), 0x02], (read) => read.u64()],
      [[...Array(10).fill(0x80), 0x00], (read) => read.u64()],
      [[...Array(9).fill(0xff), 0x01], (read) => read.s64()],
      [[0x80], (read) => read.u32()],
      [[0x80], (read) => read.s64()],
      [[], (read) => read.u8()],
    ];
  for (const [bytes, read] of cases) {
    assert.throws(() => read(reader(...bytes)), InvalidModuleError, `${bytes}`);
  }
});

Deno.test("ByteReader.count() rejects counts that the bytes cannot hold", () => {
  assert.equal(reader(2, 0, 0).count(), 2);
  assert.throws(() => reader(3, 0, 0).count(), InvalidModuleError);
  assert.throws(() => reader(2, 0, 0, 0).count(2), InvalidModuleError);
  const huge = reader(0xff, 0xff, 0xff, 0xff, 0x0f);
  assert.throws(() => huge.count(), /too early for 4294967295 elements/);
});

Deno.test("ByteReader.name() keeps a byte order mark and rejects what is no UTF-8", () => {
  const name = "\u{feff}naïve 🦔";
  const read = new ByteReader(new ByteWriter().name(name).finish());
  assert.equal(read.name(), name);
  assert.throws(() => reader(2, 0xc3, 0x28).name(), InvalidModuleError);
  assert.throws(() => reader(3, 0xed, 0xa0, 0x80).name(), InvalidModuleError);
  assert.throws(() => reader(3, 0x61).name(), InvalidModuleError);
});

Deno.test("ByteReader.part() confines a reader to its range", () => {
  const whole = reader(1, 2, 3);
  const part = whole.part(2, "the part");
  assert.deepEqual([part.u8(), part.u8()], [1, 2]);
  assert.throws(() => part.u8(), /the part ends too early, at byte 2$/);
  assert.equal(whole.u8(), 3);
  assert.throws(() => whole.part(1, "the part"), /ends at byte 4 of 3$/);
});

Deno.test("ByteWriter grows, chains and nests", () => {
  const bytes = new ByteWriter(0)
    .u8(1).f32(1.5).f64(-2)
    .sized((inner) => inner.sized((deep) => deep.bytes([7, 8])))
    .bytes(new Uint8Array(300).fill(9))
    .finish();
  const view = new DataView(bytes.buffer);
  assert.equal(view.getFloat32(1, true), 1.5);
  assert.equal(view.getFloat64(5, true), -2);
  assert.deepEqual([...bytes.subarray(13, 17)], [3, 2, 7, 8]);
  assert.equal(bytes.length, 17 + 300);
});

Deno.test("ByteWriter rejects numbers that do not fit", () => {
  const writer = new ByteWriter();
  assert.throws(() => writer.u8(256), InvalidModuleError);
  assert.throws(() => writer.u8(1.5), InvalidModuleError);
  assert.throws(() => writer.u32(-1), InvalidModuleError);
  assert.throws(() => writer.u32(2 ** 32), InvalidModuleError);
  assert.throws(() => writer.u64(-1n), InvalidModuleError);
  assert.throws(() => writer.u64(2n ** 64n), InvalidModuleError);
  assert.throws(() => writer.s32(2 ** 31), InvalidModuleError);
  assert.throws(() => writer.s64(2n ** 63n), InvalidModuleError);
  assert.throws(() => writer.bytes([1, -1]), InvalidModuleError);
});
