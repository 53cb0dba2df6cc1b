// deno-lint-ignore-file no-console -- it prints for people
/**
 * Parks 10,000 calls, prints the resident memory of each in KiB, and exits.
 *
 * @module
 */

import { load, suspending } from "../../mod.ts";
import { promising, suspendingImport } from "../../src/engine/jspi.ts";
import { BENCH_GUEST } from "./guests.ts";

const PARKED = 10_000;

const never = () => new Promise<number>(() => {});

const start: Record<string, () => Promise<(key: number) => unknown>> = {
  raw: () => {
    const wait = suspendingImport(never);
    const module = new WebAssembly.Module(BENCH_GUEST);
    const { exports } = new WebAssembly.Instance(module, { env: { wait } });
    return Promise.resolve(promising(exports.park as (key: number) => number));
  },
  library: async () => {
    const library = await load<{ park(key: number): number }>(BENCH_GUEST, {
      imports: { env: { wait: suspending(never) } },
      concurrency: "interleaved",
    });
    return (key) => library.exports.park(key);
  },
};

const park = await start[Deno.args[0] ?? ""]?.();
if (park === undefined) throw new TypeError("Usage: park.ts raw|library");
park(0);
await turn();
const before = Deno.memoryUsage().rss;
for (let key = 0; key < PARKED; key++) park(key);
await turn();
const after = Deno.memoryUsage().rss;
console.log((after - before) / PARKED / 1024);
Deno.exit(0);

/** Lets everything that is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}
