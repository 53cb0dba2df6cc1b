/** What SQLite calls back in a long computation and when another database holds a lock. @module */

import {
  type HostCall,
  type HostFunction,
  polling,
  suspending,
} from "../engine/host_function.ts";

/** SQLite's own pauses between two looks at a lock, in milliseconds. */
const PAUSES = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100] as const;
const LONGEST_PAUSE = 100;

/** How a connection waits for the locks of others. */
export interface BusyState {
  /** The database's file, as SQLite names it. */
  readonly file: string;
  /** How long it waits, in milliseconds. */
  readonly timeout: number;
  /** When it gives up. */
  deadline: number;
}

/** The connections that wait for locks, and the host functions that SQLite calls. */
export class Handlers {
  readonly #states = new Map<number, BusyState>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** The host functions, for SQLite's function table. */
  readonly functions: Readonly<Record<"progress" | "busy", HostFunction>> = {
    // Costs tens of nanoseconds each time. Only when the hub's time slice is used up does it
    // wait, and then for nothing but the event loop's next turn.
    progress: polling({
      attempt: () => 0,
      wait: () => Promise.resolve(0),
    }, {
      type: { params: ["i32"], results: ["i32"] },
      // Not zero: SQLite ends the statement with SQLITE_INTERRUPT.
      interrupted: () => 1,
    }),
    busy: suspending(
      (database: number, count: number, call: HostCall) =>
        this.#wait(database, count, call.signal),
      {
        type: { params: ["i32", "i32"], results: ["i32"] },
        // Zero: SQLite waits no longer.
        interrupted: () => 0,
      },
    ),
  };

  /** Adds a connection, known by its `sqlite3`. */
  add(database: number, file: string, timeout: number): void {
    this.#states.set(database, { file, timeout, deadline: 0 });
  }

  /** Removes a connection. */
  remove(database: number): void {
    this.#states.delete(database);
  }

  /** Wakes who waits for a lock on a file, as one may have become free. */
  wake(file: string): void {
    const waiting = this.#waiting.get(file);
    if (waiting !== undefined) { for (const wake of [...waiting]) wake(); }
  }

  /** Tells SQLite whether to look again, after a pause. */
  #wait(
    database: number,
    count: number,
    signal: AbortSignal,
  ): number | Promise<number> {
    const state = this.#states.get(database);
    if (state === undefined) return 0;
    const now = performance.now();
    if (count === 0) state.deadline = now + state.timeout;
    const left = state.deadline - now;
    if (left <= 0) return 0;
    const pause = Math.min(PAUSES[count] ?? LONGEST_PAUSE, left);
    return this.#pause(state.file, pause, signal);
  }

  #pause(file: string, pause: number, signal: AbortSignal): Promise<number> {
    const waiting = this.#waiting.get(file) ?? new Set();
    this.#waiting.set(file, waiting);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(file);
        resolve(1);
      };
      const timer = setTimeout(wake, pause);
      waiting.add(wake);
      if (signal.aborted) wake();
      else signal.addEventListener("abort", wake);
    });
  }
}
