/**
 * Reads a WebAssembly module.
 *
 * @module
 */

import { BinaryModule, type ModuleContents } from "./binary_module.ts";
import { ByteReader } from "./byte_reader.ts";
import { readGlobalNames } from "./name_section.ts";
import {
  readCount,
  readExports,
  readFunctions,
  readGlobals,
  readImports,
  readMemories,
  readTables,
  readTags,
  readTypes,
} from "./section_reader.ts";
import {
  type Section,
  type SectionName,
  sectionName,
  sectionRank,
} from "./sections.ts";
import type { ExternalKind } from "./types.ts";

const HEADER_LENGTH = 8;
const MAGIC: readonly number[] = [0x00, 0x61, 0x73, 0x6d];
const COMPONENT_LAYER = 1;

/**
 * Reads a core WebAssembly module.
 *
 * Code, data and element segments are not decoded, and the module is not
 * validated: `WebAssembly.validate()` does both. The bytes are copied, so that
 * the module stays as it is when the caller's buffer changes.
 *
 * @throws {InvalidModuleError} when the bytes are no WebAssembly, are a
 * component, or are malformed.
 */
export function readModule(bytes: Uint8Array): BinaryModule {
  const copy = new Uint8Array(bytes);
  const reader = new ByteReader(copy);
  readHeader(reader);
  const { sections, contents } = readSections(reader);
  const count = (name: SectionName) => {
    const section = contents.get(name);
    return section === undefined ? 0 : readCount(section);
  };
  const start = contents.get("start")?.u32();
  contents.get("start")?.expectDone();
  const read = <Entry>(
    name: SectionName,
    readEntries: (reader: ByteReader) => readonly Entry[],
  ) => {
    const section = contents.get(name);
    return section === undefined ? [] : readEntries(section);
  };
  const parts: ModuleContents = {
    sections,
    types: read("type", readTypes),
    imports: read("import", readImports),
    functions: read("function", readFunctions),
    tables: read("table", readTables),
    memories: read("memory", readMemories),
    tags: read("tag", readTags),
    globals: read("global", readGlobals),
    exports: read("export", readExports),
    elementCount: count("element"),
    dataCount: count("data"),
    globalNames: readGlobalNames(sections),
    ...(start === undefined ? {} : { start }),
  };
  checkCounts(parts, count("code"), contents.get("data count"), reader);
  checkSignatures(parts, reader);
  const module = new BinaryModule(parts);
  checkExports(module, reader);
  return module;
}

function readHeader(reader: ByteReader): void {
  const isWasm = reader.remaining >= MAGIC.length &&
    MAGIC.every((byte) => reader.u8() === byte);
  if (!isWasm) reader.fail("the file does not start as WebAssembly does");
  if (reader.remaining < HEADER_LENGTH - MAGIC.length) {
    reader.fail(`the file ends in its header, at byte ${reader.position}`);
  }
  const version = reader.u8() | reader.u8() << 8;
  const layer = reader.u8() | reader.u8() << 8;
  if (layer === COMPONENT_LAYER) {
    reader.fail("the file is a component, not a core module");
  }
  if (version !== 1 || layer !== 0) {
    reader.fail(
      `the file is of version ${version}, layer ${layer}, not of 1 and 0`,
    );
  }
}

function readSections(reader: ByteReader): {
  readonly sections: readonly Section[];
  readonly contents: ReadonlyMap<SectionName, ByteReader>;
} {
  const sections: Section[] = [];
  const contents = new Map<SectionName, ByteReader>();
  let last: SectionName | undefined;
  while (!reader.done) {
    const start = reader.position;
    const id = reader.u8();
    const name = sectionName(id);
    if (name === undefined) {
      reader.fail(`byte ${start} starts a section of the unknown kind ${id}`);
    }
    const part = reader.part(reader.u32(), `section '${name}'`);
    const raw = reader.since(start);
    if (name === "custom") {
      const customName = part.name();
      const payload = part.bytes(part.remaining);
      sections.push({ name, customName, raw, payload });
      continue;
    }
    if (contents.has(name)) reader.fail(`there are two sections '${name}'`);
    if (last !== undefined && sectionRank(name) < sectionRank(last)) {
      reader.fail(`section '${name}' comes after section '${last}'`);
    }
    last = name;
    const payload = raw.subarray(raw.length - part.remaining);
    sections.push({ name, raw, payload });
    contents.set(name, part);
  }
  return { sections, contents };
}

function checkCounts(
  parts: ModuleContents,
  codeCount: number,
  declared: ByteReader | undefined,
  reader: ByteReader,
): void {
  if (codeCount !== parts.functions.length) {
    reader.fail(
      `there are ${parts.functions.length} functions, but code for ${codeCount}`,
    );
  }
  if (declared === undefined) return;
  const dataCount = declared.u32();
  declared.expectDone();
  if (dataCount !== parts.dataCount) {
    reader.fail(
      `there are ${parts.dataCount} data segments, but ${dataCount} are declared`,
    );
  }
}

function checkSignatures(parts: ModuleContents, reader: ByteReader): void {
  const check = (index: number) => {
    if (typeof parts.types[index] === "object") return;
    reader.fail(`type ${index} is not the type of a function`);
  };
  for (const entry of parts.imports) {
    if (entry.kind === "function" || entry.kind === "tag") {
      check(entry.typeIndex);
    }
  }
  parts.functions.forEach(check);
  parts.tags.forEach(check);
}

function checkExports(module: BinaryModule, reader: ByteReader): void {
  const { functions, tables, memories, globals, tags } = module;
  const sizes: Record<ExternalKind, number> = {
    function: functions.length + module.importedCount("function"),
    table: tables.length + module.importedCount("table"),
    memory: memories.length + module.importedCount("memory"),
    global: globals.length + module.importedCount("global"),
    tag: tags.length + module.importedCount("tag"),
  };
  for (const { name, kind, index } of module.exports) {
    if (index < sizes[kind]) continue;
    reader.fail(
      `export '${name}' is ${kind} ${index}, but there are ${sizes[kind]}`,
    );
  }
}
