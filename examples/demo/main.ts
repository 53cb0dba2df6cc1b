// deno-lint-ignore-file no-console -- it prints for people
/**
 * The demo: hundreds of blocking calls into stock SQLite, in one instance, all at once, while the
 * event loop keeps ticking; and the same work with a blocking SQLite.
 *
 * @module
 */

import { join } from "node:path";
import { Database } from "../../src/sqlite/mod.ts";
import { threadHub } from "../../src/host/thread_hub.ts";
import { type CallResult, createReadings, STATIONS } from "./data.ts";
import { LoopMeter, type LoopReport } from "./loop_meter.ts";
import { Progress } from "./progress.ts";
import { blockingCall, greenletCall } from "./workloads.ts";

type Call = (
  source: string,
  target: string,
  station: number,
) => CallResult | Promise<CallResult>;

interface Outcome extends LoopReport {
  readonly results: readonly CallResult[];
  readonly wallTime: number;
  readonly mostSuspended: number;
}

const directory = await Deno.makeTempDir({ prefix: "hedgesnake-demo-" });
try {
  const source = join(directory, "readings.db");
  const rows = createReadings(source);
  console.log(
    `${STATIONS} calls at once on ${
      rows.toLocaleString("en")
    } readings; each sums up a station and writes a report file.\n`,
  );
  // The first one starts SQLite itself, once in a process.
  await (await Database.open(":memory:")).close();
  const blocking = await run("node:sqlite, blocking", "blocking", blockingCall);
  const greenlets = await run("SQLite in greenlets", "greenlets", greenletCall);
  printTable(blocking, greenlets);
  compare(blocking.results, greenlets.results);
} finally {
  await Deno.remove(directory, { recursive: true });
}

/** Makes all calls at once, as a server's handlers would, and watches the event loop. */
async function run(title: string, kind: string, call: Call): Promise<Outcome> {
  const source = join(directory, "readings.db");
  const progress = new Progress(title, STATIONS);
  const suspended = countSuspended();
  const meter = new LoopMeter();
  const start = performance.now();
  const results = await Promise.all(
    Array.from({ length: STATIONS }, async (_, station) => {
      const target = join(directory, `${kind}-${station}.db`);
      const result = await call(source, target, station);
      progress.step();
      return result;
    }),
  );
  const wallTime = performance.now() - start;
  const report = meter.stop();
  progress.stop();
  return { results, wallTime, mostSuspended: suspended(), ...report };
}

/** Counts, through the hub's one hook, how many greenlets are suspended at once. */
function countSuspended(): () => number {
  const hub = threadHub();
  const change = { start: 0, suspend: 1, resume: -1, end: 0 };
  let now = 0;
  let most = 0;
  hub.observer = (event) => {
    now += change[event];
    most = Math.max(most, now);
  };
  return () => {
    hub.observer = undefined;
    return most;
  };
}

function printTable(blocking: Outcome, greenlets: Outcome): void {
  const rows: [string, (outcome: Outcome) => string][] = [
    ["calls finished", ({ results }) => String(results.length)],
    ["wall time", ({ wallTime }) => `${wallTime.toFixed(0)} ms`],
    ["event-loop ticks", ({ ticks }) => String(ticks)],
    ["worst loop delay", ({ worstDelay }) => `${worstDelay.toFixed(1)} ms`],
    ["most suspended at once", ({ mostSuspended }) => String(mostSuspended)],
  ];
  console.log(
    `\n${" ".repeat(24)}${"blocking".padStart(12)}${"greenlets".padStart(12)}`,
  );
  for (const [title, show] of rows) {
    console.log(
      title.padEnd(24) + show(blocking).padStart(12) +
        show(greenlets).padStart(12),
    );
  }
}

/** Ends the demo with an error when the two did not find the same. */
function compare(
  expected: readonly CallResult[],
  actual: readonly CallResult[],
): void {
  const text = (result: CallResult | undefined) => JSON.stringify(result);
  const different = expected.findIndex((result, station) =>
    text(result) !== text(actual[station])
  );
  if (different < 0) {
    console.log("\nBoth found the same, in every call.");
    return;
  }
  console.error(
    `\nThe results differ, first for station ${different}:\n  blocking  ${
      text(expected[different])
    }\n  greenlets ${text(actual[different])}`,
  );
  Deno.exitCode = 1;
}
