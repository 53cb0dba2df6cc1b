/**
 * The memory that the companion module and TypeScript exchange parameters and rows in.
 *
 * A *cell* holds one value in 16 bytes: its {@linkcode CELL} tag, a length, and 8 bytes of value. A
 * text's or blob's value is its address. A *control block* says what to do and what came of it.
 *
 * @module
 */

/** Tags of cells. 1 to 5 are SQLite's own codes of its types. */
export const CELL = {
  /** An integer of 32 bits, sign-extended to 64; or any integer, as a parameter. */
  integer: 1,
  /** A double; also an integer that fits one exactly, but not 32 bits. */
  float: 2,
  /** UTF-8, not terminated. */
  text: 3,
  /** Bytes. */
  blob: 4,
  /** Nothing. */
  null: 5,
  /** An integer that no double holds. */
  bigInteger: 6,
} as const;

/** The size of a cell, in bytes. */
export const CELL_SIZE = 16;

/** Where in a cell its parts are, in bytes. */
export const CELL_OFFSET = { tag: 0, length: 4, value: 8 } as const;

/** Where in a control block its words are, in words of 4 bytes. */
export const CONTROL = {
  /** In: the `sqlite3_stmt`. */
  statement: 0,
  /** In: the `sqlite3`. */
  database: 1,
  /** In: the address of the parameters' cells. */
  parameters: 2,
  /** In: how many there are. */
  parameterCount: 3,
  /** In: where rows go. */
  cells: 4,
  /** In: the end of the room for them. */
  cellsEnd: 5,
  /** In: where texts and blobs go. */
  heap: 6,
  /** In: the end of the room for them. */
  heapEnd: 7,
  /** Out: SQLite's result code. */
  result: 8,
  /** Out: how many rows there are. */
  rows: 9,
  /** Out: how many cells each has. */
  columns: 10,
  /** Out: the end of the texts; blobs stand at the other end. */
  textEnd: 11,
  /** Out: how often SQLite has prepared the statement anew, as the schema had changed. */
  reprepares: 12,
  /** Out: whether no transaction is open. */
  autocommit: 13,
  /** Out, 64 bits: how many rows were inserted, updated or deleted. */
  changes: 14,
  /** Out, 64 bits: the last inserted row's id. */
  lastInsertRowid: 16,
} as const;

/** The size of a control block, in bytes. */
export const CONTROL_SIZE = 128;

/** What {@linkcode CONTROL} `result` holds while a call has not come to its end. */
export const UNFINISHED = -1;
