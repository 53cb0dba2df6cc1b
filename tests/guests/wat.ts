/** Assembles the WebAssembly text of test guests. @module */

import wabt from "wabt";

const assembler = await wabt();

const FEATURES = {
  exceptions: true,
  multi_value: true,
  multi_memory: true,
  memory64: true,
  mutable_globals: true,
  reference_types: true,
  bulk_memory: true,
  sign_extension: true,
  sat_float_to_int: true,
  simd: true,
  tail_call: true,
};

/** The binary of a module written as WebAssembly text. */
export function wat(text: string): Uint8Array<ArrayBuffer> {
  const parsed = assembler.parseWat("guest.wat", text, FEATURES);
  try {
    parsed.resolveNames();
    parsed.validate();
    const { buffer } = parsed.toBinary({ write_debug_names: true });
    return new Uint8Array(buffer);
  } finally {
    parsed.destroy();
  }
}
