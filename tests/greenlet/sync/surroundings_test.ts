import assert from "node:assert/strict";
import {
  type Greenlet,
  GreenletKilledError,
  type HostCall,
  load,
  sleep,
  spawn,
  suspending,
} from "../../../mod.ts";
import {
  Event,
  Queue,
  RLock,
  Semaphore,
} from "../../../src/greenlet/sync/mod.ts";
import { setThreadHub, threadHub } from "../../../src/greenlet/thread.ts";
import { threadHub as hostHub } from "../../../src/host/thread_hub.ts";
import { type Asker, asker, turns } from "../../library/guests.ts";
import { rejection } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

// -- The hub of the thread --

Deno.test("threadHub() is the one of the runtime", () => {
  assert.equal(threadHub(), hostHub());
});

Deno.test("threadHub() without a runtime is one on what every runtime has", async () => {
  const before = setThreadHub(undefined);
  try {
    const hub = threadHub();
    assert.equal(threadHub(), hub);
    assert.notEqual(hub, hostHub());
    const event = new Event();
    assert.equal(await event.wait({ timeout: 0 }), false);
    const waiting = event.wait({ timeout: 2 ** 30 });
    event.set();
    assert.equal(await waiting, true);
    await new Promise<void>((resolve) => hub.driver.hop(resolve));
    assert(hub.driver.now() > 0);
  } finally {
    setThreadHub(before);
  }
  assert.equal(threadHub(), hostHub());
});

// -- Greenlets of the runtime --

Deno.test("A primitive waits as the greenlet that spawn() made, across its awaits", async () => {
  const queue = new Queue<number>();
  const greenlet = spawn(async () => {
    await sleep(0);
    await turns(1);
    return await queue.get();
  });
  await turns();
  assert.equal(greenlet.blockedOn, "Queue.get()");
  await greenlet.kill();
  assert.equal(queue.stats().getting, 0);
});

Deno.test("What a greenlet left running waits as nobody's when the greenlet has ended", async () => {
  using thread = virtualThread();
  const event = new Event();
  let got: unknown;
  let go = () => {};
  const greenlet = thread.hub.spawn(() => {
    void (async () => {
      await new Promise<void>((resolve) => go = resolve);
      got = await event.wait();
    })();
  });
  await greenlet;
  go();
  await thread.driver.settle();
  assert.equal(event.stats().waiting, 1);
  event.set();
  await thread.driver.settle();
  assert.equal(got, true);
});

// -- Host functions --

Deno.test("A host function waits in a primitive: only its own guest's call is suspended", async () => {
  const queue = new Queue<number>();
  const ask = suspending((_x: number, call: HostCall) =>
    queue.get({ signal: call.signal })
  );
  await using library = await load<Asker>(asker, {
    imports: { env: { ask } },
    concurrency: "interleaved",
  });
  const calls = [1, 2, 3].map((x) => library.exports.ask(x));
  await turns();
  assert.equal(queue.stats().getting, 3);
  assert.equal(await library.exports.add(1, 2), 3);
  for (const item of [10, 20, 30]) queue.tryPut(item);
  assert.deepEqual(await Promise.all(calls), [11, 22, 33]);
});

Deno.test("A host function's wait ends when its guest's call is killed, and takes no item", async () => {
  const queue = new Queue<number>();
  const ask = suspending(async (_x: number, call: HostCall) => {
    await turns(1);
    return await queue.get({ signal: call.signal });
  });
  await using library = await load<Asker>(asker, {
    imports: { env: { ask } },
    concurrency: "interleaved",
  });
  const [killed, other] = [1, 2].map((x) => library.exports.ask(x));
  await turns();
  assert.equal(queue.stats().getting, 2);
  await killed?.kill();
  assert.equal(queue.stats().getting, 1);
  queue.tryPut(40);
  assert.equal(await other, 42);
  assert(await rejection(killed!) instanceof GreenletKilledError);
});

Deno.test("A host function's wait in mode errno ends as the host function says", async () => {
  const semaphore = new Semaphore(0);
  const ask = suspending(
    async (_x: number, call: HostCall) =>
      await semaphore.acquire({ signal: call.signal }) ? 1 : 0,
    { interrupted: () => -100 },
  );
  await using library = await load<Asker>(asker, {
    imports: { env: { ask } },
    killMode: "errno",
  });
  const killed = library.exports.ask(1);
  await turns();
  assert.equal(semaphore.stats().waiting, 1);
  await killed.kill();
  assert.equal(killed.state, "killed");
  assert.equal(semaphore.stats().waiting, 0);
});

Deno.test("RLock in host functions is its guest's call's, from one of them to the next", async () => {
  const lock = new RLock();
  const owners: unknown[] = [];
  const ask = suspending((x: number, call: HostCall) => {
    if (lock.owner === undefined || owners.length % 2 === 0) {
      const got = lock.acquire({ signal: call.signal });
      return got.then(() => {
        owners.push(lock.owner);
        return x;
      });
    }
    lock.release();
    owners.push(lock.owner);
    return x;
  });
  await using library = await load<Asker>(asker, {
    imports: { env: { ask } },
  });
  const call: Greenlet<number> = library.exports.ask_twice(1);
  await call;
  assert.deepEqual(owners.map((owner) => owner === call), [true, false]);
  assert.equal(lock.locked, false);
});
