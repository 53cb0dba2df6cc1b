/** Small WebAssembly modules, generated at run time. @module */

import { ByteWriter } from "../binary/byte_writer.ts";
import type { HostFunctionType, HostValueType } from "../host_function.ts";
import type { FunctionBody } from "./function_body.ts";
import { TYPE_CODE } from "./opcode.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  export: 7,
  code: 10,
};
const KIND = { function: 0, table: 1, memory: 2, global: 3 };

interface DefinedFunction {
  readonly type: number;
  readonly body: FunctionBody;
}

/**
 * Collects a module's parts and encodes them. Imports come first: a function's index is its place
 * among the imported functions, then among the defined ones.
 */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #typeCodes: Uint8Array[] = [];
  readonly #imports = new ByteWriter();
  readonly #exports = new ByteWriter();
  readonly #functions: DefinedFunction[] = [];
  #importCount = 0;
  #exportCount = 0;
  #functionImports = 0;
  #globalImports = 0;
  #memoryImports = 0;
  #memoryPages: number | undefined = undefined;

  /** The index of a function type, added when new. */
  type(type: HostFunctionType): number {
    const key = `${type.params.join()}:${type.results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const code = new ByteWriter().u8(0x60);
    for (const list of [type.params, type.results]) {
      code.u32(list.length);
      for (const value of list) code.u8(TYPE_CODE[value]);
    }
    this.#typeCodes.push(code.finish());
    return this.#types.push(key) - 1;
  }

  /** Imports a function. @returns Its index. */
  importFunction(module: string, name: string, type: HostFunctionType): number {
    const index = this.type(type);
    this.#import(module, name).u8(KIND.function).u32(index);
    return this.#functionImports++;
  }

  /** Imports a memory of any size. @returns Its index. */
  importMemory(module: string, name: string): number {
    this.#import(module, name).u8(KIND.memory).u8(0).u32(0);
    return this.#memoryImports++;
  }

  /** Imports the one table, of functions. */
  importTable(module: string, name: string): void {
    this.#import(module, name).u8(KIND.table)
      .u8(TYPE_CODE.funcref).u8(0).u32(0);
  }

  /** Imports a mutable global. @returns Its index. */
  importGlobal(module: string, name: string, type: HostValueType): number {
    this.#import(module, name).u8(KIND.global).u8(TYPE_CODE[type]).u8(1);
    return this.#globalImports++;
  }

  /** Defines a memory, after the imported ones, and exports it. @returns Its index. */
  defineMemory(name: string, pages: number): number {
    this.#memoryPages = pages;
    this.#export(name).u8(KIND.memory).u32(this.#memoryImports);
    return this.#memoryImports;
  }

  /**
   * Defines a function and exports it. All imports must have been made.
   *
   * @returns Its index.
   */
  defineFunction(
    name: string,
    type: HostFunctionType,
    body: FunctionBody,
  ): number {
    const index = this.#functionImports + this.#functions.length;
    this.#functions.push({ type: this.type(type), body });
    this.#export(name).u8(KIND.function).u32(index);
    return index;
  }

  /** The module's bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter().bytes(HEADER);
    section(out, SECTION.type, this.#typeCodes.length, (w) => {
      for (const code of this.#typeCodes) w.bytes(code);
    });
    section(out, SECTION.import, this.#importCount, (w) => {
      w.bytes(this.#imports.finish());
    });
    section(out, SECTION.function, this.#functions.length, (w) => {
      for (const { type } of this.#functions) w.u32(type);
    });
    const pages = this.#memoryPages;
    if (pages !== undefined) {
      section(out, SECTION.memory, 1, (w) => w.u8(0).u32(pages));
    }
    section(out, SECTION.export, this.#exportCount, (w) => {
      w.bytes(this.#exports.finish());
    });
    section(out, SECTION.code, this.#functions.length, (w) => {
      for (const { body } of this.#functions) {
        w.sized((inner) => inner.bytes(body.finish()));
      }
    });
    return out.finish();
  }

  #import(module: string, name: string): ByteWriter {
    this.#importCount += 1;
    return this.#imports.name(module).name(name);
  }

  #export(name: string): ByteWriter {
    this.#exportCount += 1;
    return this.#exports.name(name);
  }
}

function section(
  out: ByteWriter,
  id: number,
  count: number,
  write: (writer: ByteWriter) => void,
): void {
  if (count === 0) return;
  out.u8(id).sized((writer) => {
    writer.u32(count);
    write(writer);
  });
}
