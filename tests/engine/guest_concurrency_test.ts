import assert from "node:assert/strict";
import { ResourceClosedError } from "../../src/errors.ts";
import { Guest } from "../../src/engine/guest.ts";
import {
  polling,
  suspending,
  WOULD_BLOCK,
} from "../../src/engine/host_function.ts";
import { Gates } from "../support/gate.ts";
import { choice, integer, seededRandom } from "../support/random.ts";
import { openGuest, WAITING_GUEST } from "../support/test_guest.ts";
import { microtasks, rejection } from "../support/virtual_hub.ts";

const SEED = Number(Deno.env.get("CONCURRENCY_SEED") ?? 20261126);

function gated(): {
  gates: Gates<number>;
  order: number[];
  imports: { env: { wait: ReturnType<typeof suspending> } };
} {
  const gates = new Gates<number>();
  const order: number[] = [];
  const wait = suspending((value: number) => {
    order.push(value);
    return gates.pass();
  });
  return { gates, order, imports: { env: { wait } } };
}

Deno.test("Guest that is exclusive runs one greenlet at a time, first in, first out", async () => {
  const { gates, order, imports } = gated();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, imports);
  const greenlets = [1, 2, 3, 4].map((value) => run("twice", value));
  for (let i = 0; i < 8; i++) {
    await driver.settle();
    assert.equal(gates.waiting, 1);
    assert.equal(guest.running, 1);
    gates.open(10);
  }
  assert.deepEqual(await Promise.all(greenlets), [20, 20, 20, 20]);
  assert.deepEqual(order, [1, 1, 2, 2, 3, 3, 4, 4]);
});

Deno.test("Guest that is interleaved runs many at once, each on a stack of its own", async () => {
  const { gates, order, imports } = gated();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, imports, {
    concurrency: "interleaved",
  });
  const greenlets = [1, 2, 3, 4].map((value) => run("twice", value));
  await driver.settle();
  assert.deepEqual(order, [1, 2, 3, 4]);
  assert.equal(guest.running, 4);
  assert.equal(guest.segments, 4);
  for (const index of [3, 1, 1, 0]) gates.open(10, index);
  await driver.settle();
  assert.deepEqual(order, [1, 2, 3, 4, 4, 2, 3, 1]);
  for (let i = 0; i < 4; i++) gates.open(5);
  assert.deepEqual(await Promise.all(greenlets), [15, 15, 15, 15]);
  assert.equal(guest.call("sp"), 65_536);
});

Deno.test("Guests that are isolated do not see each other", async () => {
  const { gates, imports } = gated();
  const { module, hub, stacks, driver } = await openGuest(
    WAITING_GUEST,
    imports,
  );
  const guests = [1, 2, 3].map(() =>
    new Guest(hub, module, imports, { stacks })
  );
  const calls = guests.map((guest, i) =>
    hub.spawn((greenlet) => guest.run(greenlet, "frame", [i]))
  );
  await driver.settle();
  assert.equal(gates.waiting, 3);
  for (const index of [1, 1, 0]) gates.open(index, index);
  assert.deepEqual(await Promise.all(calls), [0, 1, 1]);
});

Deno.test("Guest passes its turn on when its greenlet is killed, in the queue and at the head", async () => {
  const { gates, order, imports } = gated();
  const { run, driver } = await openGuest(WAITING_GUEST, imports, {
    onTaint: "allow",
  });
  const [first, second, third] = [1, 2, 3].map((value) => run("frame", value));
  await driver.settle();
  assert.equal(second!.blockedOn, "the guest's turn");
  await second!.kill();
  assert.equal(second!.state, "killed");
  await first!.kill();
  await driver.settle();
  gates.open(0);
  gates.open(30);
  assert.equal(await third, 30);
  assert.deepEqual(order, [1, 3]);
});

Deno.test("Guest.close() wakes those that wait for their turn", async () => {
  const { gates, imports } = gated();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, imports);
  const first = run("frame", 1);
  const queued = [run("frame", 2), run("frame", 3)];
  await driver.settle();
  const reason = new ResourceClosedError("Cannot go on: closed");
  guest.close(reason);
  for (const call of queued) assert.equal(await rejection(call), reason);
  assert.equal(await rejection(run("frame", 4)), reason);
  gates.open(5);
  assert.equal(await first, 5);
});

Deno.test("Guest.close() of an interleaved one refuses new calls and lets running ones end", async () => {
  const { gates, imports } = gated();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, imports, {
    concurrency: "interleaved",
  });
  const first = run("frame", 1);
  await driver.settle();
  const reason = new ResourceClosedError("Cannot go on: closed");
  guest.close(reason);
  assert.equal(await rejection(run("frame", 4)), reason);
  gates.open(5);
  assert.equal(await first, 5);
});

// -- Memory growth --

Deno.test("Guest's memory may grow while greenlets are suspended", async () => {
  const { gates, imports } = gated();
  const { run, driver, guest } = await openGuest(WAITING_GUEST, imports, {
    concurrency: "interleaved",
  });
  const greenlets = [1, 2, 3].map((value) => run("twice", value));
  await driver.settle();
  guest.memory.grow(10);
  guest.call("malloc", 500_000);
  for (let i = 0; i < 3; i++) gates.open(10);
  await driver.settle();
  guest.memory.grow(1);
  for (let i = 0; i < 3; i++) gates.open(10);
  assert.deepEqual(await Promise.all(greenlets), [20, 20, 20]);
});

// -- Polling --

Deno.test("Guest with ready attempts never suspends", async () => {
  let attempts = 0;
  const { run, hub } = await openGuest(WAITING_GUEST, {
    env: {
      wait: polling({
        attempt: () => ++attempts,
        wait: () => Promise.resolve(0),
      }),
    },
  });
  const events: string[] = [];
  hub.observer = (event) => void events.push(event);
  assert.equal(await run("twice", 1), 3);
  assert.deepEqual(events, ["start", "end"]);
});

Deno.test("Guest waits when the attempt would block, and only then", async () => {
  const gates = new Gates<number>();
  let ready = false;
  const { run, driver } = await openGuest(WAITING_GUEST, {
    env: {
      wait: polling({
        attempt: () => ready ? 1 : WOULD_BLOCK,
        wait: () => gates.pass(),
      }),
    },
  });
  const call = run("twice", 1);
  await driver.settle();
  assert.equal(call.blockedOn, "env.wait");
  ready = true;
  gates.open(10);
  assert.equal(await call, 11);
});

const LOOPING_GUEST = `(module
  (import "env" "read" (func $read (result i32)))
  (func (export "loop") (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
      (br_if $again (call $read)))
    (local.get $sum)))`;

Deno.test("Guest whose attempts are always ready gives way when its slice is used up", async () => {
  let left = 1_000_000;
  const { run, driver } = await openGuest(LOOPING_GUEST, {
    env: {
      read: polling({
        attempt: () => {
          driver.compute(0.001);
          return --left > 0 ? 1 : 0;
        },
        wait: () => --left > 0 ? 1 : 0,
      }),
    },
  });
  const call = run("loop");
  for (let slice = 0; slice < 20; slice++) {
    const before = driver.now();
    await microtasks();
    const length = driver.now() - before;
    assert.ok(length > 3 && length < 10, `slice of ${length} ms`);
    assert.equal(driver.pendingHops > 0, true);
    driver.runHops();
  }
  left = 1;
  await driver.settle();
  assert.equal((await call) > 20_000, true);
});

Deno.test("Guests that never wait share the thread fairly", async () => {
  const done = [0, 0, 0];
  let stop = false;
  const { hub, module, stacks, driver } = await openGuest(LOOPING_GUEST, {
    env: { read: () => 0 },
  });
  const calls = done.map((_, i) => {
    const read = () => {
      driver.compute(0.01);
      done[i]! += 1;
      return stop ? 0 : 1;
    };
    const guest = new Guest(hub, module, {
      env: { read: polling({ attempt: read, wait: read }) },
    }, { stacks });
    return hub.spawn((greenlet) => guest.run(greenlet, "loop", []));
  });
  for (let turn = 0; turn < 60; turn++) {
    await microtasks();
    driver.runHops();
  }
  const [most, least] = [Math.max(...done), Math.min(...done)];
  assert.ok(most < 1.5 * least, `calls: ${done}`);
  stop = true;
  await driver.settle();
  await Promise.all(calls);
});

Deno.test("Greenlet.kill() reaches a guest that loops on ready attempts", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const gates = new Gates<number>();
    let first = true;
    const { run, driver, hub } = await openGuest(
      LOOPING_GUEST.replace("(func (export", "(memory 1) (func (export"),
      {
        env: {
          read: polling({
            attempt: () => {
              if (first) return WOULD_BLOCK;
              driver.compute(0.001);
              return 1;
            },
            wait: () => {
              const passing = first;
              first = false;
              return passing ? gates.pass() : 1;
            },
          }),
        },
      },
      { concurrency },
    );
    const call = run("loop");
    await driver.settle();
    gates.open(1);
    hub.spawn(() => void call.kill());
    await driver.settle();
    assert.equal(call.state, "killed");
  }
});

// -- Random interleavings --

Deno.test(`Guest keeps 30 greenlets apart in 100 random interleavings (CONCURRENCY_SEED=${SEED})`, async () => {
  for (let round = 0; round < 100; round++) {
    const seed = SEED + round;
    const random = seededRandom(seed);
    const { gates, imports } = gated();
    const { run, driver, guest } = await openGuest(WAITING_GUEST, imports, {
      concurrency: choice(random, ["exclusive", "interleaved"] as const)!,
      stackSize: 1_024,
    });
    const calls = Array.from({ length: 30 }, (_, i) => run("twice", i));
    while (calls.some((call) => !call.ended)) {
      if (random() < 0.5) await driver.settle();
      else await Promise.resolve();
      const open = integer(random, gates.waiting + 1);
      for (let i = 0; i < open; i++) {
        gates.open(3, integer(random, gates.waiting));
      }
      if (random() < 0.1) guest.call("malloc", 64);
    }
    const results = await Promise.all(calls);
    assert.deepEqual(results, calls.map(() => 6), `CONCURRENCY_SEED=${seed}`);
    assert.equal(guest.call("sp"), 65_536, `CONCURRENCY_SEED=${seed}`);
  }
});
