/**
 * Writes the primitive encodings of the WebAssembly binary format.
 *
 * @module
 */

import { InvalidModuleError } from "../../errors.ts";

const U32_MAX = 2 ** 32 - 1;
const S32_MIN = -(2 ** 31);
const S32_MAX = 2 ** 31 - 1;

/**
 * A growable byte buffer with the encodings of the WebAssembly binary format.
 *
 * Integers are written in their shortest LEB128 form. Every method but
 * {@linkcode ByteWriter.finish} returns the writer, so that calls chain.
 *
 * Source of the encodings: the WebAssembly core specification, chapter 5.2.
 */
export class ByteWriter {
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;

  /**
   * An empty writer.
   *
   * @param capacity The bytes to reserve at first. Default 64.
   */
  constructor(capacity = 64) {
    this.#buffer = new Uint8Array(Math.max(16, capacity));
  }

  /**
   * Writes one byte.
   *
   * @throws {InvalidModuleError} when `value` is no integer of 0 to 255.
   */
  u8(value: number): this {
    requireInteger(value, 0, 255, "byte");
    this.#put(value);
    return this;
  }

  /**
   * Writes an unsigned 32-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when `value` is no integer of 0 to 2³² - 1.
   */
  u32(value: number): this {
    requireInteger(value, 0, U32_MAX, "u32");
    let rest = value;
    while (rest >= 0x80) {
      this.#put((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#put(rest);
    return this;
  }

  /**
   * Writes an unsigned 64-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when `value` is not of 0 to 2⁶⁴ - 1.
   */
  u64(value: bigint): this {
    if (BigInt.asUintN(64, value) !== value) throw outOfRange(value, "u64");
    let rest = value;
    while (rest >= 0x80n) {
      this.#put(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#put(Number(rest));
    return this;
  }

  /**
   * Writes a signed 32-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when `value` is no integer of -2³¹ to
   * 2³¹ - 1.
   */
  s32(value: number): this {
    requireInteger(value, S32_MIN, S32_MAX, "s32");
    let rest = value;
    while (rest < -0x40 || rest >= 0x40) {
      this.#put((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.#put(rest & 0x7f);
    return this;
  }

  /**
   * Writes a signed 64-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when `value` is not of -2⁶³ to 2⁶³ - 1.
   */
  s64(value: bigint): this {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange(value, "s64");
    let rest = value;
    while (rest < -0x40n || rest >= 0x40n) {
      this.#put(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#put(Number(rest & 0x7fn));
    return this;
  }

  /** Writes a 32-bit float, little-endian. `value` is rounded to one. */
  f32(value: number): this {
    this.#reserve(4);
    new DataView(this.#buffer.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  /** Writes a 64-bit float, little-endian. */
  f64(value: number): this {
    this.#reserve(8);
    new DataView(this.#buffer.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  /** Writes a name: its length in bytes, then its UTF-8 bytes. */
  name(value: string): this {
    const encoded = new TextEncoder().encode(value);
    return this.u32(encoded.length).bytes(encoded);
  }

  /**
   * Writes bytes as they are, without a length.
   *
   * @throws {InvalidModuleError} when an element of a plain array is no
   * integer of 0 to 255.
   */
  bytes(values: Uint8Array | readonly number[]): this {
    if (!(values instanceof Uint8Array)) {
      for (const value of values) this.u8(value);
      return this;
    }
    this.#reserve(values.length);
    this.#buffer.set(values, this.#length);
    this.#length += values.length;
    return this;
  }

  /** Writes what `write` writes, with its length in bytes before it. */
  sized(write: (writer: ByteWriter) => void): this {
    const inner = new ByteWriter();
    write(inner);
    return this.u32(inner.#length).bytes(
      inner.#buffer.subarray(0, inner.#length),
    );
  }

  /** A copy of all bytes written so far. The writer stays usable. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  #put(byte: number): void {
    if (this.#length === this.#buffer.length) this.#reserve(1);
    this.#buffer[this.#length++] = byte;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

function requireInteger(
  value: number,
  minimum: number,
  maximum: number,
  type: string,
): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  throw outOfRange(value, type);
}

function outOfRange(value: number | bigint, type: string): InvalidModuleError {
  return new InvalidModuleError(
    `Cannot write the WebAssembly module: ${value} is no ${type}`,
  );
}
