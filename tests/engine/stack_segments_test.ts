import assert from "node:assert/strict";
import {
  GuestTaintedError,
  GuestTrapError,
  StackOverflowError,
} from "../../src/errors.ts";
import { suspending } from "../../src/engine/host_function.ts";
import { StackSegments } from "../../src/engine/stack_segments.ts";
import { Gates } from "../support/gate.ts";
import { C_RUNTIME, openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";

// -- StackSegments --

function segmentsOf(size: number, first = 16) {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 8 });
  let next = first;
  const freed: number[] = [];
  const segments = new StackSegments(memory, size, {
    allocate: (bytes) => {
      const block = next;
      next += bytes;
      return block;
    },
    free: (address) => void freed.push(address),
  });
  return { memory, segments, freed };
}

Deno.test("StackSegments.acquire() aligns the stack and keeps it inside its block", () => {
  for (const first of [16, 17, 20, 24, 31]) {
    const { segments } = segmentsOf(1_027, first);
    for (let i = 0; i < 3; i++) {
      const { block, base, top } = segments.acquire();
      assert.equal(top % 16, 0);
      assert.equal(base % 16, 0);
      assert.ok(base - 16 >= block);
      assert.ok(top <= block + 1_027);
      assert.ok(top - base >= 1_027 - 16 - 30);
    }
  }
});

Deno.test("StackSegments.intact() sees a write to each byte of the canary, and none above it", () => {
  const { segments, memory } = segmentsOf(1_024);
  const segment = segments.acquire();
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0xff, segment.base, segment.top);
  assert.equal(segments.intact(segment), true);
  for (let at = segment.base - 16; at < segment.base; at++) {
    bytes[at]! ^= 1;
    assert.equal(segments.intact(segment), false);
    bytes[at]! ^= 1;
  }
  assert.equal(segments.intact(segment), true);
});

Deno.test("StackSegments keeps its eyes open when the memory grows", () => {
  const { segments, memory } = segmentsOf(1_024);
  const segment = segments.acquire();
  memory.grow(1);
  assert.equal(segments.intact(segment), true);
  new Uint8Array(memory.buffer)[segment.base - 1] = 0;
  assert.equal(segments.intact(segment), false);
});

Deno.test("StackSegments works in a shared memory that grows", () => {
  const memory = new WebAssembly.Memory({
    initial: 1,
    maximum: 8,
    shared: true,
  });
  const segments = new StackSegments(memory, 65_536, {
    allocate: () => memory.grow(1) * 65_536,
    free: () => {},
  });
  for (let i = 0; i < 3; i++) {
    const segment = segments.acquire();
    assert.equal(segments.intact(segment), true);
  }
});

Deno.test("StackSegments reuses what was released and gives back what is too much", () => {
  const { segments, freed } = segmentsOf(16);
  const taken = Array.from({ length: 300 }, () => segments.acquire());
  assert.equal(segments.allocated, 300);
  for (const segment of taken) segments.release(segment);
  assert.equal(segments.free, 256);
  assert.equal(segments.allocated, 256);
  assert.equal(freed.length, 44);
  const again = segments.acquire();
  assert.ok(taken.includes(again));
  segments.release(again);
  segments.clear();
  assert.equal(segments.allocated, 0);
  assert.equal(freed.length, 300);
  assert.equal(new Set(freed).size, 300);
});

// -- In a guest --

Deno.test("Guest returns segments to the pool when calls end, fail and are killed", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, {
    env: { wait: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", onTaint: "allow" });
  for (let round = 0; round < 5; round++) {
    const calls = [1, 2, 3, 4].map((value) => run("frame", value));
    const trap = run("trap");
    await driver.settle();
    void calls[3]!.kill();
    gates.fail(new Error("x"), 2);
    gates.open(1);
    gates.open(1);
    await driver.settle();
    for (const call of [...calls, trap]) await call.join();
    gates.open(1);
  }
  assert.equal(guest.segments, 5);
  assert.equal(guest.running, 0);
});

Deno.test("Guest frees the segments that are too many on its own stack", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, {
    env: { wait: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", stackSize: 1_024 });
  const calls = Array.from({ length: 300 }, () => run("frame", 1));
  await driver.settle();
  assert.equal(guest.segments, 300);
  while (gates.waiting > 0) gates.open(1);
  await Promise.all(calls);
  assert.equal(guest.segments, 256);
  assert.equal((guest.exports.freed as WebAssembly.Global).value, 44);
  assert.equal(guest.call("sp"), 65_536);
});

Deno.test("Guest whose free() traps loses no outcome and no stack", async () => {
  const gates = new Gates<number>();
  const text = WAITING_GUEST.replace(
    `(func $free (export "free") (param i32)`,
    `(func $free (export "free") (param i32) (unreachable)`,
  );
  const { run, driver, guest, stacks } = await openGuest(text, {
    env: { wait: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", stackSize: 1_024 });
  const calls = Array.from({ length: 300 }, () => run("frame", 1));
  await driver.settle();
  while (gates.waiting > 0) gates.open(1);
  assert.deepEqual(await Promise.all(calls), calls.map(() => 1));
  await driver.settle();
  assert.equal(stacks.used, 0);
  assert.equal(guest.running, 0);
  assert.ok(guest.tainted instanceof GuestTrapError);
});

/** `big` has a frame of so many bytes; `deep` recurses with frames of 64 bytes, then may wait. */
const OVERFLOWING_GUEST = `(module
  (import "env" "wait" (func $wait (result i32)))
  ${C_RUNTIME}
  (func (export "big") (param $size i32) (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (local.get $size)))
    (i32.store (local.get $at) (i32.const 1))
    (local.set $result (call $wait))
    (call $pop (local.get $size))
    (local.get $result))
  (func $deep (export "deep") (param $depth i32) (param $end i32) (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (i32.const 64)))
    (memory.fill (local.get $at) (i32.const 0xee) (i32.const 64))
    (if (local.get $depth)
      (then (local.set $result
        (call $deep (i32.sub (local.get $depth) (i32.const 1)) (local.get $end))))
      (else
        (if (i32.eq (local.get $end) (i32.const 1))
          (then (local.set $result (call $wait))))
        (if (i32.eq (local.get $end) (i32.const 2)) (then unreachable))))
    (call $pop (i32.const 64))
    (local.get $result)))`;

interface Overflow {
  readonly name: string;
  readonly args: readonly number[];
}

const OVERFLOWS: Readonly<Record<string, Overflow>> = {
  "a big frame that jumps over the canary": { name: "big", args: [40_000] },
  "a big frame that ends in the canary": { name: "big", args: [4_084] },
  "a recursion that runs through the canary and waits": {
    name: "deep",
    args: [80, 1],
  },
  "a recursion that runs through the canary and returns": {
    name: "deep",
    args: [80, 0],
  },
  "a recursion that runs through the canary and traps": {
    name: "deep",
    args: [80, 2],
  },
};

for (const [what, { name, args }] of Object.entries(OVERFLOWS)) {
  Deno.test(`Guest with ${what} rejects with a StackOverflowError and is tainted`, async () => {
    const gates = new Gates<number>();
    const { run, driver, guest } = await openGuest(OVERFLOWING_GUEST, {
      env: { wait: suspending(() => gates.pass()) },
    }, { concurrency: "interleaved", stackSize: 4_096 });
    const neighbours = [run("big", 64), run("big", 64)];
    const call = run(name, ...args);
    await driver.settle();
    const error = await rejection(call);
    assert.ok(error instanceof StackOverflowError, String(error));
    assert.match(error.message, new RegExp(`'${name}'.*'stackSize'`));
    assert.equal(guest.tainted, error);
    assert.equal(gates.waiting, 2, "the wait of an overflow must not begin");
    assert.ok(await rejection(run(name, ...args)) instanceof GuestTaintedError);
    gates.open(7);
    gates.open(8);
    assert.deepEqual(await Promise.all(neighbours), [7, 8]);
  });
}

Deno.test("Guest that is unwound after its recursion ran through the canary has overflowed", async () => {
  const { run } = await openGuest(OVERFLOWING_GUEST, {
    env: {
      wait: () => {
        throw new Error("x");
      },
    },
  }, { concurrency: "interleaved", stackSize: 4_096 });
  assert.ok(await rejection(run("deep", 80, 1)) instanceof StackOverflowError);
});

Deno.test("Guest that uses its segment to the last byte has not overflowed", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest } = await openGuest(OVERFLOWING_GUEST, {
    env: { wait: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", stackSize: 4_096 });
  const call = run("big", 4_096 - 16);
  await driver.settle();
  gates.open(3);
  assert.equal(await call, 3);
  const deep = run("deep", 62, 1);
  await driver.settle();
  gates.open(4);
  assert.equal(await deep, 4);
  assert.equal(guest.tainted, undefined);
});

Deno.test("Guests that overflow in one tick are told apart from one that traps", async () => {
  const gates = new Gates<number>();
  const text = OVERFLOWING_GUEST.replace(
    `(func (export "big")`,
    `(func (export "wait trap") (drop (call $wait)) unreachable)
     (func (export "wait big") (result i32)
       (drop (call $wait)) (drop (call $push (i32.const 40000))) (call $wait))
     (func (export "big")`,
  );
  const { run, driver } = await openGuest(text, {
    env: { wait: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", stackSize: 4_096, onTaint: "allow" });
  const names = ["wait trap", "wait big", "wait trap", "wait big"];
  const outcomes = names.map((name) => rejection(run(name)));
  await driver.settle();
  for (const index of [1, 0, 1, 0]) gates.open(0, index);
  const errors = await Promise.all(outcomes);
  assert.deepEqual(
    errors.map((error) => (error as Error).name),
    [
      "GuestTrapError",
      "StackOverflowError",
      "GuestTrapError",
      "StackOverflowError",
    ],
  );
});
