/** WebAssembly modules for the tests of reader, writer and passes. @module */

import { ByteWriter } from "../../src/engine/binary/byte_writer.ts";
import { wat } from "../guests/wat.ts";

const SQLITE = "npm:@sqlite.org/sqlite-wasm@3.54.1-build1";

/** A frame on a shadow stack, with a call to the host while it is there. */
export const SHADOW_STACK_GUEST = `(module
  (import "host" "observe" (func $observe (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $sp (mut i32) (i32.const 65536))
  (global $calls (export "calls") (mut i32) (i32.const 0))
  (func (export "run") (param $value i32) (result i32)
    (local $frame i32)
    (local.set $frame (i32.sub (global.get $sp) (i32.const 16)))
    (global.set $sp (local.get $frame))
    (i32.store (local.get $frame) (local.get $value))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (drop (call $observe (local.get $frame)))
    (global.set $sp (i32.add (global.get $sp) (i32.const 16)))
    (i32.load (local.get $frame)))
  (func (export "stack") (result i32) (global.get $sp)))`;

const TEXTS: Readonly<Record<string, string>> = {
  "an empty module": "(module)",
  "a shadow stack": SHADOW_STACK_GUEST,
  "imports of every kind": `(module
    (import "a" "function" (func (param i32) (result i32)))
    (import "a" "table" (table 2 9 funcref))
    (import "a" "memory" (memory 1 4))
    (import "a" "constant" (global i32))
    (import "a" "variable" (global (mut i64)))
    (import "a" "tag" (tag (param i32)))
    (global (mut i32) (i32.const 2048))
    (global i32 (global.get 0))
    (export "variable" (global 1)))`,
  "tags and exceptions": `(module
    (tag $failure (export "failure") (param i32 i64))
    (memory 1)
    (global (mut i32) (i32.const 1024))
    (func (export "fail") (throw $failure (i32.const 1) (i64.const 2))))`,
  "tables and elements": `(module
    (table (export "table") 4 funcref)
    (table 1 externref)
    (elem (i32.const 0) $one $two)
    (func $one (result i32) (i32.const 1))
    (func $two (result i32) (i32.const 2))
    (func (export "call") (param i32) (result i32)
      (call_indirect (result i32) (local.get 0))))`,
  "many results": `(module
    (func (export "swap") (param i32 f64) (result f64 i32)
      (local.get 1) (local.get 0)))`,
  "a 64-bit memory": `(module
    (memory (export "memory") i64 1 8)
    (global $__stack_pointer (mut i64) (i64.const 65536))
    (data (i64.const 8) "hello"))`,
  "globals of every type": `(module
    (memory 1 1)
    (global (mut i32) (i32.const 4096))
    (global i64 (i64.const -9223372036854775808))
    (global f32 (f32.const 1.5))
    (global (mut f64) (f64.const -0.1))
    (global v128 (v128.const i32x4 1 2 3 4))
    (global funcref (ref.func $f))
    (global (mut externref) (ref.null extern))
    (func $f))`,
  "a start and data": `(module
    (memory (export "memory") 1)
    (global $calls (export "calls") (mut i32) (i32.const 0))
    (data $passive "later")
    (data (i32.const 0) "now")
    (func $start
      (memory.init $passive (i32.const 16) (i32.const 0) (i32.const 5))
      (global.set $calls (i32.const 1)))
    (start $start))`,
};

/** Modules of each feature that the reader decodes. */
export const CORPUS: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map([
  ...Object.entries(TEXTS).map(([name, text]) => [name, wat(text)] as const),
  ["two memories", twoMemoriesModule()] as const,
  ["types of garbage collection", garbageCollectionModule()] as const,
]);

/** A module of the corpus. */
export function corpusModule(name: string): Uint8Array<ArrayBuffer> {
  const found = CORPUS.get(name);
  if (found === undefined) throw new Error(`There is no module '${name}'`);
  return found;
}

/** A module of these sections: number, then contents. */
export function moduleOf(
  sections: readonly (readonly [number, readonly number[]])[],
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter().bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (const [id, contents] of sections) {
    writer.u8(id).sized((section) => section.bytes(contents));
  }
  return writer.finish();
}

/** The contents of a custom section "name" with names for globals. */
export function globalNames(
  names: readonly (readonly [number, string])[],
): readonly number[] {
  const contents = new ByteWriter().name("name").u8(7).sized((part) => {
    part.u32(names.length);
    for (const [index, name] of names) part.u32(index).name(name);
  });
  return [...contents.finish()];
}

/** SQLite, as published: a large module that Emscripten made. */
export async function sqliteModule(): Promise<Uint8Array<ArrayBuffer>> {
  // Deno gives no path for a file of an npm package, except in this listing.
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-config", `${SQLITE}/sqlite3.wasm`],
  });
  // Fetches the package, which the listing alone does not.
  await import(SQLITE);
  const { stdout } = await command.output();
  const listing: { npmPackages: Record<string, { localPath: string }> } = JSON
    .parse(new TextDecoder().decode(stdout));
  const [found] = Object.values(listing.npmPackages);
  return await Deno.readFile(`${found?.localPath}/dist/sqlite3.wasm`);
}

// The npm package of wabt assembles neither of these.

function twoMemoriesModule(): Uint8Array<ArrayBuffer> {
  return moduleOf([
    [5, [2, 0, 1, 1, 2, 3]],
    [6, [1, 0x7f, 1, 0x41, 0x80, 0x80, 0x04, 0x0b]],
    [7, [1, 6, 0x73, 0x65, 0x63, 0x6f, 0x6e, 0x64, 2, 1]],
    // A data segment for memory 1, at 0.
    [11, [1, 2, 1, 0x41, 0, 0x0b, 2, 0x68, 0x69]],
  ]);
}

function garbageCollectionModule(): Uint8Array<ArrayBuffer> {
  return moduleOf([
    // Type 0: a function. Types 1 and 2: a recursion group. Type 3: an array.
    // Type 4: a function.
    [1, [
      ...[4, 0x60, 0, 0],
      ...[0x4e, 2, 0x50, 0, 0x5f, 2, 0x7f, 1, 0x63, 2],
      ...[0, 0x4f, 1, 1, 0x5f, 3, 0x7f, 1, 0x63, 2, 0, 0x78, 1],
      ...[0x5e, 0x77, 1],
      ...[0x60, 2, 0x64, 0x6c, 0x6e, 1, 0x7f],
    ]],
    [3, [1, 4]],
    // A table with an initialiser, then one without.
    [4, [2, 0x40, 0, 0x64, 0x70, 0, 2, 0xd2, 0, 0x0b, 0x63, 0x70, 0, 1]],
    [5, [1, 0, 1]],
    [6, [
      9,
      ...[0x7f, 1, 0x41, 0x80, 0x10, 0x0b],
      ...[0x63, 1, 0, 0xd0, 1, 0x0b],
      ...[0x64, 1, 0, 0x41, 7, 0xd0, 2, 0xfb, 0, 1, 0x0b],
      ...[0x64, 2, 0, 0xfb, 1, 2, 0x0b],
      ...[0x64, 3, 0, 0x41, 1, 0x41, 2, 0xfb, 8, 3, 2, 0x0b],
      ...[0x64, 0x6c, 0, 0x41, 5, 0xfb, 0x1c, 0x0b],
      ...[0x6f, 0, 0x41, 5, 0xfb, 0x1c, 0xfb, 0x1b, 0x0b],
      // i32.const 1, i32.const 2, i32.add, i32.const 3, i32.mul
      ...[0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x41, 3, 0x6c, 0x0b],
      ...[0x69, 0, 0xd0, 0x69, 0x0b],
    ]],
    [7, [1, 4, 0x74, 0x65, 0x73, 0x74, 0, 0]],
    [10, [1, 4, 0, 0x41, 1, 0x0b]],
  ]);
}
