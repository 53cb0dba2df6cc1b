// deno-lint-ignore-file no-console -- a program of its own: what it prints is its result
/**
 * Parks 50,000 calls, in a process of its own: `guest` through the engine, `raw` on bare JSPI,
 * which the process does not survive.
 *
 * @module
 */

import { Guest } from "../../src/engine/guest.ts";
import { compileGuest } from "../../src/engine/guest_module.ts";
import { suspending } from "../../src/engine/host_function.ts";
import {
  promising,
  suspendingImport,
  type WasmFunction,
} from "../../src/engine/jspi.ts";
import { processStacks } from "../../src/engine/stack_budget.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { threadHub } from "../../src/host/thread_hub.ts";
import { wat } from "../guests/wat.ts";
import { Gates } from "./gate.ts";
import { WAITING_GUEST } from "./test_guest.ts";
import { microtasks } from "./virtual_hub.ts";

const CALLS = 50_000;

function mappings(): number {
  return Deno.readTextFileSync("/proc/self/maps").split("\n").length - 1;
}

async function parkInGuest(): Promise<void> {
  const gates = new Gates<number>();
  const module = await compileGuest(wat(WAITING_GUEST));
  const guest = new Guest(threadHub(), module, {
    env: { wait: suspending(() => gates.pass()) },
  }, { concurrency: "interleaved", stackSize: 1_024 });
  const calls: Greenlet<unknown>[] = [];
  for (let i = 0; i < CALLS; i++) {
    calls.push(
      threadHub().spawn((greenlet) => guest.run(greenlet, "frame", [i])),
    );
  }
  let done = 0;
  for (const call of calls) void call.join().then(() => done += 1);
  const seen = { parked: 0, stacks: 0, mappings: 0 };
  let before = -1;
  while (done < CALLS) {
    await microtasks();
    const parked = gates.waiting;
    // Nothing moves any more: all that may park have parked.
    if (parked === before) {
      seen.parked = Math.max(seen.parked, parked);
      seen.stacks = Math.max(seen.stacks, processStacks.used);
      seen.mappings = Math.max(seen.mappings, mappings());
      while (gates.waiting > 0) gates.open(1, gates.waiting - 1);
    }
    before = parked;
  }
  const results = await Promise.all(calls);
  const right = results.filter((result) => result === 1).length;
  console.log(JSON.stringify({ right, ...seen, left: guest.running }));
}

async function parkRaw(): Promise<void> {
  const gates = new Gates<void>();
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(wat(`(module
      (import "env" "wait" (func $wait)) (func (export "park") (call $wait)))`)),
    { env: { wait: suspendingImport(() => gates.pass()) } },
  );
  const park = promising(exports.park as WasmFunction);
  for (let i = 0; i < CALLS; i++) {
    void park();
    if (i % 1_000 === 0) await microtasks();
  }
  console.log(
    JSON.stringify({ survived: gates.waiting, mappings: mappings() }),
  );
}

await (Deno.args[0] === "raw" ? parkRaw() : parkInGuest());
