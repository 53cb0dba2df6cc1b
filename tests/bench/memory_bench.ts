/** What parked greenlets keep in memory. @module */

import { type Bench, result } from "./measure.ts";

const SAMPLES = 3;

/** Runs the parking program in a process of its own. @returns KiB for each parked call. */
async function park(variant: "raw" | "library"): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      new URL("./park.ts", import.meta.url).href,
      variant,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot measure: ${text(stderr)}`);
  return Number(text(stdout));
}

/** The benches of memory. */
export const MEMORY_BENCHES: readonly Bench[] = [
  {
    name: "parked-memory",
    goal: "≤ 16 KiB each, 10,000 parked, segments included",
    run: async () => {
      const samples: number[] = [];
      const references: number[] = [];
      for (let i = 0; i < SAMPLES; i++) {
        references.push(await park("raw"));
        samples.push(await park("library"));
      }
      return result(
        { name: "parked-memory", unit: "KiB", reference: "raw JSPI stack" },
        samples,
        references,
      );
    },
  },
];
