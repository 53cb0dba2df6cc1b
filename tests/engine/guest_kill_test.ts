import assert from "node:assert/strict";
import { GreenletKilledError, GuestTaintedError } from "../../src/errors.ts";
import {
  polling,
  suspending,
  WOULD_BLOCK,
} from "../../src/engine/host_function.ts";
import { Gates } from "../support/gate.ts";
import { openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { rejection } from "../support/virtual_hub.ts";
import {
  ECANCELED,
  openWork,
  soft,
  WORKING_GUEST,
} from "../support/working_guest.ts";

// -- Mode throw --

Deno.test("Greenlet.kill() in mode throw unwinds the guest at its wait", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const gates = new Gates<number>();
    const { run, driver, guest } = await openGuest(WAITING_GUEST, {
      env: { wait: suspending(() => gates.pass()) },
    }, { concurrency });
    const call = run("twice", 1);
    await driver.settle();
    await call.kill("enough");
    const error = await rejection(call);
    assert.ok(error instanceof GreenletKilledError);
    assert.equal(error.cause, "enough");
    assert.equal(guest.tainted, error, "it cannot have cleaned up");
    assert.equal(guest.running, 0);
    assert.ok(await rejection(run("add", 1, 1)) instanceof GuestTaintedError);
    gates.open(1);
    await driver.settle();
    assert.equal(driver.timers, 0);
  }
});

Deno.test("Greenlet.kill() in mode throw aborts the signal of the host function", async () => {
  const { run, driver, signals } = await openWork({}, { killMode: "throw" });
  const call = run("work", 3);
  await driver.settle();
  assert.equal(signals[0]!.aborted, false);
  await call.kill("enough");
  assert.equal(signals[0]!.aborted, true);
  assert.ok(signals[0]!.reason instanceof GreenletKilledError);
});

Deno.test("Greenlet.kill() in mode throw lets work that must end run to its end", async () => {
  const { run, driver, gates, guest } = await openWork(
    { onInterrupt: "finish" },
    { killMode: "throw" },
  );
  const call = run("work", 3);
  await driver.settle();
  void call.kill();
  await driver.settle();
  assert.equal(call.ended, false);
  gates.open(1);
  await driver.settle();
  assert.equal(call.state, "killed");
  assert.equal(gates.waiting, 0);
  assert.ok(guest.tainted instanceof GreenletKilledError);
});

Deno.test("Greenlet.kill() in mode throw gives up on work that must end after the grace time", async () => {
  const { run, driver } = await openWork(
    { onInterrupt: "finish" },
    { killMode: "throw" },
  );
  const call = run("work", 3);
  await driver.settle();
  void call.kill(undefined, { grace: 100 });
  driver.advance(100);
  await driver.settle();
  assert.equal(call.state, "killed");
});

/** A guest that catches everything around its call, then calls again. */
const STUBBORN_GUEST = `(module
  (import "env" "call" (func $call (result i32)))
  (tag (param i32))
  (global $caught (export "caught") (mut i32) (i32.const 0))
  (memory (export "memory") 4)
  (func (export "work") (result i32)
    (loop $again
      (try
        (do (drop (call $call)))
        (catch_all
          (global.set $caught (i32.add (global.get $caught) (i32.const 1)))))
      (br $again))
    (unreachable))
  (func (export "polite") (result i32)
    (try (result i32)
      (do (call $call))
      (catch_all (i32.const 7))))
  (func (export "add") (param i32) (result i32) (local.get 0)))`;

Deno.test("Guest that catches its kill and blocks again is trapped, and rejects with the kill", async () => {
  for (const kind of ["suspending", "polling"] as const) {
    const gates = new Gates<number>();
    const wait = () => gates.pass();
    const { run, driver, guest } = await openGuest(STUBBORN_GUEST, {
      env: {
        call: kind === "suspending"
          ? suspending(wait)
          : polling({ attempt: () => WOULD_BLOCK, wait }),
      },
    });
    const call = run("work");
    await driver.settle();
    await call.kill("enough");
    const error = await rejection(call);
    assert.ok(error instanceof GreenletKilledError, String(error));
    assert.equal(error.cause, "enough");
    assert.equal((guest.exports.caught as WebAssembly.Global).value, 1);
    assert.equal(guest.tainted, error);
  }
});

Deno.test("Guest that catches its kill and returns rejects with the kill, and is not tainted", async () => {
  const gates = new Gates<number>();
  const { run, driver, guest } = await openGuest(STUBBORN_GUEST, {
    env: { call: suspending(() => gates.pass()) },
  });
  const call = run("polite");
  await driver.settle();
  await call.kill();
  assert.equal(call.state, "killed");
  assert.equal(guest.tainted, undefined);
  assert.equal(await run("add", 3), 3);
});

// -- Mode errno --

Deno.test("Greenlet.kill() in mode errno fails the one call and lets the guest clean up", async () => {
  const { run, driver, gates, notes, guest, signals } = await openWork(soft);
  const call = run("work", 3);
  await driver.settle();
  const killing = call.kill("enough");
  await driver.settle();
  assert.deepEqual(notes, [ECANCELED]);
  assert.equal(signals[0]!.aborted, true);
  assert.equal(signals[1]!.aborted, false);
  gates.open(99);
  await driver.settle();
  gates.open(2);
  await driver.settle();
  gates.open(3);
  await killing;
  assert.deepEqual(
    notes,
    [ECANCELED, 2, 3],
    "the abandoned answer means nothing",
  );
  assert.equal(call.state, "killed");
  assert.equal(guest.tainted, undefined);
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() in mode errno throws after the grace time", async () => {
  const { run, driver, notes, guest } = await openWork(soft);
  const call = run("work", 3);
  await driver.settle();
  void call.kill(undefined, { grace: 100 });
  await driver.settle();
  assert.deepEqual(notes, [ECANCELED]);
  driver.advance(100);
  await driver.settle();
  assert.equal(call.state, "killed");
  assert.deepEqual(notes, [ECANCELED]);
  assert.ok(guest.tainted instanceof GreenletKilledError);
});

Deno.test("Greenlet.kill() in mode errno with no grace throws at the next call", async () => {
  const { run, driver, notes } = await openWork(soft);
  const call = run("work", 3);
  await driver.settle();
  await call.kill(undefined, { grace: 0 });
  assert.equal(call.state, "killed");
  assert.deepEqual(notes, [ECANCELED]);
  assert.equal(driver.timers, 0);
});

Deno.test("Greenlet.kill() in mode errno waits for work that must end, then fails it", async () => {
  const { run, driver, gates, notes } = await openWork({
    ...soft,
    onInterrupt: "finish",
  });
  const call = run("work", 2);
  await driver.settle();
  void call.kill();
  await driver.settle();
  assert.deepEqual(notes, []);
  gates.open(1);
  await driver.settle();
  assert.deepEqual(notes, [ECANCELED]);
  gates.open(2);
  await driver.settle();
  assert.deepEqual(notes, [ECANCELED, 2]);
  assert.equal(call.state, "killed");
});

Deno.test("Greenlet.kill() before the host function begins does not begin it", async () => {
  for (const onInterrupt of ["abandon", "finish"] as const) {
    for (const killMode of ["throw", "errno"] as const) {
      let begun = 0;
      const { run, driver } = await openGuest(WORKING_GUEST, {
        env: {
          call: suspending(() => {
            begun += 1;
            return Promise.resolve(1);
          }, { ...soft, onInterrupt }),
          note: () => {},
        },
      }, { killMode });
      const call = run("work", 1);
      // It starts before its kill is delivered: the kill hits its first wait.
      const killer = call.hub.spawn(() => {});
      call.onEnd(() => {});
      let started = false;
      call.hub.observer = (event, greenlet) => {
        if (event === "start" && greenlet === call && !started) {
          started = true;
          void call.kill();
        }
      };
      await driver.settle();
      await killer;
      assert.equal(begun, 0, `${onInterrupt}, ${killMode}`);
      assert.equal(call.state, "killed");
      assert.equal(driver.timers, 0);
    }
  }
});

Deno.test("Greenlet.kill() in mode errno waits for a call that can fail", async () => {
  const gates = new Gates<number>();
  const notes: number[] = [];
  const calls = {
    hard: suspending(() => gates.pass()),
    soft: suspending(() => gates.pass(), soft),
  };
  const { run, driver } = await openGuest(
    `(module
      (import "env" "hard" (func $hard (result i32)))
      (import "env" "soft" (func $soft (result i32)))
      (import "env" "note" (func $note (param i32)))
      (func (export "work")
        (call $note (call $hard)) (call $note (call $hard))
        (call $note (call $soft)) (call $note (call $hard))))`,
    { env: { ...calls, note: (value: number) => void notes.push(value) } },
    { killMode: "errno" },
  );
  const call = run("work");
  await driver.settle();
  void call.kill();
  await driver.settle();
  assert.deepEqual(notes, []);
  gates.open(1);
  await driver.settle();
  gates.open(2);
  await driver.settle();
  assert.deepEqual(notes, [1, 2, ECANCELED]);
  gates.open(4);
  await driver.settle();
  assert.deepEqual(notes, [1, 2, ECANCELED, 4]);
  assert.equal(call.state, "killed");
});

Deno.test("Greenlet.kill() in the tick of an answer keeps the answer", async () => {
  const { run, driver, gates, notes } = await openWork(soft);
  const call = run("work", 2);
  await driver.settle();
  gates.open(5);
  queueMicrotask(() => queueMicrotask(() => void call.kill()));
  await driver.settle();
  assert.deepEqual(notes[0], 5);
  assert.deepEqual(notes[1], ECANCELED);
  assert.equal(call.state, "killed");
});

Deno.test("Greenlet.kill() ends a call that cannot fail softly when the grace time is over", async () => {
  const { run, driver } = await openWork({}, { killMode: "errno" });
  const call = run("work", 3);
  await driver.settle();
  void call.kill("enough", { grace: 100 });
  await driver.settle();
  driver.advance(99);
  await driver.settle();
  assert.equal(call.ended, false);
  driver.advance(1);
  assert.ok(await rejection(call) instanceof GreenletKilledError);
  assert.equal(driver.timers, 0);
});
