/** The guests that benches run. @module */

import { wat } from "../guests/wat.ts";

/** Pages of a guest's memory that are free for stack segments. */
const SPARE_PAGES = 16_384;

/**
 * A guest with a shadow stack and an allocator that never frees:
 *
 * - `spin(n)` calls the import `env.wait` n times;
 * - `park(key)` calls it once;
 * - `nop(x)` returns x.
 */
export const BENCH_GUEST: Uint8Array<ArrayBuffer> = wat(`(module
  (import "env" "wait" (func $wait (param i32) (result i32)))
  (memory (export "memory") 2 ${SPARE_PAGES + 2})
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (global $heap (mut i32) (i32.const 65536))
  (func (export "malloc") (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 64)))))
    (local.get $at))
  (func (export "free") (param i32))
  (func (export "nop") (param i32) (result i32) (local.get 0))
  (func (export "park") (param i32) (result i32) (call $wait (local.get 0)))
  (func (export "spin") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $wait (i32.const 1))))
      (br_if $next
        (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`);
