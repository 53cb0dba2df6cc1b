/**
 * Writes a WebAssembly module.
 *
 * @module
 */

import type { BinaryModule } from "./binary_module.ts";
import { ByteWriter } from "./byte_writer.ts";
import {
  type Section,
  sectionId,
  type SectionName,
  sectionRank,
} from "./sections.ts";
import {
  writeExport,
  writeGlobal,
  writeImport,
  writeLimits,
} from "./section_writer.ts";

const HEADER: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/**
 * The bytes of a module.
 *
 * Sections that no pass changed are written as they were read, byte for byte;
 * a changed one that is now empty is left out.
 *
 * @throws {InvalidModuleError} when a number of a changed section does not fit
 * its encoding.
 */
export function writeModule(module: BinaryModule): Uint8Array<ArrayBuffer> {
  const size = module.sections.reduce((sum, { raw }) => sum + raw.length, 64);
  const writer = new ByteWriter(size).bytes(HEADER);
  const pending = [...module.changed].sort(
    (one, other) => sectionRank(one) - sectionRank(other),
  );
  for (const section of module.sections) {
    writeBefore(section);
    if (module.changed.has(section.name)) continue;
    writer.bytes(section.raw);
  }
  for (const name of pending) writeChanged(writer, module, name);
  return writer.finish();

  function writeBefore({ name }: Section): void {
    // Never true of a custom section, whose rank is below all others.
    while (
      pending[0] !== undefined && sectionRank(pending[0]) <= sectionRank(name)
    ) {
      writeChanged(writer, module, pending[0]);
      pending.shift();
    }
  }
}

function writeChanged(
  writer: ByteWriter,
  module: BinaryModule,
  name: SectionName,
): void {
  switch (name) {
    case "import":
      return writeVector(writer, name, module.imports, writeImport);
    case "memory":
      return writeVector(writer, name, module.memories, writeLimits);
    case "global":
      return writeVector(writer, name, module.globals, writeGlobal);
    case "export":
      return writeVector(writer, name, module.exports, writeExport);
  }
}

function writeVector<Entry>(
  writer: ByteWriter,
  name: SectionName,
  entries: readonly Entry[],
  writeEntry: (writer: ByteWriter, entry: Entry) => void,
): void {
  if (entries.length === 0) return;
  writer.u8(sectionId(name)).sized((contents) => {
    contents.u32(entries.length);
    for (const entry of entries) writeEntry(contents, entry);
  });
}
