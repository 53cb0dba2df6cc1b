import assert from "node:assert/strict";
import { GreenletKilledError } from "../../src/errors.ts";
import { Guest } from "../../src/engine/guest.ts";
import {
  compileGuest,
  type GuestModule,
} from "../../src/engine/guest_module.ts";
import { suspending } from "../../src/engine/host_function.ts";
import {
  promising,
  suspendingImport,
  type WasmFunction,
} from "../../src/engine/jspi.ts";
import { SHIM_NAMESPACE } from "../../src/engine/shim.ts";
import { StackBudget } from "../../src/engine/stack_budget.ts";
import {
  segmentSource,
  StackSegments,
} from "../../src/engine/stack_segments.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { wat } from "../guests/wat.ts";
import { Gates } from "../support/gate.ts";
import { integer, type Random, seededRandom } from "../support/random.ts";
import { C_RUNTIME } from "../support/test_guest.ts";
import { microtasks, virtualHub } from "../support/virtual_hub.ts";

const SEED = Number(Deno.env.get("STRESS_SEED") ?? 20261127);
const SCHEDULES = Number(Deno.env.get("STRESS_SCHEDULES") ?? 2_000);
const LARGE_SCHEDULES = Number(Deno.env.get("STRESS_LARGE") ?? 5);

const STACK_SIZE = 1_024;
const MOST_DEPTH = 9;

/**
 * `work(id, depth)`: every call has a frame of 64 bytes with a pattern of its own, waits in
 * `env.wait`, looks whether the frame and the stack pointer are still right, calls itself down to
 * depth 0, waits and looks again. It returns the number of calls; `corrupt` counts what was wrong.
 */
const PATTERN_GUEST = `(module
  (import "env" "wait" (func $wait (param i32 i32)))
  ${C_RUNTIME}
  (global $corrupt (export "corrupt") (mut i32) (i32.const 0))
  (func $pattern (param $id i32) (param $depth i32) (param $at i32) (result i32)
    (i32.add
      (i32.xor (i32.mul (local.get $id) (i32.const 0x9e3779b1))
               (i32.mul (local.get $depth) (i32.const 0x85ebca6b)))
      (local.get $at)))
  (func $check (param $id i32) (param $depth i32) (param $frame i32)
    (local $at i32)
    (if (i32.ne (global.get $sp) (local.get $frame))
      (then (global.set $corrupt (i32.add (global.get $corrupt) (i32.const 1)))))
    (loop $next
      (if (i32.ne (i32.load (i32.add (local.get $frame) (local.get $at)))
                  (call $pattern (local.get $id) (local.get $depth) (local.get $at)))
        (then (global.set $corrupt (i32.add (global.get $corrupt) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 64)))))
  (func $work (export "work") (param $id i32) (param $depth i32) (result i32)
    (local $frame i32) (local $at i32) (local $calls i32)
    (local.set $frame (call $push (i32.const 64)))
    (loop $next
      (i32.store (i32.add (local.get $frame) (local.get $at))
        (call $pattern (local.get $id) (local.get $depth) (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 64))))
    (call $wait (local.get $id) (local.get $depth))
    (call $check (local.get $id) (local.get $depth) (local.get $frame))
    (if (local.get $depth)
      (then
        (local.set $calls
          (call $work (local.get $id) (i32.sub (local.get $depth) (i32.const 1))))
        (call $check (local.get $id) (local.get $depth) (local.get $frame))))
    (call $wait (local.get $id) (local.get $depth))
    (call $check (local.get $id) (local.get $depth) (local.get $frame))
    (call $pop (i32.const 64))
    (i32.add (local.get $calls) (i32.const 1))))`;

const compiled: GuestModule = await compileGuest(wat(PATTERN_GUEST));

interface Plan {
  readonly greenlets: number;
  readonly kills: boolean;
}

// -- The engine --

/** One schedule on the engine: random depths, starts, wakes and kills. Throws on any damage. */
async function runSchedule(
  seed: number,
  { greenlets, kills }: Plan,
): Promise<void> {
  const random = seededRandom(seed);
  const { hub, driver } = virtualHub();
  const stacks = new StackBudget();
  const gates = new Gates<void>();
  const seen = new Map<Greenlet<unknown>, number>();
  const guest = new Guest(hub, compiled, {
    env: {
      wait: suspending((id: number) => {
        assert.equal(seen.get(hub.current!), id, "another greenlet's call");
        return random() < 0.1 ? undefined : gates.pass();
      }, { interrupted: () => {} }),
    },
  }, {
    concurrency: "interleaved",
    stackSize: STACK_SIZE,
    killMode: random() < 0.5 ? "errno" : "throw",
    onTaint: "allow",
    stacks,
  });
  const calls: { greenlet: Greenlet<number>; depth: number }[] = [];
  let ended = 0;
  const start = () => {
    const id = calls.length + 1;
    const depth = integer(random, MOST_DEPTH);
    const greenlet = hub.spawn<number>((greenlet) =>
      guest.run(greenlet, "work", [id, depth])
    );
    seen.set(greenlet, id);
    greenlet.onEnd(() => ended += 1);
    void greenlet.join();
    calls.push({ greenlet, depth });
  };
  const wake = () => {
    if (gates.waiting > 0) {
      gates.open(undefined, integer(random, gates.waiting));
    }
  };
  while (ended < greenlets) {
    const most = Math.ceil(greenlets / 4);
    if (calls.length < greenlets) {
      const starting = Math.min(
        1 + integer(random, most),
        greenlets - calls.length,
      );
      for (let i = 0; i < starting; i++) start();
    }
    // Many in one checkpoint, some of them from within it.
    const waking = integer(random, gates.waiting + 1);
    for (let i = 0; i < waking; i++) {
      if (random() < 0.8) wake();
      else queueMicrotask(wake);
    }
    if (kills && calls.length > 0 && random() < 0.2) {
      void calls[integer(random, calls.length)]!.greenlet.kill();
    }
    if (random() < 0.1) guest.call("malloc", 16);
    if (random() < 0.05) guest.memory.grow(1);
    if (random() < 0.5) await driver.settle();
    else await Promise.resolve();
  }
  for (const { greenlet, depth } of calls) {
    if (greenlet.state === "succeeded") assert.equal(await greenlet, depth + 1);
    else {
      assert.equal(greenlet.state, "killed");
      await assert.rejects(Promise.resolve(greenlet), GreenletKilledError);
    }
  }
  assert.equal((guest.exports.corrupt as WebAssembly.Global).value, 0);
  assert.equal(guest.call("sp"), 65_536);
  assert.equal(guest.running, 0);
  assert.equal(hub.current, undefined);
  while (gates.waiting > 0) wake();
  await driver.settle();
  assert.equal(stacks.used, 0);
  assert.equal(driver.timers, 0);
}

/** Runs a schedule; an error says how to repeat it. */
async function schedule(seed: number, plan: Plan): Promise<void> {
  try {
    await runSchedule(seed, plan);
  } catch (cause) {
    throw new Error(`Failed with STRESS_SEED=${seed} STRESS_SCHEDULES=1`, {
      cause,
    });
  }
}

Deno.test(`Guest keeps its stacks apart in ${SCHEDULES} schedules (STRESS_SEED=${SEED})`, async () => {
  const random = seededRandom(SEED);
  for (let i = 0; i < SCHEDULES; i++) {
    const greenlets = 2 + integer(random, 39);
    await schedule(SEED + i, { greenlets, kills: i % 2 === 1 });
  }
});

Deno.test(`Guest keeps 2,000 stacks apart in ${LARGE_SCHEDULES} schedules (STRESS_SEED=${SEED})`, async () => {
  for (let i = 0; i < LARGE_SCHEDULES; i++) {
    await schedule(SEED + i, { greenlets: 2_000, kills: i % 2 === 1 });
  }
});

// -- What must fail --

type Naive = "no restore" | "restore in a promise callback";

/** The same guest on raw JSPI with segments; says what was damaged. */
async function runNaive(
  variant: Naive,
  random: Random,
): Promise<string | undefined> {
  const pointer = new WebAssembly.Global(
    { value: "i32", mutable: true },
    65_536,
  );
  const gates = new Gates<void>();
  const { exports } = new WebAssembly.Instance(compiled.module, {
    [SHIM_NAMESPACE]: { stack_pointer: pointer },
    env: {
      wait: suspendingImport(() => {
        const saved = pointer.value;
        const passed = gates.pass();
        if (variant === "no restore") return passed;
        return passed.then(() => void (pointer.value = saved));
      }),
    },
  });
  const memory = exports.memory as WebAssembly.Memory;
  const onMainStack = (called: WasmFunction, ...args: number[]): number => {
    const before = pointer.value;
    pointer.value = 65_536;
    const result = called(...args);
    pointer.value = before;
    return result;
  };
  const source = segmentSource(exports, memory, onMainStack, undefined);
  const segments = new StackSegments(memory, STACK_SIZE, source);
  const work = promising(exports.work as WasmFunction);
  const errors: unknown[] = [];
  let running = 0;
  for (let id = 1; id <= 20; id++) {
    running += 1;
    pointer.value = segments.acquire().top;
    const depth = integer(random, MOST_DEPTH);
    work(id, depth).then(
      (calls) => calls === depth + 1 || errors.push(`returned ${calls}`),
      (error: unknown) => errors.push(error),
    ).finally(() => running -= 1);
  }
  while (running > 0) {
    const waking = 1 + integer(random, gates.waiting);
    for (let i = 0; i < waking && gates.waiting > 0; i++) {
      gates.open(undefined, integer(random, gates.waiting));
    }
    await microtasks();
  }
  const corrupt = (exports.corrupt as WebAssembly.Global).value;
  return corrupt > 0 || errors.length > 0
    ? `${corrupt} damaged words, ${errors.length} errors`
    : undefined;
}

for (
  const variant of ["no restore", "restore in a promise callback"] as const
) {
  Deno.test(`The stress sees the damage of '${variant}' (STRESS_SEED=${SEED})`, async () => {
    const random = seededRandom(SEED);
    let damaged = 0;
    for (let i = 0; i < 20; i++) {
      if (await runNaive(variant, random) !== undefined) damaged += 1;
    }
    assert.ok(damaged >= 19, `only ${damaged} of 20 schedules were damaged`);
  });
}
