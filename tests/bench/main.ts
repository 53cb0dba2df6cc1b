// deno-lint-ignore-file no-console -- it prints for people
/**
 * Runs the benches: `deno task bench [--json FILE] [NAME …]`.
 *
 * @module
 */

import { ENGINE_BENCHES } from "./engine_bench.ts";
import { GREENLET_BENCHES } from "./greenlet_bench.ts";
import { LOOP_BENCHES } from "./loop_delay_bench.ts";
import type { Bench, BenchResult } from "./measure.ts";
import { MEMORY_BENCHES } from "./memory_bench.ts";
import { SQLITE_BENCHES } from "./sqlite_bench.ts";

const BENCHES: readonly Bench[] = [
  ...ENGINE_BENCHES,
  ...MEMORY_BENCHES,
  ...SQLITE_BENCHES,
  ...LOOP_BENCHES,
  ...GREENLET_BENCHES,
];

const names = [...Deno.args];
const jsonAt = names.indexOf("--json");
const [, file] = jsonAt < 0 ? [] : names.splice(jsonAt, 2);
const unknown = names.filter((name) =>
  !BENCHES.some((bench) => bench.name === name)
);
if (unknown.length > 0 || (jsonAt >= 0 && file === undefined)) {
  console.error(
    `Usage: deno task bench [--json FILE] [${
      BENCHES.map(({ name }) => name).join(" | ")
    }]`,
  );
  Deno.exit(2);
}

const results: BenchResult[] = [];
console.log(
  row("bench", "value", "reference", "ratio", "goal"),
);
for (const bench of BENCHES) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  const found = await bench.run();
  results.push(found);
  const { unit, value, reference, referenceValue, ratio } = found;
  console.log(
    row(
      found.name,
      `${show(value)} ${unit}`,
      `${show(referenceValue)} ${unit} ${reference}`,
      `${ratio.toFixed(2)} ×`,
      bench.goal,
    ),
  );
}
if (file !== undefined) {
  await Deno.writeTextFile(file, `${JSON.stringify(results, null, 2)}\n`);
}
// Libraries that benches opened stay open; nothing of theirs is worth waiting for.
Deno.exit(0);

function row(...cells: string[]): string {
  const widths = [24, 14, 38, 9];
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" ");
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
