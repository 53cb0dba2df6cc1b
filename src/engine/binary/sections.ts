/**
 * The sections of a WebAssembly module: their names, numbers and order.
 *
 * @module
 */

/** The name of a kind of section. */
export type SectionName =
  | "custom"
  | "type"
  | "import"
  | "function"
  | "table"
  | "memory"
  | "tag"
  | "global"
  | "export"
  | "start"
  | "element"
  | "data count"
  | "code"
  | "data";

/** A section as it stood in the file. */
export interface Section {
  /** Its kind. */
  readonly name: SectionName;
  /** The name of a custom section. */
  readonly customName?: string;
  /** All of its bytes: number, length and contents. */
  readonly raw: Uint8Array;
  /** Its contents. For a custom section, without its name. */
  readonly payload: Uint8Array;
}

// By number. Source: the WebAssembly core specification, chapter 5.5.2.
const NAMES: readonly SectionName[] = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "data count",
  "tag",
];

const ORDER: readonly SectionName[] = [
  "type",
  "import",
  "function",
  "table",
  "memory",
  "tag",
  "global",
  "export",
  "start",
  "element",
  "data count",
  "code",
  "data",
];

/** The kind of the section with this number, or nothing. */
export function sectionName(id: number): SectionName | undefined {
  return NAMES[id];
}

/** The number of a kind of section. */
export function sectionId(name: SectionName): number {
  return NAMES.indexOf(name);
}

/**
 * Where a kind of section stands in a module, from 0. Custom sections stand
 * anywhere and get -1.
 */
export function sectionRank(name: SectionName): number {
  return ORDER.indexOf(name);
}
