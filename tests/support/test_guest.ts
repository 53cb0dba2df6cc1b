/** Guests for tests: written as WebAssembly text, on a virtual hub, with stacks of their own. @module */

import { Guest } from "../../src/engine/guest.ts";
import type { HostImports } from "../../src/engine/guest_imports.ts";
import {
  compileGuest,
  type GuestModule,
} from "../../src/engine/guest_module.ts";
import type { GuestOptions } from "../../src/engine/guest_options.ts";
import type { WasmValue } from "../../src/engine/host_function.ts";
import { StackBudget } from "../../src/engine/stack_budget.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import type { Hub } from "../../src/greenlet/hub.ts";
import { wat } from "../guests/wat.ts";
import { type VirtualDriver, virtualHub } from "./virtual_hub.ts";

/** An instance and what is around it. */
export interface TestGuest {
  readonly guest: Guest;
  readonly module: GuestModule;
  readonly hub: Hub;
  readonly driver: VirtualDriver;
  readonly stacks: StackBudget;
  /** Runs an export in a new greenlet. */
  run(name: string, ...args: WasmValue[]): Greenlet<WasmValue>;
}

/** Options of {@linkcode openGuest}. */
export interface TestGuestOptions extends Omit<GuestOptions, "stacks"> {
  readonly stacks?: StackBudget;
}

/** Assembles and instantiates a guest. */
export async function openGuest(
  text: string,
  imports: HostImports = {},
  { stacks = new StackBudget(), ...options }: TestGuestOptions = {},
): Promise<TestGuest> {
  const module = await compileGuest(wat(text));
  const { hub, driver } = virtualHub();
  const guest = new Guest(hub, module, imports, { ...options, stacks });
  const run = (name: string, ...args: WasmValue[]) => {
    const greenlet = hub.spawn<WasmValue>(
      (greenlet) => guest.run(greenlet, name, args),
      { name },
    );
    // A test may look at the outcome late: that is no unhandled rejection.
    void greenlet.join();
    return greenlet;
  };
  return { guest, module, hub, driver, stacks, run };
}

/**
 * What a C compiler would add to a module: a memory, a shadow stack of 64 KiB, an allocator that
 * never reuses (`freed` counts), and the functions `sp`, `push` and `pop` around a frame.
 */
export const C_RUNTIME = `
  (memory (export "memory") 4)
  (global $sp (mut i32) (i32.const 65536))
  (global $heap (mut i32) (i32.const 65536))
  (global $freed (export "freed") (mut i32) (i32.const 0))
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (local $block i32)
    (local.set $block (global.get $heap))
    (global.set $heap (i32.add (local.get $block)
      (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16))))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (if (i32.eq (i32.const -1) (memory.grow (i32.const 8)))
        (then (return (i32.const 0))))))
    (local.get $block))
  (func $free (export "free") (param i32)
    (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
  (func $push (param $size i32) (result i32)
    (global.set $sp (i32.sub (global.get $sp) (local.get $size)))
    (global.get $sp))
  (func $pop (param $size i32)
    (global.set $sp (i32.add (global.get $sp) (local.get $size))))
  (func (export "sp") (result i32) (global.get $sp))`;

/** A guest that imports `env.wait` and calls it with a frame of its own on the shadow stack. */
export const WAITING_GUEST = `(module
  (import "env" "wait" (func $wait (param i32) (result i32)))
  ${C_RUNTIME}
  (func $frame (export "frame") (param $value i32) (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (i32.const 32)))
    (i32.store (local.get $at) (local.get $value))
    (i32.store offset=28 (local.get $at) (local.get $value))
    (local.set $result (call $wait (local.get $value)))
    (if (i32.or (i32.ne (i32.load (local.get $at)) (local.get $value))
                (i32.ne (i32.load offset=28 (local.get $at)) (local.get $value)))
      (then (local.set $result (i32.const -1))))
    (if (i32.ne (global.get $sp) (local.get $at))
      (then (local.set $result (i32.const -2))))
    (call $pop (i32.const 32))
    (local.get $result))
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "twice") (param $value i32) (result i32)
    (i32.add (call $frame (local.get $value)) (call $frame (local.get $value))))
  (func (export "trap") (unreachable)))`;
