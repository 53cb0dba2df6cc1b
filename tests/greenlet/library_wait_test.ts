import assert from "node:assert/strict";
import { load, spawn, suspending, Timeout, withTimeout } from "../../mod.ts";
import { type Asker, asker, turns } from "../library/guests.ts";
import { Gates } from "../support/gate.ts";
import { rejection } from "../support/virtual_hub.ts";

async function askers() {
  const gates = new Gates<number>();
  const ask = suspending(() => gates.pass());
  const library = await load<Asker>(asker, {
    imports: { env: { ask } },
    concurrency: "interleaved",
  });
  return { gates, library };
}

Deno.test("a greenlet that gets a library call is killed there, and the call goes on", async () => {
  const { gates, library } = await askers();
  await using _closing = library;
  const call = library.exports.ask(2);
  const caller = spawn(() => call.get());
  await turns();
  await caller.kill();
  assert.equal(caller.state, "killed");
  gates.open(40);
  assert.equal(await call, 42);
});

Deno.test("a greenlet whose body returns a library call is killed there", async () => {
  const { gates, library } = await askers();
  await using _closing = library;
  const caller = spawn(() => library.exports.ask(2));
  await turns();
  await caller.kill();
  assert.equal(caller.state, "killed");
  gates.open(40);
});

Deno.test("withTimeout() reaches a greenlet that gets a library call", async () => {
  const { gates, library } = await askers();
  await using _closing = library;
  const late = withTimeout(1, () => library.exports.ask(2).get());
  assert.ok(await rejection(late) instanceof Timeout);
  gates.open(40);
});

Deno.test("a library call that fails with nobody there is an unhandled rejection no more than once", async () => {
  const { library } = await askers();
  await using _closing = library;
  const seen: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    seen.push(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  const call = library.exports.trap();
  await turns();
  removeEventListener("unhandledrejection", listener);
  assert.equal(seen.length, 1);
  assert.equal(await rejection(call), seen[0]);
});
