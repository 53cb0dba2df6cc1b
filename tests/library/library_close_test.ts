import assert from "node:assert/strict";
import {
  GreenletKilledError,
  type HostCall,
  load,
  type LoadOptions,
  polling,
  ResourceClosedError,
  suspending,
  WOULD_BLOCK,
} from "../../mod.ts";
import { processStacks } from "../../src/engine/stack_budget.ts";
import { wat } from "../guests/wat.ts";
import { Gates } from "../support/gate.ts";
import { rejection } from "../support/virtual_hub.ts";
import { type Asker, asker, turns } from "./guests.ts";
import { until } from "../support/turn.ts";

const MODES = ["exclusive", "interleaved", "isolated"] as const;

async function asking(options: LoadOptions = {}) {
  const gates = new Gates<number>();
  const imports = { env: { ask: suspending(() => gates.pass()) } };
  const library = await load<Asker>(asker, { imports, ...options });
  return { library, gates };
}

/** Checks that a test gives all stacks back that it takes. */
async function givesBack(test: () => Promise<void>): Promise<void> {
  await turns();
  const before = processStacks.used;
  await test();
  await turns();
  assert.equal(processStacks.used, before);
  assert.equal(processStacks.waiting, 0);
}

// -- In peace --

for (const concurrency of MODES) {
  Deno.test(`Library.close() waits for the calls that run when ${concurrency}`, async () => {
    await givesBack(async () => {
      const { library, gates } = await asking({ concurrency });
      const calls = [1, 2, 3].map((x) => library.exports.ask(x));
      let closed = false;
      const closing = library.close().then(() => closed = true);
      assert.equal(library.stats().closed, true);
      for (const call of calls) {
        await until(() => gates.waiting > 0);
        assert.equal(closed, false);
        gates.open(0);
        await call;
      }
      await closing;
      assert.deepEqual(await Promise.all(calls), [1, 2, 3]);
      assert.deepEqual(library.stats().greenlets, {
        queued: 0,
        running: 0,
        suspended: 0,
      });
      assert.equal(library.stats().segments, 0);
    });
  });
}

Deno.test("Library.close() ends when nothing runs, and twice is once", async () => {
  const { library } = await asking();
  const closing = library.close();
  assert.equal(library.close(), closing);
  await closing;
  assert.equal(library.close({ force: true }), closing);
});

Deno.test("Library closes at the end of an await using block, after its calls", async () => {
  const gates = new Gates<number>();
  const ask = suspending(() => gates.pass());
  let call: PromiseLike<number>;
  let closed: () => boolean;
  {
    await using library = await load<Asker>(asker, {
      imports: { env: { ask } },
    });
    call = library.exports.ask(2);
    closed = () => library.stats().closed;
    until(() => gates.waiting === 1).then(() => gates.open(40));
  }
  assert(closed());
  assert.equal(await call, 42);
});

Deno.test("Library takes no calls once it is being closed", async () => {
  const { library, gates } = await asking();
  const running = library.exports.ask(1);
  await turns();
  const closing = library.close();
  for (let i = 0; i < 2; i++) {
    for (
      const call of [
        () => library.exports.ask(1),
        () => library.spawn("ask", 1),
        () => library.trySpawn("ask", 1),
      ]
    ) {
      assert.throws(call, (error) => {
        assert(error instanceof ResourceClosedError);
        assert.equal(
          error.message,
          "Cannot spawn 'ask': the library is closed",
        );
        return true;
      });
    }
    if (gates.waiting > 0) gates.open(0);
    await closing;
  }
  assert.equal(await running, 1);
});

Deno.test("Library.close() does not wait for a call that is killed meanwhile", async () => {
  const { library } = await asking();
  const call = library.exports.ask(1);
  await turns();
  const closing = library.close();
  await call.kill();
  await closing;
  assert(await rejection(call) instanceof GreenletKilledError);
});

// -- By force --

/** Waits that never end by themselves. */
const NEVER = {
  suspending: suspending(() => new Promise<number>(() => {})),
  "suspending and finishing": suspending(() => new Promise<number>(() => {}), {
    onInterrupt: "finish",
  }),
  polling: polling({
    attempt: () => WOULD_BLOCK,
    wait: () => new Promise<number>(() => {}),
  }),
};

for (const concurrency of MODES) {
  for (const [kind, ask] of Object.entries(NEVER)) {
    for (const killMode of ["throw", "errno"] as const) {
      Deno.test(`Library.close({ force }) ends ${kind} calls at once when ${concurrency}, mode ${killMode}`, async () => {
        await givesBack(async () => {
          const library = await load<Asker>(asker, {
            imports: { env: { ask } },
            concurrency,
            killMode,
          });
          const calls = [1, 2, 3].map((x) => library.exports.ask(x));
          await turns();
          await library.close({ force: true });
          for (const call of calls) {
            assert.equal(call.state, "killed");
            const error = await rejection(call);
            assert(error instanceof ResourceClosedError);
            assert.equal(
              error.message,
              "Cannot finish the call: the library was closed",
            );
          }
        });
      });
    }
  }

  Deno.test(`Library.close() ends what is left after its timeout when ${concurrency}`, async () => {
    await givesBack(async () => {
      const { library, gates } = await asking({ concurrency });
      const ends = library.exports.ask(1);
      await turns();
      const blocks = library.exports.ask(1);
      const closing = library.close({ timeout: 20 });
      gates.open(0);
      await closing;
      assert.equal(await ends, 1);
      assert(await rejection(blocks) instanceof ResourceClosedError);
    });
  });
}

Deno.test("Library.close() makes no unhandled rejection of calls that nobody awaits", async () => {
  for (const concurrency of MODES) {
    const { library } = await asking({ concurrency });
    library.exports.ask(1);
    await turns();
    library.exports.ask(2);
    await library.close({ timeout: 0 });
    await turns();
  }
});

Deno.test("Library.close({ force }) ends a close that waits", async () => {
  const { library } = await asking();
  const call = library.exports.ask(1);
  await turns();
  const closing = library.close({ timeout: 2 ** 31 - 1 });
  assert.equal(library.close({ force: true }), closing);
  await closing;
  assert.equal(call.state, "killed");
});

Deno.test("Library.close({ force }) ends calls that have not started", async () => {
  const { library, gates } = await asking();
  const call = library.exports.ask(1);
  await library.close({ force: true });
  assert(await rejection(call) instanceof ResourceClosedError);
  await turns();
  assert.equal(gates.waiting, 0);
});

Deno.test("Library.close({ force }) aborts the signal that the host function got", async () => {
  let signal: AbortSignal | undefined;
  const ask = suspending((_: number, call: HostCall) => {
    signal = call.signal;
    return new Promise<number>(() => {});
  });
  const library = await load<Asker>(asker, { imports: { env: { ask } } });
  const call = library.exports.ask(1);
  await turns();
  assert.equal(signal?.aborted, false);
  await library.close({ force: true });
  assert.equal(signal?.aborted, true);
  assert.equal(signal?.reason, await rejection(call));
});

Deno.test("Library.close({ force }) ends a guest that catches everything and asks again", async () => {
  const stubborn = wat(`(module
    (import "env" "ask" (func $ask))
    (tag $unused)
    (func (export "loop")
      (loop $again (try (do (call $ask)) (catch_all)) (br $again))))`);
  for (const killMode of ["throw", "errno"] as const) {
    await givesBack(async () => {
      const ask = suspending(() => new Promise<void>(() => {}));
      const library = await load<{ loop(): void }>(stubborn, {
        imports: { env: { ask } },
        killMode,
      });
      const call = library.exports.loop();
      await turns();
      await library.close({ force: true });
      assert(await rejection(call) instanceof ResourceClosedError);
    });
  }
});

Deno.test("Library.close({ force }) ends a callback and its caller", async () => {
  for (const concurrency of ["exclusive", "interleaved"] as const) {
    await givesBack(async () => {
      const ask = suspending((x: number, call: HostCall) =>
        x === 0 ? new Promise<number>(() => {}) : call.callback("ask", x - 1)
      );
      const library = await load<Asker>(asker, {
        imports: { env: { ask } },
        concurrency,
      });
      const call = library.exports.ask(3);
      await turns();
      assert.equal(call.state, "suspended");
      await library.close({ force: true });
      assert(await rejection(call) instanceof ResourceClosedError);
    });
  }
});

Deno.test("Library.close({ force }) ends calls that wait for a stack", async () => {
  await givesBack(async () => {
    const { library } = await asking();
    let taken = 0;
    while (processStacks.tryAcquire()) taken += 1;
    const call = library.exports.ask(1);
    await turns();
    assert.equal(call.blockedOn, "a free stack");
    await library.close({ force: true });
    assert(await rejection(call) instanceof ResourceClosedError);
    for (; taken > 0; taken--) processStacks.release();
  });
});

Deno.test("Library.close() ends an initializer that runs in an isolated call", async () => {
  const guest = wat(`(module
    (import "env" "config" (func $config (result i32)))
    (func (export "_initialize") (drop (call $config)))
    (func (export "value") (result i32) (i32.const 1)))`);
  let instances = 0;
  const config = suspending(() =>
    ++instances === 1 ? 0 : new Promise<number>(() => {})
  );
  const library = await load<{ value(): number }>(guest, {
    imports: { env: { config } },
    concurrency: "isolated",
  });
  assert.equal(await library.exports.value(), 1);
  const call = library.exports.value();
  await turns();
  assert.equal(call.blockedOn, "env.config");
  await library.close({ force: true });
  assert(await rejection(call) instanceof ResourceClosedError);
});

Deno.test("Library.close() gives the segments back to the guest", async () => {
  const counting = wat(`(module
    (import "env" "count" (func $count (param i32)))
    (import "env" "ask" (func $ask))
    (memory (export "memory") 4)
    (global $__stack_pointer (mut i32) (i32.const 65536))
    (global $heap (mut i32) (i32.const 65536))
    (func (export "malloc") (param i32) (result i32)
      (call $count (i32.const 1))
      (global.set $heap (i32.add (global.get $heap) (local.get 0)))
      (i32.sub (global.get $heap) (local.get 0)))
    (func (export "free") (param i32) (call $count (i32.const -1)))
    (func (export "ask") (call $ask)))`);
  let blocks = 0;
  const gates = new Gates();
  const library = await load<{ ask(): void }>(counting, {
    imports: {
      env: {
        count: (by: number) => void (blocks += by),
        ask: suspending(() => gates.pass()),
      },
    },
    concurrency: "interleaved",
    stackSize: 2048,
  });
  for (let i = 0; i < 3; i++) library.exports.ask();
  await turns();
  assert.equal(blocks, 3);
  for (let i = 0; i < 3; i++) gates.open();
  await library.close();
  assert.equal(blocks, 0);
});
