import assert from "node:assert/strict";
import {
  GreenletKilledError,
  GuestTaintedError,
  GuestTrapError,
  load,
  type LoadOptions,
  polling,
  StackLimitError,
  suspending,
  UnsupportedGuestError,
  WOULD_BLOCK,
} from "../../mod.ts";
import { processStacks } from "../../src/engine/stack_budget.ts";
import { wat } from "../guests/wat.ts";
import { Gate, Gates } from "../support/gate.ts";
import { rejection } from "../support/virtual_hub.ts";
import { type Asker, asker, catchingAsker, turns } from "./guests.ts";
import { until } from "../support/turn.ts";

/** A guest whose questions the test answers. */
async function asking(options: LoadOptions = {}, guest = asker) {
  const gates = new Gates<number>();
  const imports = { env: { ask: suspending(() => gates.pass()) } };
  const library = await load<Asker>(guest, { imports, ...options });
  return { library, gates };
}

// -- Concurrency --

Deno.test("Library runs one call at a time, in order, when exclusive", async () => {
  const { library, gates } = await asking();
  await using _ = library;
  const calls = [1, 2, 3].map((x) => library.exports.ask(x));
  for (const [index, call] of calls.entries()) {
    await turns();
    assert.equal(gates.waiting, 1);
    assert.deepEqual(
      library.stats().blocked.map(({ name, on }) => [name, on]),
      calls.slice(index).map((_, i) => [
        "ask",
        i === 0 ? "env.ask" : "the guest's turn",
      ]),
    );
    gates.open(10 * (index + 1));
    assert.equal(await call, 11 * (index + 1));
  }
});

Deno.test("Library runs calls side by side, each on its own stack, when interleaved", async () => {
  const { library, gates } = await asking({ concurrency: "interleaved" });
  await using _ = library;
  const calls = [1, 2, 3].map((x) => library.exports.ask_twice(x));
  await turns();
  assert.equal(gates.waiting, 3);
  assert.equal(library.stats().segments, 3);
  // The last one first; its second question stands behind the first ones of the others.
  gates.open(300, 2);
  gates.open(200, 1);
  await turns();
  assert.equal(gates.waiting, 3);
  gates.open(30, 1);
  assert.equal(await calls[2], 3 + 300 + 3 + 30);
  gates.open(100, 0);
  await turns();
  gates.open(20, 0);
  gates.open(10, 0);
  assert.deepEqual(await Promise.all(calls), [112, 224, 336]);
  assert.equal(library.stats().segments, 3);
});

Deno.test("Library keeps segments for the next calls when interleaved", async () => {
  const { library, gates } = await asking({ concurrency: "interleaved" });
  await using _ = library;
  for (let round = 0; round < 3; round++) {
    const calls = [1, 2].map((x) => library.exports.ask(x));
    await turns();
    gates.open(0);
    gates.open(0);
    await Promise.all(calls);
  }
  assert.equal(library.stats().segments, 2);
});

Deno.test("Library keeps the instance's state between calls", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { library } = await asking({ concurrency });
    await using _ = library;
    assert.equal(await library.exports.count(), 1);
    assert.equal(await library.exports.count(), 2);
  }
});

Deno.test("Library suspends a polling import only when nothing is ready", async () => {
  const gate = new Gate<number>();
  const ready = [20, WOULD_BLOCK] as const;
  let attempts = 0;
  const ask = polling({
    attempt: () => ready[attempts++],
    wait: () => gate.promise,
  });
  await using library = await load<Asker>(asker, { imports: { env: { ask } } });
  const call = library.exports.ask_twice(1);
  await turns();
  assert.equal(attempts, 2);
  assert.equal(call.blockedOn, "env.ask");
  gate.open(20);
  assert.equal(await call, 42);
});

// -- Types --

Deno.test("Library.exports has the guest's types", async () => {
  const { library } = await asking();
  await using _ = library;
  const sum: number = await library.exports.add(20, 22);
  const same: number = await library.spawn("add", 20, 22);
  assert.deepEqual([sum, same], [42, 42]);
  const unused = () => [
    // @ts-expect-error The argument is a number.
    library.exports.ask("1"),
    // @ts-expect-error There is one argument.
    library.exports.ask(1, 2),
    // @ts-expect-error There is no such function.
    library.exports.answer(),
    // @ts-expect-error There is no such function.
    library.spawn("answer"),
    // @ts-expect-error The arguments are numbers.
    library.spawn("add", "1", "2"),
  ];
  assert.equal(typeof unused, "function");
});

// -- Spawning --

Deno.test("Library.spawn() names the greenlet and only queues it", async () => {
  const { library, gates } = await asking();
  await using _ = library;
  const call = library.spawn("ask", 2);
  assert.equal(call.name, "ask");
  assert.equal(call.state, "queued");
  assert.equal(gates.waiting, 0);
  await turns();
  assert.equal(call.state, "suspended");
  gates.open(40);
  assert.equal(await call, 42);
  assert.equal(call.state, "succeeded");
});

Deno.test("Library.trySpawn() throws when all stacks are in use, and spawn() waits for one", async () => {
  const { library } = await asking();
  await using _ = library;
  await turns();
  let taken = 0;
  while (processStacks.tryAcquire()) taken += 1;
  try {
    assert.throws(() => library.trySpawn("add", 1, 2), (error) => {
      assert(error instanceof StackLimitError);
      assert.equal(
        error.message,
        `Cannot spawn 'add': all ${processStacks.limit} stacks are in use`,
      );
      return true;
    });
    const waits = library.spawn("add", 20, 22);
    await turns();
    assert.equal(waits.blockedOn, "a free stack");
    assert.equal(library.stats().stacks.waiting, 1);
    processStacks.release();
    taken -= 1;
    assert.equal(await waits, 42);
  } finally {
    for (; taken > 0; taken--) processStacks.release();
  }
  assert.equal(await library.trySpawn("add", 1, 2), 3);
});

// -- Statistics --

Deno.test("Library.stats() tells what runs and what blocks it", async () => {
  const { library, gates } = await asking({ concurrency: "interleaved" });
  await using _ = library;
  const before = library.stats();
  assert.deepEqual(before.greenlets, { queued: 0, running: 0, suspended: 0 });
  assert.equal(before.memory, 2 * 65_536);
  assert.equal(before.tainted, undefined);
  assert.equal(before.closed, false);

  const calls = [1, 2].map((x) => library.exports.ask(x));
  assert.deepEqual(library.stats().greenlets, {
    queued: 2,
    running: 0,
    suspended: 0,
  });
  await turns();
  const blocked = library.stats();
  assert.deepEqual(blocked.greenlets, { queued: 0, running: 0, suspended: 2 });
  assert.deepEqual(
    blocked.blocked,
    calls.map(({ id }) => ({ id, name: "ask", on: "env.ask" })),
  );
  assert(blocked.stacks.used >= 2);
  assert.equal(blocked.stacks.limit, processStacks.limit);

  gates.open(0);
  await calls[0];
  assert.equal(library.stats().blocked.length, 1);
  gates.open(0);
  await calls[1];
  assert.deepEqual(library.stats().greenlets, before.greenlets);
});

Deno.test("Library.stats() is a record that nobody can change", async () => {
  const { library, gates } = await asking();
  await using _ = library;
  const call = library.exports.ask(1);
  await turns();
  const stats = library.stats();
  for (
    const part of [stats, stats.greenlets, stats.stacks, stats.blocked]
      .concat(stats.blocked as never)
  ) assert(Object.isFrozen(part));
  gates.open(1);
  await call;
  assert.equal(stats.blocked.length, 1);
});

Deno.test("Library.memory is the instance's and follows its growth", async () => {
  const { library } = await asking();
  await using _ = library;
  assert.equal(library.memory.buffer.byteLength, 2 * 65_536);
  await library.exports.grow(1);
  assert.equal(library.memory.buffer.byteLength, 3 * 65_536);
  await using none = await load(wat(`(module (func (export "f")))`));
  assert.throws(() => none.memory, UnsupportedGuestError);
});

// -- Initializers --

for (const name of ["_initialize", "__wasm_call_ctors"]) {
  Deno.test(`load() runs ${name}, which may suspend, before the first call`, async () => {
    const guest = wat(`(module
      (import "env" "config" (func $config (result i32)))
      (global $value (mut i32) (i32.const 0))
      (func (export "${name}") (global.set $value (call $config)))
      (func (export "value") (result i32) (global.get $value)))`);
    const gates = new Gates<number>();
    const config = suspending(() => gates.pass());
    const loading = load<{ value(): number }>(guest, {
      imports: { env: { config } },
    });
    await until(() => gates.waiting === 1);
    gates.open(42);
    await using library = await loading;
    assert.equal(await library.exports.value(), 42);
  });
}

Deno.test("load() rejects with what the initializer throws", async () => {
  const guest = wat(`(module
    (import "env" "config" (func $config (result i32)))
    (func (export "_initialize") (drop (call $config))))`);
  const reason = new Error("no configuration");
  const config = suspending(() => Promise.reject(reason));
  for (const concurrency of ["exclusive", "isolated"] as const) {
    const loading = load(guest, { imports: { env: { config } }, concurrency });
    assert.equal(await rejection(loading), reason);
  }
  await turns();
});

// -- Ending early --

for (const concurrency of ["exclusive", "interleaved"] as const) {
  Deno.test(`Greenlet.kill() ends a call and leaves the library usable when ${concurrency}`, async () => {
    const { library, gates } = await asking({ concurrency }, catchingAsker);
    await using _ = library;
    const killed = library.exports.ask(1);
    const other = library.exports.ask(2);
    await turns();
    const reason = new Error("too slow");
    await killed.kill(reason);
    assert.equal(killed.state, "killed");
    const error = await rejection(killed);
    assert(error instanceof GreenletKilledError);
    assert.equal(error.cause, reason);
    await turns();
    gates.open(40, 1);
    assert.equal(await other, 42);
    assert.equal(library.stats().tainted, undefined);
  });

  Deno.test(`Greenlet.kill() taints a guest that cannot clean up when ${concurrency}`, async () => {
    const { library } = await asking({ concurrency });
    await using _ = library;
    const killed = library.exports.ask(1);
    await turns();
    await killed.kill();
    assert.equal(library.stats().tainted, await rejection(killed));
    const refused = await rejection(library.exports.add(1, 2));
    assert(refused instanceof GuestTaintedError);
    assert.equal(refused.cause, await rejection(killed));
  });

  Deno.test(`Library runs calls in a tainted guest that is allowed to when ${concurrency}`, async () => {
    const { library, gates } = await asking({ concurrency, onTaint: "allow" });
    await using _ = library;
    for (let i = 0; i < 3; i++) {
      const killed = library.exports.ask(1);
      await turns();
      await killed.kill();
    }
    const call = library.exports.ask(2);
    await turns();
    gates.open(40, 3);
    assert.equal(await call, 42);
  });

  Deno.test(`Greenlet.kill() makes one call fail in mode errno when ${concurrency}`, async () => {
    const gates = new Gates<number>();
    const ask = suspending(() => gates.pass(), { interrupted: () => -5 });
    await using library = await load<Asker>(asker, {
      imports: { env: { ask } },
      concurrency,
      killMode: "errno",
    });
    const killed = library.exports.ask_twice(1);
    await turns();
    const end = killed.kill();
    await turns();
    // The first call failed; the guest went on, to clean up, and asked a second time.
    assert.equal(killed.state, "suspended");
    assert.equal(gates.waiting, 2);
    gates.open(0, 1);
    await end;
    assert(await rejection(killed) instanceof GreenletKilledError);
    assert.equal(library.stats().tainted, undefined);
    assert.equal(await library.exports.add(20, 22), 42);
  });
}

Deno.test("Greenlet.kill() ends a call that has not started", async () => {
  const { library, gates } = await asking();
  await using _ = library;
  const killed = library.exports.ask(1);
  await killed.kill();
  assert.equal(killed.state, "killed");
  await turns();
  assert.equal(gates.waiting, 0);
  assert.equal(library.stats().tainted, undefined);
});

Deno.test("Greenlet.kill() ends a call that waits for its turn, and the next one gets it", async () => {
  const { library, gates } = await asking();
  await using _ = library;
  const [first, second, third] = [1, 2, 3].map((x) => library.exports.ask(x));
  await turns();
  await second!.kill();
  gates.open(10);
  assert.equal(await first, 11);
  await turns();
  gates.open(30);
  assert.equal(await third, 33);
});

Deno.test("Library refuses calls after a trap and says which", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    const { library } = await asking({ concurrency });
    await using _ = library;
    const trap = await rejection(library.exports.trap());
    assert(trap instanceof GuestTrapError);
    assert(trap.cause instanceof WebAssembly.RuntimeError);
    const refused = await rejection(library.exports.add(1, 2));
    assert(refused instanceof GuestTaintedError);
    assert.equal(refused.cause, trap);
    assert.equal(library.stats().tainted, trap);
  }
});

Deno.test("Library passes on the very object that a host function throws", async () => {
  const reason = new Error("mine");
  const thrown = [
    () => {
      throw reason;
    },
    suspending(() => {
      throw reason;
    }),
    suspending(() => Promise.reject(reason)),
  ];
  for (const ask of thrown) {
    await using library = await load<Asker>(catchingAsker, {
      imports: { env: { ask } },
    });
    assert.equal(await rejection(library.exports.ask(1)), reason);
    assert.equal(await library.exports.add(20, 22), 42);
  }
});
