/** A guest that works in steps, each a call that may be killed. @module */

import {
  suspending,
  type SuspendingOptions,
} from "../../src/engine/host_function.ts";
import { Gates } from "./gate.ts";
import {
  C_RUNTIME,
  openGuest,
  type TestGuest,
  type TestGuestOptions,
} from "./test_guest.ts";

/** A guest whose `work` calls `env.call` with 1, 2, … and notes each result with `env.note`. */
export const WORKING_GUEST = `(module
  (import "env" "call" (func $call (param i32) (result i32)))
  (import "env" "note" (func $note (param i32)))
  ${C_RUNTIME}
  (func (export "work") (param $steps i32) (result i32)
    (local $step i32)
    (loop $again
      (local.set $step (i32.add (local.get $step) (i32.const 1)))
      (call $note (call $call (local.get $step)))
      (br_if $again (i32.lt_u (local.get $step) (local.get $steps))))
    (local.get $step)))`;

/** What a call returns that was interrupted. */
export const ECANCELED = -11;

/** An instance that works, and what its calls see. */
export interface Work extends TestGuest {
  readonly gates: Gates<number>;
  readonly notes: number[];
  readonly signals: AbortSignal[];
}

/** Instantiates it; its kills are soft unless told otherwise. */
export async function openWork(
  options: SuspendingOptions,
  guestOptions: TestGuestOptions = {},
): Promise<Work> {
  const gates = new Gates<number>();
  const notes: number[] = [];
  const signals: AbortSignal[] = [];
  const opened = await openGuest(WORKING_GUEST, {
    env: {
      call: suspending((_step, { signal }) => {
        signals.push(signal);
        return gates.pass();
      }, options),
      note: (value: number) => void notes.push(value),
    },
  }, { killMode: "errno", ...guestOptions });
  return { ...opened, gates, notes, signals };
}

/** The options of a call that can fail. */
export const soft: SuspendingOptions = { interrupted: () => ECANCELED };
