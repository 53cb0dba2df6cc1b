/** How benches measure: a subject beside its reference, in the same run. @module */

/** What one bench found out. */
export interface BenchResult {
  /** The bench. */
  readonly name: string;
  /** Of both values. */
  readonly unit: string;
  /** The subject's median. */
  readonly value: number;
  /** What it is held against. */
  readonly reference: string;
  /** The reference's median. */
  readonly referenceValue: number;
  /** `value / referenceValue`. */
  readonly ratio: number;
  /** The subject's samples, in the order in which they were taken. */
  readonly samples: readonly number[];
}

/** A bench: what it is called, its goal in words, and how to run it. */
export interface Bench {
  /** Its name on the command line. */
  readonly name: string;
  /** What it should reach, for the table. */
  readonly goal: string;
  /** Measures. */
  run(): Promise<BenchResult>;
}

/** Something to measure: does `count` operations. */
export type Operations = (count: number) => unknown;

/** What {@linkcode compare} needs to know. */
export interface Comparison {
  /** The bench's name. */
  readonly name: string;
  /** Of the values. */
  readonly unit: "ns" | "µs" | "ms";
  /** What the reference is. */
  readonly reference: string;
  /** The reference's operations. */
  readonly baseline: Operations;
  /** The subject's operations. */
  readonly subject: Operations;
  /** Operations in a sample. */
  readonly count: number;
  /**
   * How many samples of each, taken in turn.
   *
   * @default {21}
   */
  readonly samples?: number;
}

const PER_MILLISECOND = { ns: 1e6, "µs": 1e3, ms: 1 };

/** Measures the time of an operation, subject and reference in turn so that noise hits both. */
export async function compare(comparison: Comparison): Promise<BenchResult> {
  const { name, unit, reference, baseline, subject, count } = comparison;
  const time = async (operations: Operations) => {
    const start = performance.now();
    await operations(count);
    return (performance.now() - start) * PER_MILLISECOND[unit] / count;
  };
  for (let i = 0; i < 3; i++) {
    await time(baseline);
    await time(subject);
  }
  const references: number[] = [];
  const samples: number[] = [];
  for (let i = 0; i < (comparison.samples ?? 21); i++) {
    references.push(await time(baseline));
    samples.push(await time(subject));
  }
  return result({ name, unit, reference }, samples, references);
}

/** The record of samples. */
export function result(
  about: Pick<BenchResult, "name" | "unit" | "reference">,
  samples: readonly number[],
  references: readonly number[],
): BenchResult {
  const value = median(samples);
  const referenceValue = median(references);
  return {
    ...about,
    value,
    referenceValue,
    ratio: value / referenceValue,
    samples,
  };
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
