/**
 * Reads types: of values, functions, tables, memories and globals.
 *
 * Source of the encodings: the WebAssembly core specification, chapter 5.3.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import type {
  GlobalType,
  Limits,
  ReferenceType,
  TableType,
  TypeDefinition,
  ValueType,
} from "./types.ts";

const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
const REF = 0x64;
const REF_NULL = 0x63;
// Abstract heap types lie in a row, from exn to noexn, as single bytes.
const FIRST_ABSTRACT = 0x69;
const LAST_ABSTRACT = 0x74;

const NUMBERS: ReadonlyMap<number, ValueType> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);

const LIMITS_MAXIMUM = 0x01;
const LIMITS_SHARED = 0x02;
const LIMITS_64 = 0x04;
const LIMITS_PAGE_SIZE = 0x08;

/**
 * Reads the type of a value.
 *
 * @throws {InvalidModuleError} when it is none of WebAssembly 3.0.
 */
export function readValueType(reader: ByteReader): ValueType {
  const number = NUMBERS.get(reader.peek());
  if (number === undefined) return readReferenceType(reader);
  reader.u8();
  return number;
}

/**
 * Reads the type of a reference.
 *
 * @throws {InvalidModuleError} when it is none of WebAssembly 3.0.
 */
export function readReferenceType(reader: ByteReader): ReferenceType {
  const start = reader.position;
  const code = reader.u8();
  if (code === FUNCREF) return "funcref";
  if (code === EXTERNREF) return "externref";
  if (code === REF_NULL) {
    // The long forms of the two plain types.
    const heapType = readHeapType(reader);
    if (heapType === FUNCREF - 0x80) return "funcref";
    if (heapType === EXTERNREF - 0x80) return "externref";
  } else if (code === REF) {
    readHeapType(reader);
  } else if (code < FIRST_ABSTRACT || code > LAST_ABSTRACT) {
    reader.fail(`byte ${start} is the unknown type ${hex(code)}`);
  }
  return { kind: "ref", raw: reader.since(start) };
}

/**
 * Reads a heap type.
 *
 * @returns A type index, or below zero the code of an abstract type.
 * @throws {InvalidModuleError} when it is none of WebAssembly 3.0.
 */
export function readHeapType(reader: ByteReader): number {
  const start = reader.position;
  const value = reader.s33();
  if (value >= 0) return value;
  const code = value + 0x80;
  if (code < FIRST_ABSTRACT || code > LAST_ABSTRACT) {
    reader.fail(`byte ${start} is the unknown heap type ${value}`);
  }
  return value;
}

/**
 * Reads the type of a table.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readTableType(reader: ByteReader): TableType {
  const element = readReferenceType(reader);
  const limits = readLimits(reader, LIMITS_MAXIMUM | LIMITS_64);
  return { element, limits };
}

/**
 * Reads the type of a memory, 64-bit and custom page sizes included.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readMemoryType(reader: ByteReader): Limits {
  return readLimits(
    reader,
    LIMITS_MAXIMUM | LIMITS_SHARED | LIMITS_64 | LIMITS_PAGE_SIZE,
  );
}

/**
 * Reads the type of a global.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readGlobalType(reader: ByteReader): GlobalType {
  const type = readValueType(reader);
  return { type, mutable: readFlag(reader, "mutability") };
}

/**
 * Reads a recursion group, which is also the form of a single type.
 *
 * @returns Its types, one for each type index that it takes.
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readTypeGroup(reader: ByteReader): readonly TypeDefinition[] {
  if (reader.peek() !== 0x4e) return [readSubtype(reader)];
  reader.u8();
  const group: TypeDefinition[] = [];
  for (let left = reader.count(2); left > 0; left--) {
    group.push(readSubtype(reader));
  }
  return group;
}

function readSubtype(reader: ByteReader): TypeDefinition {
  const form = reader.peek();
  if (form === 0x50 || form === 0x4f) {
    reader.u8();
    for (let left = reader.count(); left > 0; left--) reader.u32();
  }
  return readCompositeType(reader);
}

function readCompositeType(reader: ByteReader): TypeDefinition {
  const start = reader.position;
  const form = reader.u8();
  switch (form) {
    case 0x60:
      return {
        params: readResultType(reader),
        results: readResultType(reader),
      };
    case 0x5f:
      for (let left = reader.count(2); left > 0; left--) readField(reader);
      return "struct";
    case 0x5e:
      readField(reader);
      return "array";
    default:
      return reader.fail(`byte ${start} is the unknown type form ${hex(form)}`);
  }
}

function readResultType(reader: ByteReader): readonly ValueType[] {
  const types: ValueType[] = [];
  for (let left = reader.count(); left > 0; left--) {
    types.push(readValueType(reader));
  }
  return types;
}

function readField(reader: ByteReader): void {
  const code = reader.peek();
  const packed = code === 0x78 || code === 0x77;
  if (packed) reader.u8();
  else readValueType(reader);
  readFlag(reader, "mutability");
}

function readFlag(reader: ByteReader, what: string): boolean {
  const start = reader.position;
  const flag = reader.u8();
  if (flag > 1) {
    reader.fail(`byte ${start} is the unknown ${what} ${hex(flag)}`);
  }
  return flag === 1;
}

function readLimits(reader: ByteReader, allowed: number): Limits {
  const start = reader.position;
  const flags = reader.u8();
  if ((flags & ~allowed) !== 0) {
    reader.fail(`byte ${start} has the unknown limits flags ${hex(flags)}`);
  }
  const is64 = (flags & LIMITS_64) !== 0;
  const shared = (flags & LIMITS_SHARED) !== 0;
  const bounded = (flags & LIMITS_MAXIMUM) !== 0;
  if (shared && !bounded) {
    reader.fail(`the shared memory at byte ${start} has no maximum`);
  }
  const minimum = readSize(reader, is64);
  const maximum = bounded ? readSize(reader, is64) : undefined;
  const sized = (flags & LIMITS_PAGE_SIZE) !== 0;
  const pageSizeLog2 = sized ? readPageSize(reader) : undefined;
  return {
    minimum,
    shared,
    is64,
    ...(maximum === undefined ? {} : { maximum }),
    ...(pageSizeLog2 === undefined ? {} : { pageSizeLog2 }),
  };
}

function readSize(reader: ByteReader, is64: boolean): bigint {
  return is64 ? reader.u64() : BigInt(reader.u32());
}

function readPageSize(reader: ByteReader): number {
  const start = reader.position;
  const log2 = reader.u32();
  // The custom-page-sizes proposal allows these two only.
  if (log2 !== 0 && log2 !== 16) {
    reader.fail(`the page size at byte ${start} is 2 to the power ${log2}`);
  }
  return log2;
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
