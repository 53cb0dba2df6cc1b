/**
 * Reads the custom section "name".
 *
 * @module
 */

import { InvalidModuleError } from "../../errors.ts";
import { ByteReader } from "./byte_reader.ts";
import type { Section } from "./sections.ts";

const GLOBAL_NAMES = 7;

/**
 * The names that a module's name section gives to its globals, by index.
 *
 * Names are only for people, so a malformed name section counts as none.
 *
 * Source: the extended-name-section proposal, "global names".
 */
export function readGlobalNames(
  sections: readonly Section[],
): ReadonlyMap<number, string> {
  const section = sections.find((entry) => entry.customName === "name");
  if (section === undefined) return new Map();
  try {
    return readNames(new ByteReader(section.payload));
  } catch (error) {
    if (error instanceof InvalidModuleError) return new Map();
    throw error;
  }
}

function readNames(reader: ByteReader): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  while (!reader.done) {
    const id = reader.u8();
    const part = reader.part(reader.u32(), "the subsection");
    if (id !== GLOBAL_NAMES) continue;
    for (let left = part.count(2); left > 0; left--) {
      names.set(part.u32(), part.name());
    }
  }
  return names;
}
