/**
 * Reads the primitive encodings of the WebAssembly binary format.
 *
 * @module
 */

import { InvalidModuleError } from "../../errors.ts";

/** Options of {@linkcode ByteReader}. */
export interface ByteReaderOptions {
  /** The first byte to read. Default 0. */
  readonly start?: number;
  /** The byte after the last one to read. Default: the end of the bytes. */
  readonly end?: number;
  /** What is read, for error messages. Default "the file". */
  readonly what?: string;
}

// Without ignoreBOM a leading U+FEFF would be dropped from a name, and the
// name written back would be another one.
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A cursor over bytes that never reads outside its range.
 *
 * Integers follow the specification: padded LEB128 forms are accepted up to the
 * type's greatest length, bits beyond the type's width are not.
 *
 * Source of the encodings: the WebAssembly core specification, chapter 5.2.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #what: string;
  #position: number;

  /** A cursor at the start of the range that the options name. */
  constructor(bytes: Uint8Array, options: ByteReaderOptions = {}) {
    const { start = 0, end = bytes.length, what = "the file" } = options;
    this.#bytes = bytes;
    this.#position = start;
    this.#end = Math.min(end, bytes.length);
    this.#what = what;
  }

  /** The index of the next byte, counted from the start of the file. */
  get position(): number {
    return this.#position;
  }

  /** The bytes left. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Whether no byte is left. */
  get done(): boolean {
    return this.#position >= this.#end;
  }

  /**
   * Reads one byte.
   *
   * @throws {InvalidModuleError} when none is left.
   */
  u8(): number {
    const byte = this.peek();
    this.#position++;
    return byte;
  }

  /**
   * The next byte, which stays unread.
   *
   * @throws {InvalidModuleError} when none is left.
   */
  peek(): number {
    const byte = this.done ? undefined : this.#bytes[this.#position];
    if (byte === undefined) {
      this.fail(`${this.#what} ends too early, at byte ${this.#position}`);
    }
    return byte;
  }

  /**
   * Reads an unsigned 32-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when it is cut short or too large.
   */
  u32(): number {
    const start = this.#position;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) this.#failInteger("u32", start);
    return (value | last << 28) >>> 0;
  }

  /**
   * Reads a signed 32-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when it is cut short or too large.
   */
  s32(): number {
    return Number(this.#signed(32));
  }

  /**
   * Reads a signed 33-bit LEB128 integer, the form of a heap type.
   *
   * @throws {InvalidModuleError} when it is cut short or too large.
   */
  s33(): number {
    return Number(this.#signed(33));
  }

  /**
   * Reads a signed 64-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when it is cut short or too large.
   */
  s64(): bigint {
    return this.#signed(64);
  }

  /**
   * Reads an unsigned 64-bit LEB128 integer.
   *
   * @throws {InvalidModuleError} when it is cut short or too large.
   */
  u64(): bigint {
    const start = this.#position;
    const value = this.#leb(64, "u64");
    if (BigInt.asUintN(64, value.bits) !== value.bits) {
      this.#failInteger("u64", start);
    }
    return value.bits;
  }

  /**
   * Reads a name: a length in bytes, then UTF-8.
   *
   * @throws {InvalidModuleError} when it is cut short or no UTF-8.
   */
  name(): string {
    const start = this.#position;
    const encoded = this.bytes(this.u32());
    try {
      return UTF8.decode(encoded);
    } catch (cause) {
      throw new InvalidModuleError(
        `Cannot read the WebAssembly module: the name at byte ${start} of ${this.#what} is no UTF-8`,
        { cause },
      );
    }
  }

  /**
   * Reads `count` bytes, as a view of the bytes under the reader.
   *
   * @throws {InvalidModuleError} when fewer are left.
   */
  bytes(count: number): Uint8Array {
    this.#require(count, `${count} bytes`);
    const start = this.#position;
    this.#position += count;
    return this.#bytes.subarray(start, this.#position);
  }

  /**
   * Reads the element count of a vector.
   *
   * The count is checked against the bytes left, so that a caller may allocate
   * for it.
   *
   * @param elementSize The least bytes that one element takes. Default 1.
   * @throws {InvalidModuleError} when so many elements cannot follow.
   */
  count(elementSize = 1): number {
    const count = this.u32();
    this.#require(count * elementSize, `${count} elements`);
    return count;
  }

  /**
   * A reader for the next `length` bytes, which this reader leaves out.
   *
   * @param what What those bytes are, for error messages.
   * @throws {InvalidModuleError} when fewer are left.
   */
  part(length: number, what: string): ByteReader {
    const start = this.#position;
    const end = start + length;
    if (end > this.#end) {
      this.fail(`${what} ends at byte ${end} of ${this.#end}`);
    }
    this.#position = end;
    return new ByteReader(this.#bytes, { start, end, what });
  }

  /** The bytes from `start` up to the position, as a view. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#position);
  }

  /**
   * Asserts that everything was read.
   *
   * @throws {InvalidModuleError} when bytes are left.
   */
  expectDone(): void {
    if (this.done) return;
    this.fail(
      `${this.#what} has ${this.remaining} bytes too many, from byte ${this.#position}`,
    );
  }

  /**
   * Throws the error for what was read, and why it is wrong.
   *
   * @throws {InvalidModuleError} always.
   */
  fail(why: string): never {
    throw new InvalidModuleError(`Cannot read the WebAssembly module: ${why}`);
  }

  #require(count: number, needed: string): void {
    if (count <= this.remaining) return;
    this.fail(
      `${this.#what} ends at byte ${this.#end}, too early for ${needed} at byte ${this.#position}`,
    );
  }

  #signed(bits: 32 | 33 | 64): bigint {
    const start = this.#position;
    const { bits: raw, width } = this.#leb(bits, `s${bits}`);
    const value = BigInt.asIntN(width, raw);
    if (BigInt.asIntN(bits, value) !== value) {
      this.#failInteger(`s${bits}`, start);
    }
    return value;
  }

  #leb(bits: number, type: string): { bits: bigint; width: number } {
    const start = this.#position;
    const greatest = Math.ceil(bits / 7);
    // Most integers are small: bigint arithmetic is only for what needs it.
    let small = 0;
    let large = 0n;
    for (let index = 0; index < greatest; index++) {
      const byte = this.u8();
      if (index < 4) small |= (byte & 0x7f) << (7 * index);
      else large |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) {
        return { bits: large | BigInt(small), width: 7 * (index + 1) };
      }
    }
    return this.#failInteger(type, start);
  }

  #failInteger(type: string, start: number): never {
    this.fail(`the integer at byte ${start} of ${this.#what} is no ${type}`);
  }
}
