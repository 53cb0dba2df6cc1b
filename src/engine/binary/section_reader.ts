/**
 * Reads the contents of each kind of section.
 *
 * Source of the encodings: the WebAssembly core specification, chapter 5.5.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import { readConstantExpression } from "./constant_expression.ts";
import {
  readGlobalType,
  readMemoryType,
  readTableType,
  readTypeGroup,
} from "./type_reader.ts";
import type {
  Export,
  ExternalKind,
  GlobalDefinition,
  Import,
  Limits,
  TableDefinition,
  TypeDefinition,
} from "./types.ts";

const EXTERNAL_KINDS: readonly ExternalKind[] = [
  "function",
  "table",
  "memory",
  "global",
  "tag",
];

/**
 * Reads the type section.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readTypes(reader: ByteReader): readonly TypeDefinition[] {
  return readVector(reader, readTypeGroup).flat();
}

/**
 * Reads the import section.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readImports(reader: ByteReader): readonly Import[] {
  return readVector(reader, readImport);
}

/**
 * Reads the function section.
 *
 * @returns A type index for each defined function.
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readFunctions(reader: ByteReader): readonly number[] {
  return readVector(reader, (entry) => entry.u32());
}

/**
 * Reads the table section.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readTables(reader: ByteReader): readonly TableDefinition[] {
  return readVector(reader, readTable);
}

/**
 * Reads the memory section.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readMemories(reader: ByteReader): readonly Limits[] {
  return readVector(reader, readMemoryType);
}

/**
 * Reads the tag section.
 *
 * @returns A type index for each defined tag.
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readTags(reader: ByteReader): readonly number[] {
  return readVector(reader, readTagType);
}

/**
 * Reads the global section.
 *
 * @throws {InvalidModuleError} when it is malformed.
 */
export function readGlobals(reader: ByteReader): readonly GlobalDefinition[] {
  return readVector(reader, readGlobal);
}

/**
 * Reads the export section.
 *
 * @throws {InvalidModuleError} when it is malformed or has a name twice.
 */
export function readExports(reader: ByteReader): readonly Export[] {
  const seen = new Set<string>();
  return readVector(reader, (part) => {
    const entry = readExport(part);
    if (seen.has(entry.name)) {
      reader.fail(`there are two exports named '${entry.name}'`);
    }
    seen.add(entry.name);
    return entry;
  });
}

/**
 * Reads the leading count of a section, and nothing more of it.
 *
 * @throws {InvalidModuleError} when so many entries cannot follow.
 */
export function readCount(reader: ByteReader): number {
  return reader.count();
}

function readVector<Entry>(
  reader: ByteReader,
  readEntry: (reader: ByteReader) => Entry,
): readonly Entry[] {
  const entries: Entry[] = [];
  for (let left = reader.count(); left > 0; left--) {
    entries.push(readEntry(reader));
  }
  reader.expectDone();
  return entries;
}

function readImport(reader: ByteReader): Import {
  const names = { module: reader.name(), name: reader.name() };
  const kind = readExternalKind(reader);
  switch (kind) {
    case "function":
      return { ...names, kind, typeIndex: reader.u32() };
    case "table":
      return { ...names, kind, type: readTableType(reader) };
    case "memory":
      return { ...names, kind, limits: readMemoryType(reader) };
    case "global":
      return { ...names, kind, type: readGlobalType(reader) };
    case "tag":
      return { ...names, kind, typeIndex: readTagType(reader) };
  }
}

function readTable(reader: ByteReader): TableDefinition {
  if (reader.peek() !== 0x40) return readTableType(reader);
  reader.u8();
  const start = reader.position;
  if (reader.u8() !== 0) {
    reader.fail(`the table at byte ${start} has an unknown form`);
  }
  const type = readTableType(reader);
  return { ...type, init: readConstantExpression(reader).raw };
}

function readTagType(reader: ByteReader): number {
  const start = reader.position;
  // A byte in the specification, but V8 accepts a padded integer.
  if (reader.u32() !== 0) {
    reader.fail(`the tag at byte ${start} has an unknown attribute`);
  }
  return reader.u32();
}

function readGlobal(reader: ByteReader): GlobalDefinition {
  const type = readGlobalType(reader);
  const { raw, constant } = readConstantExpression(reader);
  return constant === undefined
    ? { ...type, init: raw }
    : { ...type, init: raw, constant };
}

function readExport(reader: ByteReader): Export {
  const name = reader.name();
  const kind = readExternalKind(reader);
  return { name, kind, index: reader.u32() };
}

function readExternalKind(reader: ByteReader): ExternalKind {
  const start = reader.position;
  const code = reader.u8();
  const kind = EXTERNAL_KINDS[code];
  if (kind === undefined) {
    reader.fail(`byte ${start} is the unknown import or export kind ${code}`);
  }
  return kind;
}
