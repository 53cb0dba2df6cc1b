/** How a guest's instance runs greenlets. @module */

import type { SwitchedState } from "./switched_state.ts";
import type { StackBudget } from "./stack_budget.ts";
import type { AllocatorNames } from "./stack_segments.ts";

/**
 * How many greenlets run in one instance: `exclusive`, one at a time on the guest's own stack;
 * `interleaved`, many, each on a stack segment of its own; `isolated`, an instance for each.
 */
export type Concurrency = "exclusive" | "interleaved" | "isolated";

/**
 * How a greenlet in the guest is ended early. `throw` unwinds the guest with an exception.
 * `errno` makes the one call fail that it waits in, and lets it clean up in peace.
 */
export type KillMode = "throw" | "errno";

/** Options of an instance. */
export interface GuestOptions {
  /**
   * How many greenlets may run in it.
   *
   * @default {"exclusive"}
   */
  readonly concurrency?: "exclusive" | "interleaved" | undefined;
  /**
   * Size of a stack segment in an `interleaved` instance, in bytes; at least 1,024.
   *
   * @default {65536}
   */
  readonly stackSize?: number | undefined;
  /**
   * Where stack segments come from: the guest's allocator functions by name, or `"grow"` for new
   * pages at the memory's end. By default `malloc` and `free`, else `cabi_realloc`.
   */
  readonly allocator?: AllocatorNames | "grow" | undefined;
  /**
   * State beyond the stack that each greenlet has a copy of its own of, such as C's `errno`.
   * Only an `interleaved` instance switches it.
   */
  readonly state?: SwitchedState | undefined;
  /**
   * How greenlets are ended early.
   *
   * @default {"throw"}
   */
  readonly killMode?: KillMode | undefined;
  /**
   * What happens to new calls when the instance is tainted.
   *
   * @default {"refuse"}
   */
  readonly onTaint?: "refuse" | "allow" | undefined;
  /**
   * The stacks that the instance may use. By default those of the process.
   *
   * @internal
   */
  readonly stacks?: StackBudget | undefined;
}
