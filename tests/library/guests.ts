/** The guests of the library's tests. @module */

import { turn } from "../support/turn.ts";
import { wat } from "../guests/wat.ts";

/** A C-like guest: a shadow stack, an allocator, and calls that block. */
export interface Asker {
  /** Calls `env.ask` with a number that lives on the shadow stack, and adds the answer to it. */
  ask(question: number): number;
  /** Asks twice, and adds both answers. */
  ask_twice(question: number): number;
  /** Adds, and does not block. */
  add(a: number, b: number): number;
  /** Grows the memory by pages; -1 when it cannot. */
  grow(pages: number): number;
  /** Counts its calls: a state of the instance. */
  count(): number;
  /** Traps. */
  trap(): void;
  /** Memory for whoever asks. */
  malloc(size: number): number;
}

const ASKER = `
  (import "env" "ask" (func $import (param i32) (result i32)))
  (memory (export "memory") 2)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (global $heap (mut i32) (i32.const 65536))
  (global $calls (mut i32) (i32.const 0))
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 4)))))
    (local.get $at))
  (func (export "free") (param i32))
  (func $ask (export "ask") (param $question i32) (result i32)
    (local $frame i32) (local $answer i32)
    (local.set $frame (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (global.set $__stack_pointer (local.get $frame))
    (i32.store (local.get $frame) (local.get $question))
    (local.set $answer (call $import (local.get $question)))
    (local.set $answer
      (i32.add (local.get $answer) (i32.load (global.get $__stack_pointer))))
    (global.set $__stack_pointer (i32.add (local.get $frame) (i32.const 16)))
    (local.get $answer))
  (func (export "ask_twice") (param i32) (result i32)
    (i32.add (call $ask (local.get 0)) (call $ask (local.get 0))))
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls))
  (func (export "trap") unreachable)`;

/** The binary of {@linkcode Asker}. */
export const asker: Uint8Array<ArrayBuffer> = wat(`(module ${ASKER})`);

/** The same, and it can catch exceptions, so that a kill does not taint its instance. */
export const catchingAsker: Uint8Array<ArrayBuffer> = wat(
  `(module ${ASKER} (tag $unused))`,
);

/** Blocks as well, but has neither memory nor stack pointer nor allocator. */
export const plain: Uint8Array<ArrayBuffer> = wat(`(module
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (func (export "ask") (param i32) (result i32) (call $ask (local.get 0))))`);

/** Lets the event loop turn, so that finished stacks are given back. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}
