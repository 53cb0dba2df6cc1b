/** A prepared statement, and a cache of them. @module */

import type { SqliteRow } from "./values.ts";

/** The columns of a statement. */
export interface StatementColumns {
  /** Their names. */
  readonly names: readonly string[];
  /** What rows are copied from, where that is faster. */
  readonly template: SqliteRow | undefined;
  /** SQLite's count of how often it prepared the statement anew, when the names were read. */
  readonly reprepares: number;
}

const NO_COLUMNS: StatementColumns = {
  names: [],
  template: undefined,
  reprepares: 0,
};

/** A statement that SQLite has prepared. Between operations it is reset and has no bindings. */
export class Statement {
  /** The `sqlite3_stmt`. */
  readonly pointer: number;
  /** Its SQL. */
  readonly sql: string;
  /** The names of its parameters, `undefined` where one has none. */
  readonly parameters: readonly (string | undefined)[];
  /** Its columns, once they were asked for. */
  columns: StatementColumns = NO_COLUMNS;

  /** A statement, as it was prepared. */
  constructor(
    pointer: number,
    sql: string,
    parameters: readonly (string | undefined)[],
  ) {
    this.pointer = pointer;
    this.sql = sql;
    this.parameters = parameters;
  }
}

/** The statements that were used last. */
export class StatementCache {
  readonly #capacity: number;
  readonly #statements = new Map<string, Statement>();
  #latest: Statement | undefined = undefined;

  /** A cache of so many statements. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many statements it holds. */
  get size(): number {
    return this.#statements.size;
  }

  /** The statement with exactly this SQL; it becomes the one that was used last. */
  get(sql: string): Statement | undefined {
    // A loop that runs one statement again and again changes nothing.
    if (this.#latest?.sql === sql) return this.#latest;
    const statement = this.#statements.get(sql);
    if (statement !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, statement);
      this.#latest = statement;
    }
    return statement;
  }

  /** Adds a statement. @returns The one that had to go, if one had to. */
  add(statement: Statement): Statement | undefined {
    this.#statements.set(statement.sql, statement);
    this.#latest = statement;
    if (this.#statements.size <= this.#capacity) return undefined;
    const [oldest] = this.#statements.values();
    if (oldest !== undefined) this.#statements.delete(oldest.sql);
    return oldest;
  }

  /** Takes all statements out. */
  clear(): Statement[] {
    const all = [...this.#statements.values()];
    this.#statements.clear();
    this.#latest = undefined;
    return all;
  }
}
