/** Statements that take effect together. @module */

import {
  GuestArgumentError,
  GuestOutOfMemoryError,
  ResourceClosedError,
} from "../errors.ts";
import { FifoLock } from "../greenlet/fifo_lock.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import { Wait } from "../greenlet/wait.ts";
import type { Connection } from "./connection.ts";
import { RESULT_CODES } from "./result_codes.ts";
import { SqliteError } from "./sqlite_error.ts";
import type {
  ExecuteResult,
  QueryOptions,
  SqliteParameters,
  SqliteRow,
} from "./values.ts";

/**
 * When a transaction takes its locks: `deferred` with its first statements, `immediate` takes the
 * right to write at once, `exclusive` keeps readers out too.
 */
export type TransactionMode = "deferred" | "immediate" | "exclusive";

/** Options of {@linkcode Database.transaction}. */
export interface TransactionOptions {
  /**
   * When it takes its locks. A transaction that reads before it writes should be `immediate`: a
   * `deferred` one fails when another database writes in between.
   *
   * @default {"deferred"}
   */
  readonly mode?: TransactionMode | undefined;
}

/** What happens in a transaction. */
export type TransactionBody<T> = (
  transaction: Transaction,
) => T | PromiseLike<T>;

/** Errors of a single statement, which a body may catch and go on. */
const ORDINARY = [
  SqliteError,
  GuestArgumentError,
  GuestOutOfMemoryError,
  ResourceClosedError,
] as const;

let create: (
  connection: Connection,
  greenlet: Greenlet<unknown>,
) => Transaction;
let finish: (transaction: Transaction, failed: boolean) => Promise<void>;

/**
 * An open transaction, for its body. Its statements run one after the other on the transaction's
 * own greenlet, so that a kill or a timeout of it reaches whichever runs.
 */
export class Transaction {
  static {
    create = (connection, greenlet) => new Transaction(connection, greenlet);
    finish = (transaction, failed) => transaction.#finish(failed);
  }

  readonly #connection: Connection;
  readonly #greenlet: Greenlet<unknown>;
  readonly #lock = new FifoLock("the transaction's turn");
  #idle: (() => void) | undefined = undefined;
  #ended: { readonly reason: unknown } | undefined = undefined;

  private constructor(connection: Connection, greenlet: Greenlet<unknown>) {
    this.#connection = connection;
    this.#greenlet = greenlet;
  }

  /**
   * Runs a statement and reads its rows.
   *
   * @param sql Exactly one statement.
   * @param parameters Its parameters.
   * @param options How rows come.
   * @returns The rows.
   * @throws {SqliteError} When SQLite refuses.
   * @throws {GuestArgumentError} When the parameters do not fit.
   * @throws {ResourceClosedError} When the transaction is over.
   */
  query<Row = SqliteRow>(
    sql: string,
    parameters?: SqliteParameters,
    options: QueryOptions = {},
  ): Promise<Row[]> {
    return this.#use(() =>
      this.#connection.query<Row>(this.#greenlet, sql, parameters, options)
    );
  }

  /**
   * Runs a statement to its end.
   *
   * @param sql Exactly one statement.
   * @param parameters Its parameters.
   * @returns What it changed.
   * @throws {SqliteError} When SQLite refuses.
   * @throws {GuestArgumentError} When the parameters do not fit.
   * @throws {ResourceClosedError} When the transaction is over.
   */
  execute(sql: string, parameters?: SqliteParameters): Promise<ExecuteResult> {
    return this.#use(() =>
      this.#connection.execute(this.#greenlet, sql, parameters)
    );
  }

  async #use<T>(run: () => Promise<T>): Promise<T> {
    try {
      if (!this.#lock.tryAcquire()) await this.#lock.acquire(this.#greenlet);
    } catch (error) {
      throw this.#note(error);
    }
    try {
      this.#requireOpen();
      return await run();
    } catch (error) {
      throw this.#note(error);
    } finally {
      this.#lock.release();
      this.#idle?.();
    }
  }

  /**
   * Notes what ends the transaction even if its body catches it: a kill, a timeout, a guest that
   * trapped; everything but a statement that failed by itself.
   */
  #note(error: unknown): unknown {
    if (!ORDINARY.some((type) => error instanceof type)) {
      this.#ended ??= { reason: error };
    }
    return error;
  }

  /** A statement after an automatic rollback would take effect all by itself. */
  #requireOpen(): void {
    if (this.#ended !== undefined) throw this.#ended.reason;
    if (!this.#connection.autocommit) return;
    throw new SqliteError(
      "Cannot run the statement: the transaction is not open any more, as an earlier statement ended it",
      { code: RESULT_CODES.SQLITE_ABORT_ROLLBACK },
    );
  }

  /** Refuses further statements and waits for the one that runs. */
  async #finish(failed: boolean): Promise<void> {
    this.#lock.close(
      new ResourceClosedError(
        "Cannot run the statement: the transaction is over",
      ),
    );
    if (this.#lock.locked) {
      const idle = new Promise<void>((resolve) => this.#idle = resolve);
      if (failed) this.#connection.interrupt();
      await idle;
    }
    if (!failed && this.#ended !== undefined) throw this.#ended.reason;
  }
}

/**
 * Runs a transaction on a connection that its caller has locked.
 *
 * @param connection The connection.
 * @param greenlet Who runs it.
 * @param body What happens in it.
 * @param mode When it takes its locks.
 * @returns What the body returns, once that is committed. In all other cases it is rolled back.
 */
export async function runTransaction<T>(
  connection: Connection,
  greenlet: Greenlet<unknown>,
  body: TransactionBody<T>,
  mode: TransactionMode,
): Promise<T> {
  // A transaction that somebody began by a statement is not ours to roll back.
  if (!connection.autocommit) {
    throw new SqliteError(
      "Cannot begin a transaction: one is open already, begun by a statement",
      { code: RESULT_CODES.SQLITE_ERROR },
    );
  }
  const transaction = create(connection, greenlet);
  try {
    await connection.execute(greenlet, `BEGIN ${mode}`);
    const value = await runBody(greenlet, body, transaction);
    await finish(transaction, false);
    await connection.execute(greenlet, "COMMIT");
    return value;
  } catch (error) {
    await finish(transaction, true);
    await connection.rollBack();
    throw error;
  }
}

/** Runs the body as a wait of the greenlet: a kill reaches it also between two statements. */
function runBody<T>(
  greenlet: Greenlet<unknown>,
  body: TransactionBody<T>,
  transaction: Transaction,
): Promise<T> {
  const wait = new Wait<T>(greenlet, "the transaction's body");
  if (greenlet.interrupted) greenlet.deliverPending(wait);
  if (!wait.armed) return wait.suspend();
  // An async function, so that a body that throws at once rejects.
  (async () => await body(transaction))().then(
    (value) => wait.settle(value),
    (error: unknown) => wait.fail(error),
  );
  return wait.suspend();
}
