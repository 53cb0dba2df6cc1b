/** A database, and everything that can be done with it. @module */

import { ResourceClosedError } from "../errors.ts";
import { FifoLock } from "../greenlet/fifo_lock.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import type { Connection } from "./connection.ts";
import { openConnection } from "./open_connection.ts";
import { sqliteGuest } from "./sqlite_guest.ts";
import {
  runTransaction,
  type TransactionBody,
  type TransactionMode,
  type TransactionOptions,
} from "./transaction.ts";
import type {
  ExecuteResult,
  QueryOptions,
  SqliteParameters,
  SqliteRow,
} from "./values.ts";

/** How long a statement waits for other databases' locks by default, in milliseconds. */
const TIMEOUT = 5_000;

const MODES: readonly TransactionMode[] = [
  "deferred",
  "immediate",
  "exclusive",
];

/** Options of {@linkcode Database.open}. */
export interface DatabaseOptions {
  /**
   * Whether nothing may be written.
   *
   * @default {false}
   */
  readonly readOnly?: boolean | undefined;
  /**
   * Whether a file that does not exist is created.
   *
   * @default {true}
   */
  readonly create?: boolean | undefined;
  /**
   * How long a statement waits while another database has the file locked, in milliseconds.
   *
   * @default {5000}
   */
  readonly timeout?: number | undefined;
}

/** What {@linkcode Database.stats} tells. */
export interface DatabaseStats {
  /** Whether it has not been closed. */
  readonly open: boolean;
  /** Whether an operation runs. */
  readonly busy: boolean;
  /** How many operations wait for their turn. */
  readonly waiting: number;
  /** How many statements are kept prepared. */
  readonly statements: number;
}

/**
 * A connection to an SQLite database.
 *
 * Every operation is a greenlet: awaitable as a promise, and killable. While one waits for the disk
 * or for a lock, everything else goes on; one that computes gives way every few milliseconds.
 * Operations run one after the other, in the order in which they were called. An operation that
 * fails, is killed or times out has changed nothing.
 *
 * Foreign keys are enforced, as in `node:sqlite`; `PRAGMA foreign_keys=OFF` changes that.
 *
 * @example A table in memory
 * ```ts
 * import * as assert from "node:assert/strict";
 * import { Database } from "@hedgesnake/greenlet/sqlite";
 *
 * await using db = await Database.open(":memory:");
 * await db.execute("CREATE TABLE fruit (name TEXT, weight REAL)");
 * await db.transaction(async (transaction) => {
 *   const insert = "INSERT INTO fruit VALUES (?, ?)";
 *   await transaction.execute(insert, ["fig", 0.05]);
 *   await transaction.execute(insert, ["pear", 0.2]);
 * });
 * assert.deepEqual(
 *   await db.query("SELECT name FROM fruit WHERE weight > :least", { least: 0.1 }),
 *   [{ name: "pear" }],
 * );
 * ```
 */
export class Database implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #name: string;
  readonly #lock = new FifoLock("the database's turn");
  #closing: Promise<void> | undefined = undefined;
  #idle: (() => void) | undefined = undefined;

  private constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  /**
   * Opens a database.
   *
   * @param path The file's path, `:memory:` for a database of its own in memory, or one of SQLite's
   * `file:` URIs.
   * @param options How.
   * @returns The database. Close it.
   * @throws {SqliteError} When the file cannot be opened, or is no database; `cause` is the
   * runtime's error.
   * @throws {TypeError} When the path is not a string, or contains NUL.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  static async open(
    path: string,
    options: DatabaseOptions = {},
  ): Promise<Database> {
    const { readOnly = false, create = true, timeout = TIMEOUT } = options;
    if (typeof path !== "string" || path.includes("\0")) {
      throw new TypeError(
        "Cannot open the database: the path must be a string without NUL",
      );
    }
    if (!(timeout >= 0)) {
      throw new RangeError(
        `Cannot open '${path}': the timeout must be 0 or more: current value is ${timeout}`,
      );
    }
    const sqlite = sqliteGuest();
    const connection = await sqlite.guest.hub.spawn(
      (greenlet) =>
        openConnection(greenlet, sqlite, path, { readOnly, create, timeout }),
      { name: "sqlite open" },
    );
    return new Database(connection, path);
  }

  /**
   * Runs a statement and reads its rows.
   *
   * @typeParam Row The type of a row, which is not checked.
   * @param sql Exactly one statement; comments may stand around it.
   * @param parameters Its parameters.
   * @param options How rows come.
   * @returns The rows. Rejects with a `SqliteError` when SQLite refuses, with a
   * `GuestArgumentError` when the parameters or the number of statements do not fit.
   */
  query<Row = SqliteRow>(
    sql: string,
    parameters?: SqliteParameters,
    options: QueryOptions = {},
  ): Greenlet<Row[]> {
    const snapshot = copy(parameters);
    return this.#operate(
      "query",
      (greenlet) =>
        this.#connection.query<Row>(greenlet, sql, snapshot, options),
    );
  }

  /**
   * Runs a statement to its end. Rows that it returns are dropped.
   *
   * @param sql Exactly one statement; comments may stand around it.
   * @param parameters Its parameters.
   * @returns What it changed. Rejects as {@linkcode Database.query} does.
   */
  execute(
    sql: string,
    parameters?: SqliteParameters,
  ): Greenlet<ExecuteResult> {
    const snapshot = copy(parameters);
    return this.#operate(
      "execute",
      (greenlet) => this.#connection.execute(greenlet, sql, snapshot),
    );
  }

  /**
   * Runs statements that take effect together, or not at all. No other operation of this database
   * runs meanwhile: in the body, use the transaction that it gets; waiting for another operation of
   * the same database would never end.
   *
   * It is committed when the body's promise resolves. It is rolled back when that rejects, and when
   * the greenlet is killed or times out, which does not wait for the body; the error is what
   * the greenlet rejects with.
   *
   * @param body What happens in it.
   * @param options When it takes its locks.
   * @returns What the body returns.
   */
  transaction<T>(
    body: TransactionBody<T>,
    options: TransactionOptions = {},
  ): Greenlet<T> {
    const mode = options.mode ?? "deferred";
    if (!MODES.includes(mode)) {
      throw new TypeError(
        `Cannot begin a transaction: the mode must be one of ${
          MODES.join(", ")
        }: current value is '${mode}'`,
      );
    }
    return this.#operate(
      "transaction",
      (greenlet) => runTransaction(this.#connection, greenlet, body, mode),
    );
  }

  /**
   * Closes the database, when the operation that runs has ended. Operations that wait for their
   * turn, and later ones, reject with `ResourceClosedError`. Closing it again does nothing.
   *
   * @returns Resolves when the file is closed.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes the database, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What the database does now; a frozen record. */
  stats(): DatabaseStats {
    return Object.freeze({
      open: this.#closing === undefined,
      busy: this.#lock.locked,
      waiting: this.#lock.waiting,
      statements: this.#connection.statements,
    });
  }

  #operate<T>(
    name: string,
    run: (greenlet: Greenlet<unknown>) => Promise<T>,
  ): Greenlet<T> {
    const { handlers, guest } = this.#connection.sqlite;
    return guest.hub.spawn(async (greenlet) => {
      if (!this.#lock.tryAcquire()) await this.#lock.acquire(greenlet);
      try {
        return await run(greenlet);
      } finally {
        this.#lock.release();
        this.#idle?.();
        handlers.wake(this.#connection.file);
      }
    }, { name: `sqlite ${name}` });
  }

  async #close(): Promise<void> {
    this.#lock.close(
      new ResourceClosedError(
        `Cannot use '${this.#name}': the database is closed`,
      ),
    );
    if (this.#lock.locked) {
      await new Promise<void>((resolve) => this.#idle = resolve);
    }
    const { hub } = this.#connection.sqlite.guest;
    await hub.spawn((greenlet) => this.#connection.close(greenlet), {
      name: "sqlite close",
    });
  }
}

/** The operation runs later than the call: what the caller does to its array must not reach it. */
function copy(
  parameters: SqliteParameters | undefined,
): SqliteParameters | undefined {
  if (Array.isArray(parameters)) return parameters.slice();
  // Anything that is no plain object is refused when the operation runs.
  const isPlain = typeof parameters === "object" && parameters !== null &&
    Object.getPrototypeOf(parameters) === Object.prototype;
  return isPlain ? { ...parameters } : parameters;
}
