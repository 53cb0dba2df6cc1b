import assert from "node:assert/strict";
import {
  GuestTrapError,
  MissingExportError,
  ResourceClosedError,
  UnsupportedGuestError,
} from "../../src/errors.ts";
import { type HostCall, suspending } from "../../src/engine/host_function.ts";
import { StackBudget } from "../../src/engine/stack_budget.ts";
import { Gates } from "../support/gate.ts";
import { C_RUNTIME, openGuest } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";

/**
 * `outer(n)` keeps a frame while the host function `env.host(n)` runs, which calls back `inner`
 * or, by index 1 of the table, `double`. `inner(n)` keeps one while `env.wait(n)` runs.
 */
const CALLBACK_GUEST = `(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (import "env" "wait" (func $wait (param i32) (result i32)))
  ${C_RUNTIME}
  (table (export "table") 3 funcref)
  (elem (i32.const 1) $double $inner)
  (func $double (param $value i32) (result i32)
    (i32.mul (local.get $value) (i32.const 2)))
  (func $framed (param $value i32) (param $way i32) (result i32)
    (local $at i32) (local $result i32)
    (local.set $at (call $push (i32.const 64)))
    (i32.store (local.get $at) (local.get $value))
    (i32.store offset=60 (local.get $at) (local.get $value))
    (if (local.get $way)
      (then (local.set $result (call $host (local.get $value))))
      (else (local.set $result (call $wait (local.get $value)))))
    (if (i32.or (i32.ne (i32.load (local.get $at)) (local.get $value))
                (i32.ne (i32.load offset=60 (local.get $at)) (local.get $value)))
      (then (local.set $result (i32.const -1000))))
    (if (i32.ne (global.get $sp) (local.get $at))
      (then (local.set $result (i32.const -2000))))
    (call $pop (i32.const 64))
    (local.get $result))
  (func (export "outer") (param i32) (result i32)
    (call $framed (local.get 0) (i32.const 1)))
  (func $inner (export "inner") (param i32) (result i32)
    (call $framed (local.get 0) (i32.const 0)))
  (func (export "twice") (param i32) (result i32)
    (i32.add (call $inner (local.get 0)) (call $inner (local.get 0))))
  (func (export "trap") (unreachable)))`;

type Host = (value: number, call: HostCall) => unknown;

function openCallbacks(
  host: Host,
  concurrency: "exclusive" | "interleaved",
  wait: (value: number) => unknown = (value) => Promise.resolve(value + 1),
  stacks: StackBudget = new StackBudget(),
) {
  return openGuest(CALLBACK_GUEST, {
    env: {
      host: suspending((value, call) => host(value, call)),
      wait: suspending((value) => wait(value)),
    },
  }, { concurrency, onTaint: "allow", stacks });
}

const MODES = ["exclusive", "interleaved"] as const;

for (const mode of MODES) {
  // -- Calling --

  Deno.test(`HostCall.callback() calls by name and by table index (${mode})`, async () => {
    const { run, guest } = await openCallbacks(async (value, call) => {
      const doubled = await call.callback(1, value);
      return await call.callback("inner", doubled) +
        await call.callback(2, doubled);
    }, mode);
    assert.equal(await run("outer", 5), 22);
    assert.equal(await run("sp") % 16, 0);
    assert.equal(guest.running, 0);
  });

  Deno.test(`HostCall.callback() in the part before the first await (${mode})`, async () => {
    const { run } = await openCallbacks(
      (value, call) => call.callback("inner", value),
      mode,
    );
    assert.equal(await run("outer", 5), 6);
  });

  Deno.test(`HostCall.callback() of a callback (${mode})`, async () => {
    const { run, guest, driver, stacks } = await openCallbacks(
      async (value, call) => {
        if (value === 0) return await call.callback("inner", 100);
        if (value % 2 === 0) await Promise.resolve();
        return await call.callback("outer", value - 1);
      },
      mode,
    );
    assert.equal(await run("outer", 2), 101);
    assert.equal(await run("outer", 6), 101);
    await driver.settle();
    assert.equal(stacks.used, 0);
    assert.equal(guest.running, 0);
  });

  Deno.test(`HostCall.callback() while other greenlets want the guest (${mode})`, async () => {
    const gates = new Gates<number>();
    const { run, driver } = await openCallbacks(
      (value, call) => call.callback("inner", value),
      mode,
      () => gates.pass(),
    );
    const calls = [1, 2, 3].map((value) => run("outer", value));
    for (let i = 0; i < 3; i++) {
      await driver.settle();
      gates.open(10, gates.waiting - 1);
    }
    assert.deepEqual(await Promise.all(calls), [10, 10, 10]);
  });

  Deno.test(`Guest.call() within a host function that has called back (${mode})`, async () => {
    const { run, guest } = await openCallbacks(async (value, call) => {
      const first = call.callback("inner", value);
      guest.call("malloc", 16);
      const result = await first;
      guest.call("malloc", 16);
      return result;
    }, mode);
    assert.equal(await run("outer", 5), 6);
  });

  // -- What goes wrong --

  Deno.test(`HostCall.callback() rejects with what the guest's host function threw (${mode})`, async () => {
    const reason = new Error("x");
    const { run } = await openCallbacks(
      async (value, call) => {
        assert.equal(await rejection(call.callback("inner", value)), reason);
        return 3;
      },
      mode,
      () => Promise.reject(reason),
    );
    assert.equal(await run("outer", 5), 3);
    assert.equal(await run("outer", 5), 3);
  });

  Deno.test(`HostCall.callback() that traps rejects, and what is not caught ends the caller (${mode})`, async () => {
    const { run, guest } = await openCallbacks(
      (_, call) => call.callback("trap"),
      mode,
    );
    const error = await rejection(run("outer", 5));
    assert.ok(error instanceof GuestTrapError);
    assert.match(error.message, /'trap'/);
    assert.equal(guest.tainted, error);
  });

  Deno.test(`HostCall.callback() of what is not there (${mode})`, async () => {
    const { run } = await openCallbacks(async (value, call) => {
      for (const target of ["absent", 0, 3, 4_000_000]) {
        const error = await rejection(call.callback(target, value));
        assert.ok(error instanceof MissingExportError, String(target));
      }
      return 1;
    }, mode);
    assert.equal(await run("outer", 5), 1);
  });

  Deno.test(`HostCall.callback() after the call is over is refused (${mode})`, async () => {
    let kept: HostCall | undefined;
    const { run } = await openCallbacks((_, call) => {
      kept = call;
      return Promise.resolve(1);
    }, mode);
    await run("outer", 5);
    assert.equal(kept!.active, false);
    const error = await rejection(kept!.callback("inner", 1));
    assert.ok(error instanceof ResourceClosedError);
    assert.match(error.message, /'inner'.*'env.host' is over/);
  });

  Deno.test(`Guest resumes only after its callback has ended, whatever its host function does (${mode})`, async () => {
    const answers: Record<string, (started: Promise<unknown>) => unknown> = {
      "resolves early": () => Promise.resolve(4),
      "returns early": () => 4,
      "rejects early": () => Promise.reject(new Error("early")),
      "throws early": () => {
        throw new Error("early");
      },
    };
    for (const [name, answer] of Object.entries(answers)) {
      const gates = new Gates<number>();
      const { run, driver, guest } = await openCallbacks(
        (value, call) => answer(call.callback("inner", value)),
        mode,
        () => gates.pass(),
      );
      const caller = run("outer", 5);
      await driver.settle();
      assert.equal(caller.ended, false, name);
      assert.equal(guest.running, 2, name);
      gates.open(1);
      if (name.startsWith("re") && !name.startsWith("rejects")) {
        assert.equal(await caller, 4, name);
      } else {
        const error = await rejection(caller);
        assert.ok(error instanceof Error && error.message === "early", name);
      }
      assert.equal(guest.running, 0, name);
    }
  });

  // -- Kills --

  Deno.test(`Greenlet.kill() of a caller with a running callback ends the callback first (${mode})`, async () => {
    const gates = new Gates<number>();
    const log: string[] = [];
    const { run, driver, guest, stacks } = await openCallbacks(
      async (value, call) => {
        try {
          return await call.callback("inner", value);
        } catch (error) {
          log.push(`callback ended, active ${call.active}`);
          throw error;
        }
      },
      mode,
      () => gates.pass(),
    );
    const caller = run("outer", 5);
    await driver.settle();
    assert.equal(caller.blockedOn, "env.wait");
    await caller.kill();
    assert.equal(caller.state, "killed");
    assert.deepEqual(log, ["callback ended, active true"]);
    await driver.settle();
    assert.equal(guest.running, 0);
    assert.equal(stacks.used, 0);
    assert.equal(driver.timers, 0);
    gates.open(1);
  });

  Deno.test(`Greenlet.kill() in the tick of a callback's answer leaves the caller alone until the callback has ended (${mode})`, async () => {
    const gates = new Gates<number>();
    const log: string[] = [];
    const { run, driver, hub, guest } = await openCallbacks(
      async (value, call) => {
        const error = await rejection(call.callback("twice", value));
        log.push(`callback ended, active ${call.active}, ${guest.running}`);
        throw error;
      },
      mode,
      (value) => {
        log.push(`wait ${value}`);
        return gates.pass();
      },
    );
    const caller = run("outer", 5);
    await driver.settle();
    // The ready queue is not empty, so that the answer is there and the callback not back yet.
    gates.open(1);
    queueMicrotask(() => void caller.kill());
    hub.spawn(() => {});
    await driver.settle();
    assert.equal(caller.state, "killed");
    assert.deepEqual(log, ["wait 5", "callback ended, active true, 1"]);
  });

  Deno.test(`Greenlet.kill() of a caller whose callback is never awaited (${mode})`, async () => {
    const gates = new Gates<number>();
    const { run, driver, guest } = await openCallbacks(
      (value, call) => {
        call.callback("inner", value).catch(() => {});
        return new Promise(() => {});
      },
      mode,
      () => gates.pass(),
    );
    const caller = run("outer", 5);
    await driver.settle();
    void caller.kill(undefined, { grace: 50 });
    await driver.settle();
    driver.advance(50);
    await driver.settle();
    assert.equal(caller.state, "killed");
    assert.equal(guest.running, 0);
  });
}

// -- Modes --

Deno.test("HostCall.callback() twice at once is refused on one stack", async () => {
  const { run } = await openCallbacks(async (value, call) => {
    const first = call.callback("inner", value);
    const error = await rejection(call.callback("inner", value));
    assert.ok(error instanceof UnsupportedGuestError);
    assert.match(error.message, /another callback of 'env.host'/);
    return await first;
  }, "exclusive");
  assert.equal(await run("outer", 5), 6);
});

Deno.test("HostCall.callback() twice at once runs interleaved", async () => {
  const gates = new Gates<number>();
  const { run, driver } = await openCallbacks(
    async (value, call) => {
      const both = [value, value + 1].map((each) =>
        call.callback("inner", each)
      );
      const [first, second] = await Promise.all(both);
      return first - second;
    },
    "interleaved",
    () => gates.pass(),
  );
  const caller = run("outer", 5);
  await driver.settle();
  gates.open(30, 1);
  await driver.settle();
  gates.open(100);
  assert.equal(await caller, 70);
});

Deno.test("HostCall.callback() twice at once in a guest without a shadow stack", async () => {
  const gates = new Gates<number>();
  const { run, driver } = await openGuest(
    `(module
      (import "env" "host" (func $host (result i32)))
      (import "env" "wait" (func $wait (result i32)))
      (func (export "outer") (result i32) (call $host))
      (func (export "inner") (result i32) (call $wait)))`,
    {
      env: {
        host: suspending(async (call) => {
          const [a, b] = await Promise.all([
            call.callback("inner"),
            call.callback("inner"),
          ]);
          return a + b;
        }),
        wait: suspending(() => gates.pass()),
      },
    },
    { concurrency: "interleaved" },
  );
  const caller = run("outer");
  await driver.settle();
  gates.open(1);
  gates.open(2);
  assert.equal(await caller, 3);
});

Deno.test("Greenlet.kill() reaches both of two callbacks at once", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest, hub } = await openCallbacks(
    (value, call) =>
      Promise.allSettled([
        call.callback("inner", value),
        call.callback("inner", value),
      ]).then(() => 1),
    "interleaved",
    () => gates.pass(),
  );
  const caller = run("outer", 5);
  await driver.settle();
  // The inner one has its answer, and has not run on, when the kill comes.
  gates.open(1, 1);
  queueMicrotask(() => void caller.kill(undefined, { grace: 100 }));
  hub.spawn(() => {});
  await driver.settle();
  driver.advance(100);
  await driver.settle();
  assert.equal(caller.ended, true, "a callback was not reached");
  assert.equal(guest.running, 0);
});

Deno.test("HostCall.callback() draws on a reserve of stacks", async () => {
  const stacks = new StackBudget(1);
  for (const mode of MODES) {
    const { run, driver } = await openCallbacks(
      (value, call) =>
        value === 0 ? Promise.resolve(9) : call.callback("outer", value - 1),
      mode,
      undefined,
      stacks,
    );
    assert.equal(await run("outer", 10), 9);
    await driver.settle();
    assert.equal(stacks.used, 0);
  }
});
