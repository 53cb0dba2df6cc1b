import assert from "node:assert/strict";
import {
  GuestOutOfMemoryError,
  GuestTaintedError,
  GuestTrapError,
  InternalError,
  SuspendError,
} from "../../src/errors.ts";
import { Guest } from "../../src/engine/guest.ts";
import { polling, suspending, sync } from "../../src/engine/host_function.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import { Gates } from "../support/gate.ts";
import { C_RUNTIME, openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";

const HOST_GUEST = `(module
  (import "env" "host" (func $host (result i32)))
  ${C_RUNTIME}
  (func $inner (result i32) (i32.add (call $host) (i32.const 1)))
  (func (export "call") (result i32) (call $inner))
  (func $deep (unreachable))
  (func (export "trap") (call $deep))
  (func (export "bounds") (result i32) (i32.load (i32.const -4))))`;

// -- Host exceptions --

Deno.test("Guest.run() rejects with the same object that a host function threw", async () => {
  const reasons = [
    new Error("x"),
    new RangeError("y"),
    { plain: 1 },
    "text",
    0,
    null,
    undefined,
  ];
  for (const reason of reasons) {
    const hosts = {
      sync: sync(() => {
        throw reason;
      }),
      "suspending, at once": suspending(() => {
        throw reason;
      }),
      "suspending, later": suspending(() => Promise.reject(reason)),
      polling: polling({
        attempt: () => {
          throw reason;
        },
        wait: () => 0,
      }),
    };
    for (const [kind, host] of Object.entries(hosts)) {
      for (const concurrency of ["exclusive", "interleaved"] as const) {
        const { run, driver } = await openGuest(HOST_GUEST, { env: { host } }, {
          concurrency,
        });
        const greenlet = run("call");
        assert.equal(await rejection(greenlet), reason, kind);
        assert.equal(greenlet.blockedOn, undefined);
        assert.equal(driver.timers, 0);
      }
    }
  }
});

Deno.test("Guest.call() throws the same object that a host function threw", async () => {
  const reason = { plain: 1 };
  const { guest } = await openGuest(HOST_GUEST, {
    env: {
      host: () => {
        throw reason;
      },
    },
  });
  let caught: unknown;
  try {
    guest.call("call");
  } catch (error) {
    caught = error;
  }
  assert.equal(caught, reason);
});

Deno.test("Guest that was unwound by a host exception is tainted", async () => {
  const reason = new Error("unwound");
  const { run, guest } = await openGuest(HOST_GUEST, {
    env: { host: suspending(() => Promise.reject(reason)) },
  });
  await run("call").join();
  assert.equal(guest.tainted, reason);
  const error = await rejection(run("sp"));
  assert.ok(error instanceof GuestTaintedError);
  assert.equal(error.cause, reason);
  assert.match(
    error.message,
    /^Cannot call 'sp': .*\(unwound\); load it again/,
  );
});

Deno.test("Guest with exception handling is not tainted by an unwinding", async () => {
  const text = HOST_GUEST.replace("(memory", "(tag (param i32)) (memory");
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { run, guest } = await openGuest(text, {
      env: { host: suspending(() => Promise.reject(new Error("x"))) },
    }, { concurrency });
    for (let i = 0; i < 3; i++) await run("call").join();
    assert.equal(guest.tainted, undefined);
    assert.equal(await run("sp") > 65_000, true);
  }
});

// -- Traps --

Deno.test("Guest.run() rejects with a GuestTrapError that has the guest's frames", async () => {
  const { run, guest } = await openGuest(HOST_GUEST, {
    env: { host: () => 1 },
  });
  const error = await rejection(run("trap"));
  assert.ok(error instanceof GuestTrapError);
  assert.equal(error.message, "The guest trapped in 'trap': unreachable");
  assert.ok(error.cause instanceof WebAssembly.RuntimeError);
  assert.match(error.stack!, /^GuestTrapError: The guest trapped in 'trap'/);
  assert.match(error.stack!, /deep/);
  assert.match(error.stack!, /wasm/);
  assert.equal(guest.tainted, error);
});

Deno.test("Guest that trapped refuses new calls, also callers in the queue", async () => {
  const gates = new Gates<number>();
  const { run, driver } = await openGuest(
    WAITING_GUEST.replace(
      `(func (export "trap")`,
      `(func (export "wait trap")
      (drop (call $wait (i32.const 1))) unreachable)
      (func (export "trap")`,
    ),
    { env: { wait: suspending(() => gates.pass()) } },
  );
  const traps = run("wait trap");
  const queued = [run("add", 1, 2), run("add", 3, 4)];
  await driver.settle();
  gates.open(0);
  const trap = await rejection(traps);
  assert.ok(trap instanceof GuestTrapError);
  for (const call of [...queued, run("add", 1, 2)]) {
    const error = await rejection(call);
    assert.ok(error instanceof GuestTaintedError);
    assert.equal(error.cause, trap);
  }
});

Deno.test("Guest that trapped runs on when told so", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { run, guest } = await openGuest(HOST_GUEST, {
      env: { host: () => 1 },
    }, {
      onTaint: "allow",
      concurrency,
    });
    assert.ok(await rejection(run("bounds")) instanceof GuestTrapError);
    assert.ok(guest.tainted instanceof GuestTrapError);
    assert.equal(await run("call"), 2);
    assert.equal(guest.call("call"), 2);
  }
});

Deno.test("Guest.call() that traps throws a GuestTrapError and taints", async () => {
  const { guest, run } = await openGuest(HOST_GUEST, {
    env: { host: () => 1 },
  });
  assert.throws(() => guest.call("trap"), GuestTrapError);
  assert.ok(await rejection(run("call")) instanceof GuestTaintedError);
});

Deno.test("Guest that recurses without end traps, and does not end the process", async () => {
  const { run, guest } = await openGuest(`(module
    (func $f (export "f") (result i32) (i32.add (call $f) (i32.const 1))))`);
  assert.ok(await rejection(run("f")) instanceof GuestTrapError);
  assert.ok(guest.tainted instanceof GuestTrapError);
});

// -- Kinds --

Deno.test("Host function that is sync and returns a promise is named", async () => {
  const { run, guest } = await openGuest(HOST_GUEST, {
    env: { host: sync(() => Promise.resolve(1)) },
  });
  for (
    const error of [
      await rejection(run("call")),
      await rejection(Promise.resolve().then(() => guest.call("call"))),
    ]
  ) {
    assert.ok(error instanceof InternalError);
    assert.match(error.message, /'env.host'.*declare it 'suspending'/);
  }
});

// -- Suspending where it cannot be --

Deno.test("Guest whose start function would block names the host function", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    let called = false;
    const opening = openGuest(
      `(module (import "env" "block" (func $block))
        ${C_RUNTIME} (func $start (call $block)) (start $start))`,
      { env: { block: suspending(() => void (called = true)) } },
      { concurrency },
    );
    const error = await rejection(opening);
    assert.ok(error instanceof SuspendError, String(error));
    assert.match(error.message, /'env.block'.*start function/);
    assert.equal(called, false);
  }
});

Deno.test("Guest.call() of what would block names the host function and does not call it", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    let called = false;
    const { guest, run } = await openGuest(HOST_GUEST, {
      env: { host: suspending(() => void (called = true)) },
    }, { concurrency, onTaint: "allow" });
    assert.throws(() => guest.call("call"), (error) => {
      assert.ok(error instanceof SuspendError);
      assert.match(error.message, /'env.host'.*plain call/);
      return true;
    });
    assert.equal(called, false);
    assert.equal(await run("sp") > 0, true);
  }
});

Deno.test("Guest.call() while another greenlet waits is refused, and disturbs nobody", async () => {
  const gates = new Gates<number>();
  const { guest, run, driver, hub } = await openGuest(HOST_GUEST, {
    env: { host: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", onTaint: "allow" });
  const waiting = run("call");
  await driver.settle();
  assert.throws(() => guest.call("call"), SuspendError);
  assert.equal(gates.waiting, 1);
  assert.equal(waiting.blockedOn, "env.host");
  assert.equal(hub.current, undefined);
  gates.open(4);
  assert.equal(await waiting, 5);
});

const BETWEEN_GUEST = `(module
  (import "env" "between" (func $between (result i32)))
  (import "env" "host" (func $host (result i32)))
  (tag (param i32))
  ${C_RUNTIME}
  (func (export "outer") (result i32)
    (i32.add (call $between) (call $host)))
  (func (export "inner") (result i32) (call $host)))`;

Deno.test("Guest with a JavaScript frame between its functions names the import that would block", async () => {
  const { run, hub, driver, guest } = await openGuest(BETWEEN_GUEST, {
    env: {
      between: (): number => (guest.exports.inner as () => number)(),
      host: suspending(() => Promise.resolve(1)),
    },
  });
  const greenlet = run("outer");
  const error = await rejection(greenlet);
  assert.ok(error instanceof SuspendError);
  assert.match(
    error.message,
    /^Cannot suspend 'outer' in host function 'env.host': a JavaScript frame/,
  );
  assert.equal(greenlet.blockedOn, undefined);
  assert.equal(hub.current, undefined);
  await driver.settle();
});

Deno.test("Guest that goes on after a refused suspension can wait and be killed", async () => {
  const gates = new Gates<number>();
  for (const how of ["answer", "kill"] as const) {
    const { run, driver, guest } = await openGuest(BETWEEN_GUEST, {
      env: {
        between: (): number => {
          try {
            return (guest.exports.inner as () => number)();
          } catch {
            return 100;
          }
        },
        host: suspending(() => gates.pass()),
      },
    });
    const greenlet = run("outer");
    await driver.settle();
    // The runtime refuses before it calls the host function.
    assert.equal(gates.waiting, 1);
    assert.equal(greenlet.blockedOn, "env.host");
    if (how === "answer") {
      gates.open(1);
      assert.equal(await greenlet, 101);
    } else {
      await greenlet.kill();
      assert.equal(greenlet.state, "killed");
      gates.open(1);
    }
    assert.equal(greenlet.blockedOn, undefined);
  }
});

Deno.test("Guest made within a host function of another one is no part of it", async () => {
  const { run, hub, module, stacks, driver } = await openGuest(HOST_GUEST, {
    env: {
      host: () => {
        const inner = new Guest(hub, starting, {
          env: { block: suspending(() => Promise.resolve()) },
        }, { stacks });
        return inner.running;
      },
    },
  });
  const { compileGuest } = await import("../../src/engine/guest_module.ts");
  const { wat } = await import("../guests/wat.ts");
  const starting = await compileGuest(wat(`(module
    (import "env" "block" (func $block)) (start $start)
    (func $start (call $block)))`));
  assert.ok(module.module instanceof WebAssembly.Module);
  const error = await rejection(run("call"));
  assert.ok(error instanceof SuspendError);
  assert.match(error.message, /start function/);
  await driver.settle();
});

// -- Memory --

Deno.test("Guest without memory for a segment says so, and runs on", async () => {
  let room = true;
  const gates = new Gates<number>();
  const text = WAITING_GUEST.replace(
    `(func $malloc (export "malloc")`,
    `(func (export "malloc") (param $size i32) (result i32)
      (if (result i32) (call $wait (i32.const -1))
        (then (call $malloc (local.get $size))) (else (i32.const 0))))
    (func $malloc`,
  );
  const { run, guest, stacks, driver } = await openGuest(text, {
    env: {
      wait: polling({
        attempt: (value: number) => value === -1 ? (room ? 1 : 0) : 3,
        wait: () => gates.pass(),
      }),
    },
  }, { concurrency: "interleaved" });
  room = false;
  const error = await rejection(run("frame", 1));
  assert.ok(error instanceof GuestOutOfMemoryError);
  assert.match(error.message, /65536 bytes/);
  await driver.settle();
  assert.equal(stacks.used, 0);
  assert.equal(guest.running, 0);
  room = true;
  assert.equal(await run("frame", 1), 3);
});

Deno.test("Guest whose allocator traps gives everything back", async () => {
  const text = WAITING_GUEST.replace(
    `(func $malloc (export "malloc") (param $size i32) (result i32)`,
    `(func $malloc (export "malloc") (param $size i32) (result i32)
      (if (call $wait (i32.const -1)) (then unreachable))`,
  ).replace(/\(local \$block i32\)/, "").replaceAll("$block", "$size");
  const { run, stacks, driver, hub } = await openGuest(text, {
    env: { wait: () => 1 },
  }, { concurrency: "interleaved" });
  assert.ok(await rejection(run("frame", 1)) instanceof GuestTrapError);
  await driver.settle();
  assert.equal(stacks.used, 0);
  assert.equal(hub.live, 0);
  await hub.spawn((greenlet) => sleepIn(greenlet, 0));
});
