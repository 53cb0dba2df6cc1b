/** What suspending, resuming and spawning cost, beside raw JSPI. @module */

import {
  promising,
  type PromisingFunction,
  suspendingImport,
  type WasmFunction,
} from "../../src/engine/jspi.ts";
import { generateShim, SHIM_NAMESPACE } from "../../src/engine/shim.ts";
import { RECORDS, WORD } from "../../src/engine/switch_words.ts";
import { type HostImport, load, polling, suspending } from "../../mod.ts";
import { BENCH_GUEST } from "./guests.ts";
import { type Bench, compare, type Operations } from "./measure.ts";

const SUSPENSIONS = 50_000;
const CALLS = 1_000_000;
const SPAWNS = 20_000;

/** `spin` and `nop` of the guest, without Hedgesnake. */
function raw(wait: WebAssembly.ImportValue): Record<string, WasmFunction> {
  const module = new WebAssembly.Module(BENCH_GUEST);
  const { exports } = new WebAssembly.Instance(module, { env: { wait } });
  return exports as Record<string, WasmFunction>;
}

/** The same behind a shim whose import is a raw JSPI one: no hub, no greenlets. */
function shimmed(wait: () => unknown): PromisingFunction {
  const type = { params: ["i32"], results: ["i32"] } as const;
  const words = new WebAssembly.Memory({ initial: 1 });
  const view = new Int32Array(words.buffer);
  view[WORD.current] = 1;
  view[RECORDS + 3] = -1;
  const shim = new WebAssembly.Instance(
    new WebAssembly.Module(generateShim({
      stackPointer: "global",
      state: false,
      functions: [{ kind: "suspending", type }],
    })),
    {
      [SHIM_NAMESPACE]: {
        words,
        "stack_pointer": new WebAssembly.Global(
          { value: "i32", mutable: true },
          65_536,
        ),
        refuse: unexpected,
        threw: unexpected,
        wait0: suspendingImport(wait),
      },
    },
  );
  return promising(raw(shim.exports.f0!).spin!);
}

function unexpected(): never {
  throw new Error("The shim took a path that this bench does not measure");
}

function rawSpin(): PromisingFunction {
  return promising(raw(suspendingImport(() => Promise.resolve(1))).spin!);
}

/** `spin` in an interleaved library. */
async function librarySpin(wait: HostImport): Promise<Operations> {
  const library = await load<{ spin(n: number): number }>(BENCH_GUEST, {
    imports: { env: { wait } },
    concurrency: "interleaved",
  });
  return (count) => library.exports.spin(count);
}

/** The benches of the engine. */
export const ENGINE_BENCHES: readonly Bench[] = [
  {
    name: "suspend-resume",
    goal: "≤ 1.3 × raw JSPI, through the shim",
    run: () =>
      compare({
        name: "suspend-resume",
        unit: "ns",
        reference: "raw JSPI import",
        baseline: rawSpin(),
        subject: shimmed(() => Promise.resolve(1)),
        count: SUSPENSIONS,
      }),
  },
  {
    name: "suspend-resume-hub",
    goal: "≤ 1.8 × raw JSPI, through the ready queue",
    run: async () =>
      compare({
        name: "suspend-resume-hub",
        unit: "ns",
        reference: "raw JSPI import",
        baseline: rawSpin(),
        subject: await librarySpin(suspending(() => 1)),
        count: SUSPENSIONS,
      }),
  },
  {
    name: "suspend-resume-promise",
    goal: "reported: a host function that returns a promise",
    run: async () =>
      compare({
        name: "suspend-resume-promise",
        unit: "ns",
        reference: "raw JSPI import",
        baseline: rawSpin(),
        subject: await librarySpin(suspending(() => Promise.resolve(1))),
        count: SUSPENSIONS,
      }),
  },
  {
    name: "ready-call",
    goal: "≤ 40 ns",
    run: async () =>
      compare({
        name: "ready-call",
        unit: "ns",
        reference: "plain import",
        baseline: promising(raw(() => 1).spin!),
        subject: await librarySpin(
          polling({ attempt: () => 1, wait: () => 1 }),
        ),
        count: CALLS,
      }),
  },
  {
    name: "spawn-join",
    goal: "≤ 2 µs",
    run: async () => {
      const nop = promising(raw(() => 1).nop!);
      const library = await load<{ nop(x: number): number }>(BENCH_GUEST, {
        imports: { env: { wait: () => 1 } },
        concurrency: "interleaved",
      });
      return await compare({
        name: "spawn-join",
        unit: "µs",
        reference: "raw promising call",
        baseline: async (count) => {
          for (let i = 0; i < count; i++) await nop(i);
        },
        subject: async (count) => {
          for (let i = 0; i < count; i++) await library.exports.nop(i);
        },
        count: SPAWNS,
      });
    },
  },
];
