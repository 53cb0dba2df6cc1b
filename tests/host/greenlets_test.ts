import assert from "node:assert/strict";
import {
  getCurrent,
  type Greenlet,
  GreenletKilledError,
  type HostCall,
  load,
  sleep,
  spawn,
  suspending,
  Timeout,
} from "../../mod.ts";
import { Gates } from "../support/gate.ts";
import { rejection } from "../support/virtual_hub.ts";
import { type Asker, asker, catchingAsker, turns } from "../library/guests.ts";

// -- spawn() --

Deno.test("spawn() runs a function as a greenlet, after the caller gave way", async () => {
  const order: string[] = [];
  const greenlet = spawn((self) => {
    order.push("greenlet");
    return self.name;
  }, { name: "worker" });
  order.push("caller");
  assert.equal(greenlet.state, "queued");
  assert.equal(await greenlet, "worker");
  assert.deepEqual(order, ["caller", "greenlet"]);
});

Deno.test("spawn() gives a greenlet the error of its function", async () => {
  const reason = new Error("mine");
  const greenlet = spawn(() => Promise.reject(reason));
  assert.equal(await rejection(greenlet), reason);
  assert.equal(greenlet.state, "failed");
});

// -- getCurrent() --

Deno.test("getCurrent() is undefined outside all greenlets", async () => {
  assert.equal(getCurrent(), undefined);
  await spawn(() => sleep(0));
  assert.equal(getCurrent(), undefined);
});

Deno.test("getCurrent() is the greenlet across its awaits", async () => {
  const body = async (self: Greenlet<unknown>) => {
    assert.equal(getCurrent(), self);
    await sleep(0);
    assert.equal(getCurrent(), self);
    await turns(1);
    assert.equal(getCurrent(), self);
    await spawn((inner) => assert.equal(getCurrent(), inner));
    assert.equal(getCurrent(), self);
  };
  await Promise.all([1, 2, 3].map(() => spawn(body).then()));
});

Deno.test("getCurrent() is the calling greenlet in a host function", async () => {
  for (const concurrency of ["exclusive", "interleaved", "isolated"] as const) {
    const seen: unknown[] = [];
    const ask = suspending(async (x) => {
      seen.push(getCurrent());
      await turns(1);
      return x;
    });
    await using library = await load<Asker>(asker, {
      imports: { env: { ask } },
      concurrency,
    });
    const calls = [1, 2, 3].map((x) => library.exports.ask(x));
    assert.deepEqual(await Promise.all(calls), [2, 4, 6]);
    assert.equal(seen.length, 3);
    for (const [index, call] of calls.entries()) {
      assert.equal(seen[index], call);
    }
  }
  const seen: unknown[] = [];
  await using library = await load<Asker>(asker, {
    imports: { env: { ask: () => seen.push(getCurrent()) } },
  });
  const call = library.exports.ask(1);
  await call;
  assert.equal(seen[0], call);
  assert.equal(getCurrent(), undefined);
});

// -- sleep() --

Deno.test("sleep() lets time pass, in a greenlet and outside", async () => {
  const start = performance.now();
  await sleep(5);
  const greenlet = spawn(() => sleep(5));
  await turns(2);
  assert.equal(greenlet.blockedOn, "sleep");
  await greenlet;
  // Timers may fire a fraction of a millisecond early.
  assert(performance.now() - start >= 8);
});

Deno.test("sleep(0) gives way to whoever is ready", async () => {
  const order: number[] = [];
  const greenlets = [1, 2].map((x) =>
    spawn(async () => {
      order.push(x);
      await sleep(0);
      order.push(x);
    })
  );
  await Promise.all(greenlets);
  assert.deepEqual(order, [1, 2, 1, 2]);
});

Deno.test("sleep() ends early when its greenlet is killed, and leaves no timer", async () => {
  const greenlet = spawn(() => sleep(2 ** 30));
  await turns();
  await greenlet.kill("enough");
  const error = await rejection(greenlet);
  assert(error instanceof GreenletKilledError);
  assert.equal(error.cause, "enough");
});

Deno.test("sleep() ends early when its signal is aborted, and leaves no timer", async () => {
  const reason = new Error("enough");
  const outside = new AbortController();
  const sleeping = sleep(2 ** 30, { signal: outside.signal });
  outside.abort(reason);
  assert.equal(await rejection(sleeping), reason);
  assert.equal(
    await rejection(sleep(2 ** 30, { signal: outside.signal })),
    reason,
  );

  const inside = new AbortController();
  const greenlet = spawn(() => sleep(2 ** 30, { signal: inside.signal }));
  await turns();
  inside.abort(reason);
  assert.equal(await rejection(greenlet), reason);
});

Deno.test("sleep() with a signal ends early when its greenlet is killed", async () => {
  const { signal } = new AbortController();
  const greenlet = spawn(() => sleep(2 ** 30, { signal }));
  await turns();
  assert.equal(greenlet.blockedOn, "sleep");
  await greenlet.kill();
  assert(await rejection(greenlet) instanceof GreenletKilledError);
});

Deno.test("sleep() in a host function ends with the call's signal", async () => {
  const ask = suspending(async (x: number, call: HostCall) => {
    await sleep(2 ** 30, { signal: call.signal });
    return x;
  });
  const library = await load<Asker>(asker, { imports: { env: { ask } } });
  const call = library.exports.ask(1);
  await turns();
  await library.close({ force: true });
  assert.equal(call.state, "killed");
});

Deno.test("sleep() in a host function belongs to the call, not to whoever made it", async () => {
  const gates = new Gates<number>();
  const ask = suspending(async () => {
    await turns(1);
    await sleep(1);
    return gates.pass();
  });
  await using library = await load<Asker>(asker, { imports: { env: { ask } } });
  let call: Greenlet<number> | undefined;
  const caller = spawn(async () => {
    await sleep(0);
    await turns(1);
    call = library.exports.ask(2);
    while (gates.waiting === 0) {
      assert.equal(caller.blockedOn, undefined);
      await turns(1);
    }
  });
  await caller;
  gates.open(40);
  assert.equal(await call, 42);
});

// -- Timeout --

Deno.test("Timeout ends a library call, which rejects with this very object", async () => {
  const modes = ["exclusive", "interleaved", "isolated"] as const;
  for (const concurrency of modes) {
    const gates = new Gates<number>();
    const ask = suspending(() => gates.pass());
    await using library = await load<Asker>(catchingAsker, {
      imports: { env: { ask } },
      concurrency,
    });
    const late = library.exports.ask(1);
    using timeout = new Timeout(1).start(late);
    assert.equal(await rejection(late), timeout);
    assert.equal(late.state, "failed");
    assert.equal(timeout.pending, false);

    const prompt = library.exports.ask(2);
    using unused = new Timeout(2 ** 30).start(prompt);
    await turns();
    gates.open(40, gates.waiting - 1);
    assert.equal(await prompt, 42);
    assert.equal(unused.pending, false);
  }
});

Deno.test("Timeout makes one call fail in mode errno, and the greenlet rejects with it", async () => {
  const interrupted: Error[] = [];
  const ask = suspending(() => new Promise<number>(() => {}), {
    interrupted: (reason) => {
      interrupted.push(reason);
      return -110;
    },
  });
  await using library = await load<Asker>(asker, {
    imports: { env: { ask } },
    killMode: "errno",
  });
  const late = library.exports.ask(1);
  using timeout = new Timeout(1).start(late);
  assert.equal(await rejection(late), timeout);
  assert.deepEqual(interrupted, [timeout]);
  assert.equal(await library.exports.add(20, 22), 42);
});
