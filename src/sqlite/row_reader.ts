/** From the companion's cells to JavaScript's values. @module */

import { CELL, CELL_SIZE, CONTROL } from "./companion/layout.ts";
import type { StatementColumns } from "./statement.ts";
import { TextReader } from "./text_reader.ts";
import type { SqliteRow, SqliteValue } from "./values.ts";
import type { WorkArea } from "./work_area.ts";

const CELL_WORDS = CELL_SIZE / 4;

/**
 * Up to so many columns, properties that are added one after the other are as fast as any way;
 * above, an object of the right size from the start is several times as fast.
 */
const FEW_COLUMNS = 8;

/** Reads the rows of a batch. */
export class RowReader {
  readonly #texts = new TextReader();
  #words: Int32Array = new Int32Array();
  #doubles: Float64Array = new Float64Array();
  #bytes: Uint8Array = new Uint8Array();

  /**
   * Appends a batch's rows, as arrays.
   *
   * @typeParam Row What the caller takes an array of values for.
   * @param area The batch.
   * @param rows Where they go.
   */
  readArrays<Row>(area: WorkArea, rows: Row[]): void {
    const { count, columns, cells } = this.#open(area);
    for (let i = 0, cell = cells; i < count; i++) {
      const row: SqliteValue[] = new Array(columns);
      for (let k = 0; k < columns; k++, cell += CELL_WORDS) {
        row[k] = this.#value(cell);
      }
      rows.push(row as Row);
    }
    this.#close();
  }

  /**
   * Appends a batch's rows, as objects.
   *
   * @typeParam Row What the caller takes an object of values for.
   * @param area The batch.
   * @param rows Where they go.
   * @param columns The statement's columns.
   */
  readObjects<Row>(
    area: WorkArea,
    rows: Row[],
    { names, template }: StatementColumns,
  ): void {
    const { count, columns, cells } = this.#open(area);
    for (let i = 0, cell = cells; i < count; i++) {
      const row: SqliteRow = template === undefined ? {} : { ...template };
      for (let k = 0; k < columns; k++, cell += CELL_WORDS) {
        row[names[k]!] = this.#value(cell);
      }
      rows.push(row as Row);
    }
    this.#close();
  }

  #open(area: WorkArea): { count: number; columns: number; cells: number } {
    const views = area.views.refresh();
    this.#words = views.words;
    this.#doubles = views.doubles;
    this.#bytes = views.bytes;
    this.#texts.open(views.bytes, area.heap, area.read(CONTROL.textEnd));
    return {
      count: area.read(CONTROL.rows),
      columns: area.read(CONTROL.columns),
      cells: area.cells >>> 2,
    };
  }

  /** Lets go of the memory and of the decoded texts. */
  #close(): void {
    this.#texts.close();
  }

  #value(cell: number): SqliteValue {
    const words = this.#words;
    switch (words[cell]) {
      case CELL.integer:
        return words[cell + 2]!;
      case CELL.float:
        return this.#doubles[(cell >>> 1) + 1]!;
      case CELL.text:
        return this.#texts.read(words[cell + 2]!, words[cell + 1]!);
      case CELL.blob: {
        const start = words[cell + 2]!;
        return this.#bytes.slice(start, start + words[cell + 1]!);
      }
      case CELL.bigInteger:
        return BigInt(words[cell + 3]!) << 32n | BigInt(words[cell + 2]! >>> 0);
      default:
        return null;
    }
  }
}

/**
 * An object to copy for each row: it has room for all columns from the start, and makes
 * `__proto__` an ordinary column.
 *
 * @param names The columns' names.
 * @returns The template, or `undefined` where an empty object does as well.
 */
export function rowTemplate(names: readonly string[]): SqliteRow | undefined {
  if (names.length <= FEW_COLUMNS && !names.includes("__proto__")) {
    return undefined;
  }
  // JSON.parse, other than an assignment, sizes the object and takes `__proto__` as a name.
  const members = names.map((name) => `${JSON.stringify(name)}:null`);
  return JSON.parse(`{${members.join()}}`);
}
