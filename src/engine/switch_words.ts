/**
 * The words that JavaScript and every shim of a thread share, in a small memory: a write to it
 * costs a thirtieth of one to a `WebAssembly.Global`.
 *
 * @module
 */

/** Which word is which. */
export const WORD = {
  /** Set by `attempt` when the caller has to wait. */
  wouldBlock: 0,
  /** The number of the activation that runs now; 0: none. */
  current: 1,
  /** Set by `wait` to make the shim trap instead of throwing on. */
  trap: 2,
};

/**
 * The first word of the activations' records. The record of number n is the two words from
 * `RECORDS + 2 * n` on: the lowest and the highest value of its stack pointer. The shim makes the
 * lowest one -1 when the stack pointer is outside.
 */
export const RECORDS = 16;
