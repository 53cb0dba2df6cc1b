import assert from "node:assert/strict";
import {
  GuestArgumentError,
  InvalidModuleError,
  MissingExportError,
  MissingImportError,
  UnsupportedGuestError,
} from "../../src/errors.ts";
import { Guest } from "../../src/engine/guest.ts";
import { adoptModule, compileGuest } from "../../src/engine/guest_module.ts";
import { polling, suspending, sync } from "../../src/engine/host_function.ts";
import { StackBudget } from "../../src/engine/stack_budget.ts";
import { wat } from "../guests/wat.ts";
import { Gates } from "../support/gate.ts";
import { C_RUNTIME, openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { rejection, virtualHub } from "../support/virtual_hub.ts";

const waitImports = (gates: Gates<number>) => ({
  env: { wait: suspending(() => gates.pass()) },
});

// -- Calls --

Deno.test("Guest.run() resolves with what the guest returns", async () => {
  const gates = new Gates<number>();
  const { run, driver } = await openGuest(WAITING_GUEST, waitImports(gates));
  assert.equal(await run("add", 2, 3), 5);
  const twice = run("twice", 7);
  await driver.settle();
  gates.open(10);
  await driver.settle();
  gates.open(20);
  assert.equal(await twice, 30);
});

Deno.test("Guest.call() calls at once", async () => {
  const { guest } = await openGuest(WAITING_GUEST, waitImports(new Gates()));
  assert.equal(guest.call("add", 2, 3), 5);
  const add = guest.exports.add as (a: number, b: number) => number;
  assert.equal(guest.call(add, 4, 5), 9);
});

Deno.test("Guest.run() gives the instance back when an argument does not convert", async () => {
  const gates = new Gates<number>();
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { run, guest, hub, stacks, driver } = await openGuest(
      WAITING_GUEST,
      waitImports(gates),
      { concurrency },
    );
    const error = await rejection(run("add", Symbol("x"), 1));
    assert.ok(error instanceof GuestArgumentError);
    assert.ok(error.cause instanceof TypeError);
    assert.equal(hub.current, undefined);
    assert.equal(guest.running, 0);
    await driver.settle();
    assert.equal(stacks.used, 0);
    assert.equal(await run("add", 1, 1), 2);
    assert.equal(guest.call("sp"), 65_536);
    assert.equal(guest.tainted, undefined);
  }
});

// -- Names --

Deno.test("Guest lists every import that nobody provides", async () => {
  const opening = openGuest(
    `(module
      (import "env" "there" (func))
      (import "env" "first" (func))
      (import "wasi" "second" (func (param i32)))
      (import "env" "table" (table 1 funcref))
      (import "env" "kind" (memory 1)))`,
    { env: { there: sync(() => {}), kind: sync(() => {}) } },
  );
  const error = await rejection(opening);
  assert.ok(error instanceof MissingImportError);
  assert.equal(
    error.message,
    "Cannot load the guest: nobody provides 'env.first', 'wasi.second', 'env.table', 'env.kind (as a memory)'",
  );
});

Deno.test("Guest never takes an import from Object.prototype", async () => {
  const names = [
    ["constructor", "assign"],
    ["env", "constructor"],
    ["env", "toString"],
    ["env", "__proto__"],
    ["__proto__", "toString"],
    ["__proto__", "invented"],
  ] as const;
  for (const [module, name] of names) {
    const opening = openGuest(
      `(module (import "${module}" "${name}" (func (param externref))))`,
      { env: { unrelated: sync(() => {}) } },
    );
    const error = await rejection(opening);
    assert.ok(error instanceof MissingImportError, `${module}.${name}`);
  }
  assert.equal("invented" in {}, false);
});

Deno.test("Guest imports names that Object.prototype has, when they are provided", async () => {
  const { run } = await openGuest(
    `(module
      (import "constructor" "toString" (func $f (result i32)))
      (func (export "call") (result i32) (call $f)))`,
    { constructor: { toString: () => 7 } },
  );
  assert.equal(await run("call"), 7);
  assert.equal(String(Object), "function Object() { [native code] }");
});

Deno.test("Guest lists the exports that are near a name that is not there", async () => {
  const { guest, run } = await openGuest(
    `(module (memory (export "frams") 1)
      (func (export "frame")) (func (export "frames")) (func (export "other")))`,
  );
  assert.throws(() => guest.call("fram"), (error) => {
    assert.ok(error instanceof MissingExportError);
    assert.match(
      error.message,
      /^Cannot call 'fram': .*near are 'frame', 'frames'$/,
    );
    return true;
  });
  assert.ok(await rejection(run("absent")) instanceof MissingExportError);
});

Deno.test("Guest says that an import does not fit its signature", async () => {
  const opening = openGuest(
    `(module (import "env" "size" (global (mut i64))))`,
    { env: { size: new WebAssembly.Global({ value: "i32" }, 0) } },
  );
  assert.ok(await rejection(opening) instanceof InvalidModuleError);
});

// -- What it cannot do --

Deno.test("Guest without a stack pointer cannot be interleaved, and says why", async () => {
  const text = `(module (memory (export "memory") 1)
    (global (mut i32) (i32.const 17))
    (func (export "malloc") (param i32) (result i32) (i32.const 16))
    (func (export "free") (param i32)))`;
  const error = await rejection(
    openGuest(text, {}, { concurrency: "interleaved" }),
  );
  assert.ok(error instanceof UnsupportedGuestError);
  assert.match(error.message, /no stack pointer was found.*'exclusive'/);
  await openGuest(text);
});

Deno.test("Guest without an allocator cannot be interleaved, and names the option", async () => {
  const text = `(module (memory (export "memory") 1)
    (global $sp (mut i32) (i32.const 65536))
    (func (export "run") (global.set $sp (global.get $sp))))`;
  const error = await rejection(
    openGuest(text, {}, { concurrency: "interleaved" }),
  );
  assert.ok(error instanceof UnsupportedGuestError);
  assert.match(error.message, /exports no allocator.*'allocator'/);
  const named = await rejection(
    openGuest(text, {}, {
      concurrency: "interleaved",
      allocator: { allocate: "take", free: "give" },
    }),
  );
  assert.ok(named instanceof UnsupportedGuestError);
  assert.match(named.message, /'take' and 'give'/);
  const { run } = await openGuest(text, {}, {
    concurrency: "interleaved",
    allocator: "grow",
  });
  await run("run");
});

Deno.test("Guest refuses stack segments of silly sizes", async () => {
  for (const stackSize of [0, 1_023, 2_000.5, NaN, -1]) {
    const opening = openGuest(WAITING_GUEST, waitImports(new Gates()), {
      concurrency: "interleaved",
      stackSize,
    });
    assert.ok(await rejection(opening) instanceof RangeError, `${stackSize}`);
  }
});

Deno.test("Guest that came compiled needs declared signatures", async () => {
  const module = adoptModule(
    new WebAssembly.Module(wat(`(module
      (import "env" "f" (func $f (param i32) (result i32)))
      (func (export "call") (param i32) (result i32) (call $f (local.get 0))))`)),
  );
  const { hub } = virtualHub();
  const type = { params: ["i32"], results: ["i32"] } as const;
  const stacks = new StackBudget();
  assert.throws(
    () =>
      new Guest(hub, module, { env: { f: suspending(() => 1) } }, { stacks }),
    UnsupportedGuestError,
  );
  const f = suspending((value: number) => Promise.resolve(value + 1), { type });
  const guest = new Guest(hub, module, { env: { f } }, { stacks });
  assert.equal(await hub.spawn((g) => guest.run(g, "call", [4])), 5);
});

Deno.test("compileGuest() refuses bytes that are no module", async () => {
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), component]) {
    assert.ok(
      await rejection(compileGuest(bytes)) instanceof InvalidModuleError,
    );
  }
});

// -- Plain calls --

const NESTING_GUEST = `(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (import "env" "wait" (func $wait (param i32) (result i32)))
  ${C_RUNTIME}
  (func (export "nest") (param $value i32) (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (i32.const 64)))
    (i32.store (local.get $at) (local.get $value))
    (i32.store offset=60 (local.get $at) (local.get $value))
    (local.set $result (call $host (local.get $value)))
    (if (i32.or (i32.ne (i32.load (local.get $at)) (local.get $value))
                (i32.ne (i32.load offset=60 (local.get $at)) (local.get $value)))
      (then (local.set $result (i32.const -1))))
    (if (i32.ne (global.get $sp) (local.get $at))
      (then (local.set $result (i32.const -2))))
    (call $pop (i32.const 64))
    (local.get $result))
  (func (export "park") (param $value i32) (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (i32.const 64)))
    (i32.store offset=60 (local.get $at) (local.get $value))
    (local.set $result (call $wait (local.get $value)))
    (if (i32.ne (i32.load offset=60 (local.get $at)) (local.get $value))
      (then (local.set $result (i32.const -1))))
    (call $pop (i32.const 64))
    (local.get $result))
  (func (export "fail") (result i32)
    (drop (call $push (i32.const 1024)))
    (call $host (i32.const 99))))`;

Deno.test("Guest.call() within a plain call keeps the outer one's frames", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { guest, run } = await openGuest(NESTING_GUEST, {
      env: {
        wait: () => 0,
        host: (value: number): number =>
          value === 0 ? 7 : guest.call("nest", value - 1),
      },
    }, { concurrency });
    assert.equal(guest.call("nest", 3), 7, concurrency);
    assert.equal(guest.call("sp"), 65_536);
    assert.equal(await run("nest", 3), 7, concurrency);
    assert.equal(guest.call("sp"), 65_536);
  }
});

Deno.test("Guest.call() from another guest's host function stays off the segments", async () => {
  const gates = new Gates<number>();
  const inner = await openGuest(NESTING_GUEST, {
    env: { wait: suspending(() => gates.pass()), host: () => 5 },
  }, { concurrency: "interleaved", stackSize: 1_024 });
  const { hub } = inner;
  const module = await compileGuest(wat(NESTING_GUEST));
  const outer = new Guest(hub, module, {
    env: { wait: () => 0, host: () => inner.guest.call("nest", 5) },
  }, { concurrency: "interleaved", stacks: inner.stacks });
  // The segment of one that has ended goes to the next one, which parks with a frame in it.
  const first = inner.run("park", 1);
  await inner.driver.settle();
  gates.open(0);
  await first;
  const second = inner.run("park", 2);
  await inner.driver.settle();
  assert.equal(await hub.spawn((g) => outer.run(g, "nest", [8])), 5);
  gates.open(6);
  assert.equal(await second, 6, "its frame was overwritten");
});

Deno.test("Guest.call() after a greenlet has ended stays off its segment", async () => {
  const gates = new Gates<number>();
  const { guest, run, driver, hub } = await openGuest(NESTING_GUEST, {
    env: { wait: suspending(() => gates.pass()), host: () => 5 },
  }, { concurrency: "interleaved" });
  const first = run("park", 1);
  await driver.settle();
  gates.open(0);
  await first;
  assert.equal(hub.current, undefined);
  const second = run("park", 2);
  await driver.settle();
  assert.equal(hub.current, undefined, "nobody runs");
  guest.call("nest", 1);
  gates.open(6);
  assert.equal(await second, 6, "its frame was overwritten");
});

Deno.test("Guest.call() that fails puts the stack pointer back", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { guest } = await openGuest(NESTING_GUEST, {
      env: {
        wait: () => 0,
        host: () => {
          throw new Error("x");
        },
      },
    }, { concurrency, onTaint: "allow" });
    for (let i = 0; i < 3; i++) assert.throws(() => guest.call("fail"), /x/);
    assert.equal(guest.call("sp"), 65_536, concurrency);
  }
});

Deno.test("Guest.run() after an exclusive call that was unwound starts on a whole stack", async () => {
  const { run, guest } = await openGuest(NESTING_GUEST, {
    env: {
      wait: () => 0,
      host: () => {
        throw new Error("x");
      },
    },
  }, { onTaint: "allow" });
  for (let i = 0; i < 3; i++) await run("fail").join();
  assert.equal(await run("sp"), 65_536);
  assert.ok(guest.tainted instanceof Error);
});

Deno.test("Guest.call() makes a ready attempt also when the slice is used up", async () => {
  const { guest, driver } = await openGuest(
    `(module (import "env" "read" (func $read (result i32)))
      (func (export "read") (result i32) (call $read)))`,
    {
      env: {
        read: polling({ attempt: () => 4, wait: () => Promise.resolve(5) }),
      },
    },
  );
  driver.compute(100);
  for (let i = 0; i < 1_000; i++) assert.equal(guest.call("read"), 4);
});

// -- Arguments of host functions --

Deno.test("Host function gets a HostCall only if it declares a parameter for it", async () => {
  const seen: unknown[][] = [];
  // deno-lint-ignore no-explicit-any -- as wide as a host function's own type
  const note = (...args: any[]) => void seen.push(args);
  const text = (arity: number) =>
    `(module (import "env" "f" (func $f ${"(param i32)".repeat(arity)}))
      (func (export "call") (call $f ${"(i32.const 1)".repeat(arity)})))`;
  for (const arity of [1, 7]) {
    const values = Array.from({ length: arity }, () => 1);
    const { run } = await openGuest(text(arity), {
      env: {
        f: suspending((a: number, ...rest: number[]) => note(a, ...rest)),
      },
    });
    await run("call");
    assert.deepEqual(seen.pop(), values);
  }
  const optional = await openGuest(text(1), {
    env: { f: suspending((a: number, unit = "ms") => note(a, unit)) },
  });
  await optional.run("call");
  assert.deepEqual(seen.pop(), [1, "ms"]);
  const declared = await openGuest(text(1), {
    env: { f: suspending((a, call) => note(a, typeof call.callback)) },
  });
  await declared.run("call");
  assert.deepEqual(seen.pop(), [1, "function"]);
});
