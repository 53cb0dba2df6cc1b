/**
 * The two structs that describe a VFS to a 32-bit SQLite: `sqlite3_vfs` at version 2 and
 * `sqlite3_io_methods` at version 1, from https://sqlite.org/c3ref/vfs.html and io_methods.html.
 *
 * @module
 */

import { GuestMemory } from "./guest_memory.ts";

/** The methods of `sqlite3_vfs` in the struct's order; `undefined` is a member left null. */
export const VFS_METHODS = [
  "xOpen",
  "xDelete",
  "xAccess",
  "xFullPathname",
  undefined, // xDlOpen, xDlError, xDlSym, xDlClose: no extensions to load
  undefined,
  undefined,
  undefined,
  "xRandomness",
  "xSleep",
  "xCurrentTime",
  "xGetLastError",
  "xCurrentTimeInt64",
] as const;

/** The methods of `sqlite3_io_methods` in the struct's order. */
export const IO_METHODS = [
  "xClose",
  "xRead",
  "xWrite",
  "xTruncate",
  "xSync",
  "xFileSize",
  "xLock",
  "xUnlock",
  "xCheckReservedLock",
  "xFileControl",
  "xSectorSize",
  "xDeviceCharacteristics",
] as const;

/** A method of `sqlite3_vfs`. */
export type VfsMethodName = NonNullable<(typeof VFS_METHODS)[number]>;

/** A method of `sqlite3_io_methods`. */
export type IoMethodName = (typeof IO_METHODS)[number];

/** The longest path, in bytes, with its NUL. */
export const MAX_PATH_LENGTH = 1024;

/** `sqlite3_file` is one pointer; the methods know a file by its address. */
const SIZEOF_SQLITE3_FILE = 4;

/** iVersion, szOsFile, mxPathname, pNext, zName, pAppData. */
const VFS_HEADER_WORDS = 6;

/** Where the structs were written. */
export interface VfsStructs {
  /** The `sqlite3_vfs`, for `sqlite3_vfs_register`. */
  readonly vfs: number;
  /** The `sqlite3_io_methods`, for {@linkcode SqliteVfs.ioMethods}. */
  readonly ioMethods: number;
}

/** What the structs contain. */
export interface VfsStructsOptions {
  /** The name that `sqlite3_open_v2` knows the VFS by. */
  readonly name: string;
  /** Where each method is in the guest's function table. */
  readonly functions: Readonly<Record<VfsMethodName | IoMethodName, number>>;
}

/**
 * How much memory the structs and the name need.
 *
 * @param name The VFS's name.
 * @returns Bytes.
 */
export function sizeOfVfsStructs(name: string): number {
  const words = VFS_HEADER_WORDS + VFS_METHODS.length + 1 + IO_METHODS.length;
  return words * 4 + new TextEncoder().encode(name).length + 1;
}

/**
 * Writes the structs. They and the name must stay where they are as long as the VFS is registered.
 *
 * @param memory The guest's memory.
 * @param address Where to write, a multiple of 4, with room for {@linkcode sizeOfVfsStructs} bytes.
 * @param options The name and the functions.
 * @returns Where each struct is.
 * @throws {RangeError} When the address is not aligned.
 */
export function writeVfsStructs(
  memory: WebAssembly.Memory,
  address: number,
  options: VfsStructsOptions,
): VfsStructs {
  if (address % 4 !== 0) {
    throw new RangeError(
      `Cannot write the VFS at ${address}: the address is not aligned`,
    );
  }
  const { name, functions } = options;
  const guest = new GuestMemory(() => memory);
  const ioMethods = address + (VFS_HEADER_WORDS + VFS_METHODS.length) * 4;
  const namePointer = ioMethods + (1 + IO_METHODS.length) * 4;
  const words = [
    2, // iVersion
    SIZEOF_SQLITE3_FILE,
    MAX_PATH_LENGTH,
    0, // pNext, which SQLite sets
    namePointer,
    0, // pAppData
    ...VFS_METHODS.map((method) =>
      method === undefined ? 0 : functions[method]
    ),
    1, // iVersion of the io methods
    ...IO_METHODS.map((method) => functions[method]),
  ];
  words.forEach((word, i) => guest.writeInt32(address + i * 4, word));
  guest.writeString(namePointer, sizeOfVfsStructs(name), name);
  return { vfs: address, ioMethods };
}
