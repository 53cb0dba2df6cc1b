/** From JavaScript's values to the parameters of a statement. @module */

import { GuestArgumentError } from "../errors.ts";
import { CELL, CELL_SIZE, CONTROL } from "./companion/layout.ts";
import type { SqliteParameter, SqliteParameters } from "./values.ts";
import type { GuestAllocator, MemoryViews, WorkArea } from "./work_area.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const WORD = 2 ** 32;

/** UTF-8 takes three bytes at most for each unit of a JavaScript string. */
const MAX_BYTES_A_UNIT = 3;

/** Up to so many units a loop over ASCII is faster than the runtime's encoder. */
const SHORT = 64;

const encoder = new TextEncoder();

/**
 * The values of a statement's parameters, in their order.
 *
 * @param names The names of its parameters, `undefined` where one has none.
 * @param parameters What was given for them.
 * @throws {GuestArgumentError} When the count, a name or a value does not fit.
 */
export function orderParameters(
  names: readonly (string | undefined)[],
  parameters: SqliteParameters | undefined,
): readonly SqliteParameter[] {
  const values = Array.isArray(parameters)
    ? parameters
    : namedValues(names, parameters);
  if (values.length !== names.length) {
    throw new GuestArgumentError(
      `Cannot bind the parameters: the statement has ${names.length}, and ${values.length} are given`,
    );
  }
  for (let i = 0; i < values.length; i++) check(values[i], i, names[i]);
  return values;
}

function namedValues(
  names: readonly (string | undefined)[],
  parameters: object | undefined,
): SqliteParameter[] {
  if (parameters === undefined) return [];
  requireRecord(parameters);
  const given = new Map<string, SqliteParameter>(Object.entries(parameters));
  const used = new Set<string>();
  const values = names.map((name, i) => {
    const keys = name === undefined || name.startsWith("?")
      ? []
      : [name, name.slice(1)];
    const key = keys.find((key) => given.has(key));
    if (key === undefined) {
      throw new GuestArgumentError(
        keys.length === 0
          ? `Cannot bind the parameters by name: parameter ${
            i + 1
          } has none; give an array`
          : `Cannot bind the parameters: '${name}' is missing`,
      );
    }
    used.add(key);
    return given.get(key)!;
  });
  for (const key of given.keys()) {
    if (!used.has(key)) {
      throw new GuestArgumentError(
        `Cannot bind the parameters: the statement has no '${key}'`,
      );
    }
  }
  return values;
}

function requireRecord(parameters: object): void {
  if (
    typeof parameters === "object" && parameters !== null &&
    !ArrayBuffer.isView(parameters) && !(parameters instanceof ArrayBuffer)
  ) return;
  throw new GuestArgumentError(
    "Cannot bind the parameters: they must be an array or an object",
  );
}

function check(value: unknown, index: number, name: string | undefined): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isNaN(value)) return;
      throw refusal(index, name, "SQLite has no NaN; give null");
    case "bigint":
      if (value >= INT64_MIN && value <= INT64_MAX) return;
      throw refusal(index, name, `${value} does not fit 64 bits`);
    case "object":
      if (
        value === null || value instanceof Uint8Array ||
        value instanceof ArrayBuffer
      ) return;
  }
  throw refusal(index, name, `SQLite has no type for ${describe(value)}`);
}

function refusal(
  index: number,
  name: string | undefined,
  state: string,
): GuestArgumentError {
  const which = name === undefined ? `${index + 1}` : `'${name}'`;
  return new GuestArgumentError(`Cannot bind parameter ${which}: ${state}`);
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.getPrototypeOf(value)?.constructor?.name ?? "object";
}

/**
 * Writes values as cells, and says in the control block where they are.
 *
 * @param area The operation's memory.
 * @param values The values, checked.
 * @param allocator Where memory comes from that the area has not.
 * @returns A block to free when the statement has been reset, or 0.
 * @throws {GuestOutOfMemoryError} When the guest has no memory for them.
 */
export function writeParameters(
  area: WorkArea,
  values: readonly SqliteParameter[],
  allocator: GuestAllocator,
): number {
  area.write(CONTROL.parameterCount, values.length);
  let bound = values.length * CELL_SIZE;
  for (const value of values) bound += maxBytes(value);
  if (bound <= area.scratchSize) {
    writeCells(area, area.scratch, values);
    return 0;
  }
  // Three bytes for a unit would be a great waste where there are millions of units.
  const encoded = values.map((value) =>
    typeof value === "string" ? new Encoded(encoder.encode(value)) : value
  );
  let size = values.length * CELL_SIZE;
  for (const value of encoded) size += maxBytes(value);
  const block = allocator.allocate(size);
  writeCells(area, block, encoded);
  return block;
}

/** A text that is in UTF-8 already. */
class Encoded {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

function maxBytes(value: SqliteParameter | Encoded): number {
  if (typeof value === "string") return value.length * MAX_BYTES_A_UNIT;
  if (typeof value !== "object" || value === null) return 0;
  return value instanceof Encoded ? value.bytes.length : value.byteLength;
}

function writeCells(
  area: WorkArea,
  address: number,
  values: readonly (SqliteParameter | Encoded)[],
): void {
  area.write(CONTROL.parameters, address);
  const { views } = area;
  let free = address + values.length * CELL_SIZE;
  let word = address >>> 2;
  for (const value of values) {
    free = writeCell(views, word, value, free);
    word += CELL_SIZE / 4;
  }
}

/** Writes one cell, and its bytes where they are free. @returns What is free then. */
function writeCell(
  views: MemoryViews,
  word: number,
  value: SqliteParameter | Encoded,
  free: number,
): number {
  const { words } = views;
  switch (typeof value) {
    case "number":
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        words[word] = CELL.integer;
        words[word + 2] = value;
        words[word + 3] = Math.floor(value / WORD);
      } else {
        words[word] = CELL.float;
        views.doubles[(word >>> 1) + 1] = value;
      }
      return free;
    case "boolean":
      words[word] = CELL.integer;
      words[word + 2] = value ? 1 : 0;
      words[word + 3] = 0;
      return free;
    case "bigint":
      words[word] = CELL.integer;
      words[word + 2] = Number(BigInt.asIntN(32, value));
      words[word + 3] = Number(value >> 32n);
      return free;
    case "string": {
      const written = writeText(views.bytes, value, free);
      words[word] = CELL.text;
      words[word + 1] = written;
      words[word + 2] = free;
      return free + written;
    }
  }
  if (value === null) {
    words[word] = CELL.null;
    return free;
  }
  const isText = value instanceof Encoded;
  const bytes = isText
    ? value.bytes
    : value instanceof ArrayBuffer
    ? new Uint8Array(value)
    : value;
  views.bytes.set(bytes, free);
  words[word] = isText ? CELL.text : CELL.blob;
  words[word + 1] = bytes.length;
  words[word + 2] = free;
  return free + bytes.length;
}

/** Writes a text in UTF-8. @returns How many bytes it takes. */
function writeText(bytes: Uint8Array, text: string, start: number): number {
  const { length } = text;
  if (length <= SHORT) {
    let i = 0;
    for (let unit; i < length && (unit = text.charCodeAt(i)) < 0x80; i++) {
      bytes[start + i] = unit;
    }
    if (i === length) return length;
  }
  return encoder.encodeInto(text, bytes.subarray(start)).written;
}
