/** Opening a database file. @module */

import type { Greenlet } from "../greenlet/greenlet.ts";
import { cleanUp } from "./clean_up.ts";
import { Connection } from "./connection.ts";
import { RESULT_CODES } from "./result_codes.ts";
import { SqliteError } from "./sqlite_error.ts";
import type { SqliteGuest } from "./sqlite_guest.ts";
import { fullPathOf } from "./vfs/path_name.ts";

/** `SQLITE_OPEN_…` and the option to report extended codes from the start. */
const OPEN = { readOnly: 0x1, readWrite: 0x2, create: 0x4, exact: 0x2000000 };

/** `SQLITE_DBCONFIG_ENABLE_FKEY`. */
const ENABLE_FOREIGN_KEYS = 1002;

/**
 * Instructions of SQLite's virtual machine between two looks at the hub's time slice: some tens of
 * microseconds.
 */
const PROGRESS_INTERVAL = 1_000;

const encoder = new TextEncoder();

/** How a connection is opened, all decided. */
export interface ConnectionOptions {
  /** Whether nothing may be written. */
  readonly readOnly: boolean;
  /** Whether a missing file is created. */
  readonly create: boolean;
  /** How long a statement waits for other databases' locks, in milliseconds. */
  readonly timeout: number;
}

/**
 * Opens a connection and looks whether the file is a database.
 *
 * @param greenlet Who opens it.
 * @param sqlite The instance.
 * @param path The path, or `:memory:`.
 * @param options How.
 * @throws {SqliteError} When it cannot be opened; `cause` is the runtime's error.
 */
export async function openConnection(
  greenlet: Greenlet<unknown>,
  sqlite: SqliteGuest,
  path: string,
  options: ConnectionOptions,
): Promise<Connection> {
  const { guest, handlers, handlerPointers } = sqlite;
  const pointer = await openPointer(greenlet, sqlite, path, options);
  const connection = new Connection(sqlite, pointer);
  const { progress, busy } = handlerPointers;
  guest.call("sqlite3__wasm_db_config_ip", pointer, ENABLE_FOREIGN_KEYS, 1, 0);
  sqlite.call("progress_handler", pointer, PROGRESS_INTERVAL, progress, 0);
  try {
    await requireDatabase(greenlet, connection, path);
  } catch (error) {
    await cleanUp(guest.hub, (greenlet) => connection.close(greenlet));
    throw error;
  }
  handlers.add(pointer, connection.file, options.timeout);
  sqlite.call("busy_handler", pointer, busy, pointer);
  return connection;
}

async function openPointer(
  greenlet: Greenlet<unknown>,
  sqlite: SqliteGuest,
  path: string,
  { readOnly, create }: ConnectionOptions,
): Promise<number> {
  const { allocator, memory, guest, vfs } = sqlite;
  const name = encoder.encode(path + "\0");
  const out = allocator.allocate(8 + name.length);
  const known = vfs.lastError();
  const flags = OPEN.exact |
    (readOnly
      ? OPEN.readOnly
      : create
      ? OPEN.readWrite | OPEN.create
      : OPEN.readWrite);
  try {
    memory.writeInt32(out, 0);
    memory.bytes(out + 8, name.length).set(name);
    const code = await guest.run(greenlet, "sqlite3_open_v2", [
      out + 8,
      out,
      flags,
      0,
    ]);
    const pointer = sqlite.readWord(out);
    if (code === RESULT_CODES.SQLITE_OK) return pointer;
    const text = sqlite.call("errmsg", pointer);
    const message = `Cannot open '${path}': ${memory.string(text)}`;
    const { path: fullPath } = await fullPathOf(path);
    const failure = vfs.lastError(fullPath) ?? vfs.lastError(path);
    const isNew = failure !== undefined && failure !== known;
    throw new SqliteError(message, {
      code: isNew ? failure.code : code,
      ...(isNew ? { cause: failure.cause } : {}),
    });
  } catch (error) {
    // SQLite makes a connection to hold the error, also when a kill made the opening fail.
    const pointer = sqlite.readWord(out);
    if (pointer !== 0) {
      await cleanUp(
        guest.hub,
        (greenlet) => guest.run(greenlet, "sqlite3_close_v2", [pointer]),
      );
    }
    throw error;
  } finally {
    allocator.free(out);
  }
}

/** Fails where the file is none of SQLite's, rather than at the first statement. */
async function requireDatabase(
  greenlet: Greenlet<unknown>,
  connection: Connection,
  path: string,
): Promise<void> {
  try {
    await connection.execute(greenlet, "PRAGMA schema_version");
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
    // Another database writes just now. It would not, if this were no database.
    if ((error.code & 0xff) === RESULT_CODES.SQLITE_BUSY) return;
    const message = error.message.replace(
      /^Cannot [^:]*/,
      `Cannot open '${path}'`,
    );
    throw new SqliteError(message, { code: error.code, cause: error.cause });
  }
}
