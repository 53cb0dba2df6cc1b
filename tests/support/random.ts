/** Random numbers that a seed repeats. @module */

/** A source of numbers from 0 up to, but not including, 1. */
export type Random = () => number;

/**
 * The numbers that follow from a seed, always the same ones.
 *
 * Source: mulberry32, by Tommy Ettinger, in the public domain.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 up to, but not including, `limit`. */
export function integer(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One of the values, or nothing where there is none. */
export function choice<Value>(
  random: Random,
  values: readonly Value[],
): Value | undefined {
  return values[integer(random, values.length)];
}
