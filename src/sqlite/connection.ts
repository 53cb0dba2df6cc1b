/** One connection to a database, for whoever holds its lock. @module */

import type { WasmFunction } from "../engine/jspi.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import { orderParameters, writeParameters } from "./bind.ts";
import { cleanUp } from "./clean_up.ts";
import { CONTROL, UNFINISHED } from "./companion/layout.ts";
import { ErrorReporter } from "./connection_error.ts";
import { prepareStatement } from "./prepare.ts";
import { RESULT_CODES } from "./result_codes.ts";
import { RowReader, rowTemplate } from "./row_reader.ts";
import type { SqliteGuest } from "./sqlite_guest.ts";
import {
  type Statement,
  StatementCache,
  type StatementColumns,
} from "./statement.ts";
import type {
  ExecuteResult,
  QueryOptions,
  SqliteParameters,
} from "./values.ts";
import type { WorkArea } from "./work_area.ts";

const { SQLITE_DONE, SQLITE_OK, SQLITE_ROW } = RESULT_CODES;

/** Prepared statements that a connection keeps. */
const STATEMENTS = 64;

const ACTION = "run the statement";

/**
 * A connection. It runs one call at a time: its callers hold a lock.
 *
 * What an operation leaves behind when it fails or is killed is cleaned up before its error goes
 * out.
 */
export class Connection {
  /** The instance that it is in. */
  readonly sqlite: SqliteGuest;
  /** The `sqlite3`. */
  readonly pointer: number;
  /** The full path of its file, as SQLite names it; empty in memory. */
  readonly file: string;

  readonly #statements = new StatementCache(STATEMENTS);
  readonly #rows = new RowReader();
  readonly #errors: ErrorReporter;
  #stepping = false;
  #autocommit = true;

  /** A connection that SQLite has opened. */
  constructor(sqlite: SqliteGuest, pointer: number) {
    this.sqlite = sqlite;
    this.pointer = pointer;
    const name = sqlite.call("db_filename", pointer, 0);
    this.file = sqlite.memory.string(name) ?? "";
    this.#errors = new ErrorReporter(sqlite, pointer, this.file);
  }

  /** Whether no transaction is open. */
  get autocommit(): boolean {
    return this.#autocommit;
  }

  /** How many statements it keeps prepared. */
  get statements(): number {
    return this.#statements.size;
  }

  /** Runs a statement and reads its rows. */
  async query<Row>(
    greenlet: Greenlet<unknown>,
    sql: string,
    parameters: SqliteParameters | undefined,
    options: QueryOptions,
  ): Promise<Row[]> {
    const { guest, companion } = this.sqlite;
    const statement = this.#statements.get(sql) ??
      await this.#prepare(greenlet, sql);
    const { area, block } = this.#begin(statement, parameters);
    try {
      const bound = guest.call(companion.bind, area.control);
      if (bound !== SQLITE_OK) {
        throw await this.#fail(statement, this.#report(bound, sql));
      }
      const rows: Row[] = [];
      for (let code: number = SQLITE_ROW; code === SQLITE_ROW;) {
        code = await this.#step(greenlet, companion.fetch, area, statement);
        try {
          if (options.rowMode === "array") this.#rows.readArrays(area, rows);
          else {
            const columns = this.#columns(area, statement);
            this.#rows.readObjects(area, rows, columns);
          }
        } catch (error) {
          throw await this.#fail(statement, error);
        }
      }
      return rows;
    } finally {
      this.#end(area, block);
    }
  }

  /** Runs a statement to its end and tells what it changed. */
  async execute(
    greenlet: Greenlet<unknown>,
    sql: string,
    parameters?: SqliteParameters,
  ): Promise<ExecuteResult> {
    const { execute } = this.sqlite.companion;
    const statement = this.#statements.get(sql) ??
      await this.#prepare(greenlet, sql);
    const { area, block } = this.#begin(statement, parameters);
    try {
      await this.#step(greenlet, execute, area, statement);
      return {
        changes: Number(area.readInteger(CONTROL.changes)),
        lastInsertRowid: area.readInteger(CONTROL.lastInsertRowid),
      };
    } finally {
      this.#end(area, block);
    }
  }

  /** Makes the statement that runs now fail soon, if one does. */
  interrupt(): void {
    if (this.#stepping) this.sqlite.call("interrupt", this.pointer);
  }

  /** Ends an open transaction, whatever happens; never rejects. */
  async rollBack(): Promise<void> {
    const { guest } = this.sqlite;
    if (guest.tainted !== undefined || this.autocommit) return;
    await cleanUp(guest.hub, (greenlet) => this.execute(greenlet, "ROLLBACK"));
  }

  /** Finalizes its statements and closes it. */
  async close(greenlet: Greenlet<unknown>): Promise<void> {
    const { guest, handlers, vfs } = this.sqlite;
    // Nothing of SQLite can be called any more, but its files and locks can be let go.
    if (guest.tainted !== undefined) return await vfs.closeAll();
    for (const { pointer } of this.#statements.clear()) {
      await guest.run(greenlet, "sqlite3_finalize", [pointer]);
    }
    await guest.run(greenlet, "sqlite3_close_v2", [this.pointer]);
    handlers.remove(this.pointer);
    handlers.wake(this.file);
  }

  /** Writes a statement's parameters. What it returns goes to `#end`. */
  #begin(
    statement: Statement,
    parameters: SqliteParameters | undefined,
  ): { area: WorkArea; block: number } {
    const { allocator, workAreas } = this.sqlite;
    const values = orderParameters(statement.parameters, parameters);
    const area = workAreas.acquire();
    try {
      area.begin(statement.pointer, this.pointer);
      return { area, block: writeParameters(area, values, allocator) };
    } catch (error) {
      workAreas.release(area);
      throw error;
    }
  }

  #end(area: WorkArea, block: number): void {
    const { allocator, workAreas } = this.sqlite;
    if (block !== 0) allocator.free(block);
    workAreas.release(area);
  }

  async #prepare(
    greenlet: Greenlet<unknown>,
    sql: string,
  ): Promise<Statement> {
    const { sqlite } = this;
    const statement = await prepareStatement(
      greenlet,
      sqlite,
      this.pointer,
      sql,
      this.#errors,
    );
    const oldest = this.#statements.add(statement);
    // It was reset after its last use, so that nothing is left to wait for.
    if (oldest !== undefined) sqlite.call("finalize", oldest.pointer);
    return statement;
  }

  /**
   * Runs a function of the companion.
   *
   * @returns `SQLITE_ROW` or `SQLITE_DONE`; in all other cases the statement is reset and this
   * rejects.
   */
  async #step(
    greenlet: Greenlet<unknown>,
    target: WasmFunction,
    area: WorkArea,
    statement: Statement,
  ): Promise<number> {
    const { guest } = this.sqlite;
    area.write(CONTROL.result, UNFINISHED);
    let interrupt: { reason: unknown } | undefined;
    this.#stepping = true;
    try {
      await guest.run(greenlet, target, [area.control]);
    } catch (reason) {
      interrupt = { reason };
    } finally {
      this.#stepping = false;
    }
    const code = area.read(CONTROL.result);
    const done = code === SQLITE_DONE;
    if (code !== UNFINISHED) {
      this.#autocommit = area.read(CONTROL.autocommit) !== 0;
    }
    if (interrupt === undefined) {
      if (done || code === SQLITE_ROW) return code;
      throw await this.#fail(statement, this.#report(code, statement.sql));
    }
    // SQLite got over the one call that failed, and what it did is committed: too late for a kill.
    if (done && this.autocommit) return code;
    throw await this.#fail(statement, interrupt.reason);
  }

  #report(code: number, sql: string): Error {
    return this.#errors.report(code, ACTION, sql);
  }

  /** Resets a statement that did not come to its end. @returns The error. */
  async #fail(statement: Statement, error: unknown): Promise<unknown> {
    const { guest } = this.sqlite;
    await cleanUp(guest.hub, async (greenlet) => {
      await guest.run(greenlet, "sqlite3_reset", [statement.pointer]);
      guest.call("sqlite3_clear_bindings", statement.pointer);
      this.#autocommit = this.sqlite.call("get_autocommit", this.pointer) !== 0;
    });
    return error;
  }

  #columns(area: WorkArea, statement: Statement): StatementColumns {
    const count = area.read(CONTROL.columns);
    const reprepares = area.read(CONTROL.reprepares);
    const known = statement.columns;
    if (
      known.names.length === count && known.reprepares === reprepares
    ) return known;
    const { memory } = this.sqlite;
    const names = Array.from({ length: count }, (_, i) => {
      const name = this.sqlite.call("column_name", statement.pointer, i);
      return memory.string(name) ?? "";
    });
    const template = rowTemplate(names);
    return statement.columns = { names, template, reprepares };
  }
}
