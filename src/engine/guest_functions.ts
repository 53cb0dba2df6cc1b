/** The functions of a guest, by name and by pointer. @module */

import { MissingExportError, UnsupportedGuestError } from "../errors.ts";
import { nearNames } from "./guest_linking.ts";
import {
  promising,
  type PromisingFunction,
  type WasmFunction,
} from "./jspi.ts";

/** A function of the guest that can be suspended. */
export interface Entry {
  /** The export's name, or the function's own. */
  readonly name: string;
  /** Starts it. */
  readonly call: PromisingFunction;
}

/** Finds the functions of an instance, and makes them suspendable once. */
export class GuestFunctions {
  readonly #exports: WebAssembly.Exports;
  readonly #entries = new Map<string | WasmFunction, Entry>();

  /** The functions among an instance's exports, and in its table. */
  constructor(exports: WebAssembly.Exports) {
    this.#exports = exports;
  }

  /**
   * The guest's function table.
   *
   * @throws {UnsupportedGuestError} When it exports none.
   */
  get table(): WebAssembly.Table {
    const table = Object.values(this.#exports).find((value) =>
      value instanceof WebAssembly.Table
    );
    if (table !== undefined) return table;
    throw new UnsupportedGuestError(
      "Cannot use function pointers: the guest exports no table",
    );
  }

  /**
   * An exported function.
   *
   * @throws {MissingExportError} When there is none of that name.
   */
  named(name: string): WasmFunction {
    const found = this.#exports[name];
    if (typeof found === "function") return found as WasmFunction;
    const functions = Object.keys(this.#exports).filter((key) =>
      typeof this.#exports[key] === "function"
    );
    throw new MissingExportError(
      `Cannot call '${name}': ${nearNames(name, functions)}`,
    );
  }

  /**
   * The function behind a pointer.
   *
   * @throws {MissingExportError} When the table has none there.
   */
  pointedTo(pointer: number): WasmFunction {
    const { table } = this;
    const found = pointer < table.length ? table.get(pointer) : undefined;
    if (typeof found === "function") return found as WasmFunction;
    throw new MissingExportError(
      `Cannot call back ${pointer}: the guest's function table has no function there`,
    );
  }

  /**
   * A function as one that can be suspended.
   *
   * @param target The function, or its export's name.
   */
  entry(target: string | WasmFunction): Entry {
    let entry = this.#entries.get(target);
    if (entry === undefined) {
      const called = typeof target === "string" ? this.named(target) : target;
      const name = typeof target === "string" ? target : called.name;
      entry = { name, call: promising(called) };
      this.#entries.set(target, entry);
    }
    return entry;
  }
}
