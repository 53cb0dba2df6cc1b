/**
 * Reads past constant expressions.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import { readHeapType } from "./type_reader.ts";

const END = 0x0b;
const GLOBAL_GET = 0x23;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const F32_CONST = 0x43;
const F64_CONST = 0x44;
const REF_NULL = 0xd0;
const REF_FUNC = 0xd2;
const GC_PREFIX = 0xfb;
const SIMD_PREFIX = 0xfd;
const V128_CONST = 0x0c;

// i32.add, sub and mul, then the same of i64.
const ARITHMETIC: ReadonlySet<number> = new Set(
  [0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e],
);

// The instructions behind the GC prefix, with how many u32 follow each.
const GC_IMMEDIATES: ReadonlyMap<number, number> = new Map([
  [0x00, 1], // struct.new
  [0x01, 1], // struct.new_default
  [0x06, 1], // array.new
  [0x07, 1], // array.new_default
  [0x08, 2], // array.new_fixed
  [0x1a, 0], // any.convert_extern
  [0x1b, 0], // extern.convert_any
  [0x1c, 0], // ref.i31
]);

/** A constant expression that was read past. */
export interface ConstantExpression {
  /** Its encoding, with the `end`. */
  readonly raw: Uint8Array;
  /** Its value, where it is one `i32.const` or `i64.const`. */
  readonly constant?: number | bigint;
}

/**
 * Reads past a constant expression of WebAssembly 3.0, up to its `end`.
 *
 * Its types are not checked.
 *
 * Source: the WebAssembly core specification, chapters 3.4.12 and 5.4.
 *
 * @throws {InvalidModuleError} when it holds any other instruction.
 */
export function readConstantExpression(reader: ByteReader): ConstantExpression {
  const start = reader.position;
  let constant: number | bigint | undefined;
  let length = 0;
  while (reader.peek() !== END) {
    constant = readInstruction(reader);
    length++;
  }
  reader.u8();
  const raw = reader.since(start);
  return length === 1 && constant !== undefined ? { raw, constant } : { raw };
}

function readInstruction(reader: ByteReader): number | bigint | undefined {
  const start = reader.position;
  const code = reader.u8();
  if (ARITHMETIC.has(code)) return undefined;
  switch (code) {
    case I32_CONST:
      return reader.s32();
    case I64_CONST:
      return reader.s64();
    case F32_CONST:
      reader.bytes(4);
      return undefined;
    case F64_CONST:
      reader.bytes(8);
      return undefined;
    case GLOBAL_GET:
    case REF_FUNC:
      reader.u32();
      return undefined;
    case REF_NULL:
      readHeapType(reader);
      return undefined;
    case GC_PREFIX:
      return readGcInstruction(reader);
    case SIMD_PREFIX:
      if (reader.u32() === V128_CONST) {
        reader.bytes(16);
        return undefined;
      }
  }
  return failInstruction(reader, start);
}

function readGcInstruction(reader: ByteReader): undefined {
  const start = reader.position;
  const immediates = GC_IMMEDIATES.get(reader.u32());
  if (immediates === undefined) return failInstruction(reader, start);
  for (let left = immediates; left > 0; left--) reader.u32();
}

function failInstruction(reader: ByteReader, start: number): never {
  return reader.fail(`the instruction at byte ${start} is not constant`);
}
