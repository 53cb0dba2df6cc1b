/** The body of a generated function. @module */

import { ByteWriter } from "../binary/byte_writer.ts";
import type { HostValueType } from "../host_function.ts";
import { OPCODE, TYPE_CODE } from "./opcode.ts";

/** The name of an instruction without immediates. */
export type PlainInstruction = keyof typeof OPCODE;

/** Writes instructions one after the other; every method returns the body itself. */
export class FunctionBody {
  readonly #code = new ByteWriter();
  readonly #locals: HostValueType[] = [];
  readonly #parameters: number;

  /** A body of a function with so many parameters. */
  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** Declares a local variable. @returns Its index. */
  local(type: HostValueType): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  /** Instructions without immediates. */
  op(...names: PlainInstruction[]): this {
    for (const name of names) this.#code.u8(OPCODE[name]);
    return this;
  }

  /** An instruction with one index: a local, a global, a function, a label. */
  indexed(
    name:
      | "localGet"
      | "localSet"
      | "localTee"
      | "globalGet"
      | "globalSet"
      | "call"
      | "br"
      | "brIf",
    index: number,
  ): this {
    this.#code.u8(OPCODE[name]).u32(index);
    return this;
  }

  /** `local.get` of each. */
  get(...locals: number[]): this {
    for (const index of locals) this.indexed("localGet", index);
    return this;
  }

  /** `local.set`. */
  set(local: number): this {
    return this.indexed("localSet", local);
  }

  /** `call`. */
  call(functionIndex: number): this {
    return this.indexed("call", functionIndex);
  }

  /** `call_indirect` in table 0. */
  callIndirect(typeIndex: number): this {
    this.#code.u8(OPCODE.callIndirect).u32(typeIndex).u32(0);
    return this;
  }

  /** `br_table`. */
  branchTable(labels: readonly number[], otherwise: number): this {
    this.#code.u8(OPCODE.brTable).u32(labels.length);
    for (const label of [...labels, otherwise]) this.#code.u32(label);
    return this;
  }

  /** `i32.const`. */
  constant(value: number): this {
    this.#code.u8(OPCODE.i32Const).s32(value);
    return this;
  }

  /** `i64.const`. */
  constant64(value: bigint): this {
    this.#code.u8(OPCODE.i64Const).s64(value);
    return this;
  }

  /**
   * A load or a store of a memory.
   *
   * @param name The instruction.
   * @param offset In bytes.
   * @param memory The memory's index; others than 0 need the multi-memory feature.
   */
  memory(
    name:
      | "i32Load"
      | "i64Load"
      | "f32Load"
      | "f64Load"
      | "i32Load8U"
      | "i32Store"
      | "i64Store"
      | "f32Store"
      | "f64Store"
      | "i32Store8",
    offset: number,
    memory = 0,
  ): this {
    // Alignment is a hint; bit 6 says that a memory index follows.
    this.#code.u8(OPCODE[name]);
    if (memory === 0) this.#code.u32(0);
    else this.#code.u32(0x40).u32(memory);
    this.#code.u32(offset);
    return this;
  }

  /** `memory.copy` within memory 0: destination, source, length. */
  memoryCopy(): this {
    this.#code.bytes([0xfc, 0x0a, 0x00, 0x00]);
    return this;
  }

  /** `f64.reinterpret_i64` and the like: raw bytes of an instruction not in the table. */
  raw(...bytes: number[]): this {
    this.#code.bytes(bytes);
    return this;
  }

  /** Opens a `block`, `loop` or `if` with at most one result. */
  open(
    name: "block" | "loop" | "if",
    type: keyof typeof TYPE_CODE = "empty",
  ): this {
    this.#code.u8(OPCODE[name]).u8(TYPE_CODE[type]);
    return this;
  }

  /** The bytes, with the locals in front and the final `end`. */
  finish(): Uint8Array<ArrayBuffer> {
    const body = new ByteWriter().u32(this.#locals.length);
    for (const type of this.#locals) body.u32(1).u8(TYPE_CODE[type]);
    return body.bytes(this.#code.finish()).u8(OPCODE.end).finish();
  }
}
