import assert from "node:assert/strict";
import {
  GreenletKilledError,
  GuestTrapError,
  load,
  suspending,
  UnsupportedGuestError,
} from "../../mod.ts";
import { wat } from "../guests/wat.ts";
import { Gates } from "../support/gate.ts";
import { rejection } from "../support/virtual_hub.ts";
import { type Asker, asker, plain, turns } from "./guests.ts";
import { until } from "../support/turn.ts";

const concurrency = "isolated";

async function asking() {
  const gates = new Gates<number>();
  const imports = { env: { ask: suspending(() => gates.pass()) } };
  const library = await load<Asker>(asker, { imports, concurrency });
  return { library, gates };
}

Deno.test("Library gives each call an instance of its own when isolated", async () => {
  const { library } = await asking();
  await using _ = library;
  for (let i = 0; i < 3; i++) assert.equal(await library.exports.count(), 1);
  const counts = [1, 2, 3].map(() => library.exports.count());
  assert.deepEqual(await Promise.all(counts), [1, 1, 1]);
});

Deno.test("Library runs calls side by side when isolated, whatever the guest", async () => {
  for (const guest of [asker, plain, await WebAssembly.compile(plain)]) {
    const gates = new Gates<number>();
    const ask = suspending(() => gates.pass(), {
      type: { params: ["i32"], results: ["i32"] },
    });
    await using library = await load<Pick<Asker, "ask">>(guest, {
      imports: { env: { ask } },
      concurrency,
    });
    const calls = [1, 2, 3].map((x) => library.exports.ask(x));
    await turns();
    assert.equal(gates.waiting, 3);
    gates.open(30, 2);
    gates.open(20, 1);
    gates.open(10, 0);
    const own = guest === asker ? [1, 2, 3] : [0, 0, 0];
    assert.deepEqual(
      await Promise.all(calls),
      own.map((x, i) => x + 10 * (i + 1)),
    );
  }
});

Deno.test("Library has no memory of its own when isolated", async () => {
  const { library } = await asking();
  await using _ = library;
  assert.throws(() => library.memory, UnsupportedGuestError);
  assert.equal(library.stats().memory, 0);
  assert.equal(library.stats().segments, 0);
});

Deno.test("Library drops an instance that trapped or was killed when isolated", async () => {
  const { library, gates } = await asking();
  await using _ = library;
  const trap = library.exports.trap();
  const killed = library.exports.ask(1);
  const other = library.exports.ask(2);
  assert(await rejection(trap) instanceof GuestTrapError);
  await turns();
  await killed.kill();
  assert(await rejection(killed) instanceof GreenletKilledError);
  assert.equal(library.stats().tainted, undefined);
  gates.open(40, 1);
  assert.equal(await other, 42);
  assert.equal(await library.exports.count(), 1);
});

Deno.test("Library makes the imports for each instance when isolated", async () => {
  let instances = 0;
  await using library = await load<Asker>(asker, {
    concurrency,
    imports: (guest) => {
      const number = ++instances;
      return {
        env: { ask: () => 1000 * number + (guest.call("malloc", 8) >> 16) },
      };
    },
  });
  assert.equal(instances, 1);
  assert.equal(await library.exports.ask(0), 1001);
  assert.equal(await library.exports.ask(0), 2001);
  assert.equal(instances, 2);
});

Deno.test("Library initializes each instance when isolated, and that may suspend", async () => {
  const guest = wat(`(module
    (import "env" "config" (func $config (result i32)))
    (global $value (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $value (call $config)))
    (func (export "value") (result i32) (global.get $value)))`);
  const gates = new Gates<number>();
  const config = suspending(() => gates.pass());
  const loading = load<{ value(): number }>(guest, {
    imports: { env: { config } },
    concurrency,
  });
  await until(() => gates.waiting === 1);
  gates.open(1);
  await using library = await loading;
  const calls = [1, 2, 3].map(() => library.exports.value());
  await turns();
  assert.equal(await calls[0], 1);
  assert.equal(gates.waiting, 2);
  assert.deepEqual(
    library.stats().blocked.map(({ name, on }) => [name, on]),
    [["value", "env.config"], ["value", "env.config"]],
  );
  gates.open(2);
  gates.open(3);
  assert.deepEqual(await Promise.all(calls), [1, 2, 3]);
});

Deno.test("Library rejects one call only when its instance cannot be made", async () => {
  const reason = new Error("no more");
  let instances = 0;
  await using library = await load<Asker>(asker, {
    concurrency,
    imports: () => {
      if (++instances === 2) throw reason;
      return { env: { ask: () => instances } };
    },
  });
  assert.equal(await library.exports.ask(0), 1);
  assert.equal(await rejection(library.exports.ask(0)), reason);
  assert.equal(await library.exports.ask(0), 3);
});
