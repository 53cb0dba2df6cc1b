/**
 * Writes the entries of the sections that passes change.
 *
 * Source of the encodings: the WebAssembly core specification, chapters 5.3
 * and 5.5.
 *
 * @module
 */

import type { ByteWriter } from "./byte_writer.ts";
import type {
  Export,
  ExternalKind,
  GlobalDefinition,
  GlobalType,
  Import,
  Limits,
  ValueType,
} from "./types.ts";

const KIND_CODES: Readonly<Record<ExternalKind, number>> = {
  function: 0,
  table: 1,
  memory: 2,
  global: 3,
  tag: 4,
};

const TYPE_CODES = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;

/** Writes the type of a value. */
export function writeValueType(writer: ByteWriter, type: ValueType): void {
  if (typeof type === "string") writer.u8(TYPE_CODES[type]);
  else writer.bytes(type.raw);
}

/**
 * Writes the bounds of a memory or a table.
 *
 * @throws {InvalidModuleError} when a bound does not fit.
 */
export function writeLimits(writer: ByteWriter, limits: Limits): void {
  const { minimum, maximum, shared, is64, pageSizeLog2 } = limits;
  writer.u8(
    (maximum === undefined ? 0 : 0x01) | (shared ? 0x02 : 0) |
      (is64 ? 0x04 : 0) | (pageSizeLog2 === undefined ? 0 : 0x08),
  );
  writeSize(writer, minimum, is64);
  if (maximum !== undefined) writeSize(writer, maximum, is64);
  if (pageSizeLog2 !== undefined) writer.u32(pageSizeLog2);
}

/** Writes an entry of the import section. */
export function writeImport(writer: ByteWriter, entry: Import): void {
  writer.name(entry.module).name(entry.name).u8(KIND_CODES[entry.kind]);
  switch (entry.kind) {
    case "function":
      writer.u32(entry.typeIndex);
      break;
    case "table":
      writeValueType(writer, entry.type.element);
      writeLimits(writer, entry.type.limits);
      break;
    case "memory":
      writeLimits(writer, entry.limits);
      break;
    case "global":
      writeGlobalType(writer, entry.type);
      break;
    case "tag":
      writer.u8(0).u32(entry.typeIndex);
      break;
  }
}

/** Writes an entry of the global section. */
export function writeGlobal(
  writer: ByteWriter,
  definition: GlobalDefinition,
): void {
  writeGlobalType(writer, definition);
  writer.bytes(definition.init);
}

/** Writes an entry of the export section. */
export function writeExport(writer: ByteWriter, entry: Export): void {
  writer.name(entry.name).u8(KIND_CODES[entry.kind]).u32(entry.index);
}

function writeGlobalType(writer: ByteWriter, type: GlobalType): void {
  writeValueType(writer, type.type);
  writer.u8(type.mutable ? 1 : 0);
}

function writeSize(writer: ByteWriter, size: bigint, is64: boolean): void {
  // Beyond 2⁵³ the number is rounded, which u32() refuses all the same.
  if (is64) writer.u64(size);
  else writer.u32(Number(size));
}
