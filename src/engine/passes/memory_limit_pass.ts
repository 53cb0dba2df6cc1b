/**
 * Bounds a module's memory.
 *
 * @module
 */

import { UnsupportedGuestError } from "../../errors.ts";
import type { BinaryModule } from "../binary/binary_module.ts";
import type { Limits, MemoryImport } from "../binary/types.ts";
import type { Pass, PassResult } from "./pass.ts";

/** The bounds of a memory, in bytes. */
export interface MemoryBounds {
  /** Its size at first, in bytes. */
  readonly minimum: bigint;
  /** The greatest size that it had before the pass, in bytes, if any. */
  readonly declared?: bigint;
  /** The greatest size that it has now, in bytes. */
  readonly maximum: bigint;
}

const LOG2_OF_A_WASM_PAGE = 16;
const ADDRESSABLE_32 = 1n << 32n;
const U32_MAX = (1n << 32n) - 1n;

/**
 * A pass that lowers the greatest size of the memory, never raising it.
 *
 * A memory without a greatest size gets one. An imported memory counts as well:
 * the host must then provide one with that greatest size, or a smaller one.
 *
 * The finding is the memory's bounds, or nothing where there is no memory.
 *
 * @param maximumBytes The greatest size, in bytes, rounded down to pages.
 * @throws {RangeError} when `maximumBytes` is no whole number from 0 on. The
 * pass throws an {@linkcode UnsupportedGuestError} when the memory is larger
 * than that from the start, and when there are several: a limit on one of them
 * would be none.
 */
export function memoryLimitPass(
  maximumBytes: number,
): Pass<MemoryBounds | undefined> {
  if (!Number.isSafeInteger(maximumBytes) || maximumBytes < 0) {
    throw new RangeError(
      `Cannot limit the memory: ${maximumBytes} is no number of bytes`,
    );
  }
  return {
    name: "memory limit",
    apply: (module) => limitMemory(module, BigInt(maximumBytes)),
  };
}

function limitMemory(
  module: BinaryModule,
  maximumBytes: bigint,
): PassResult<MemoryBounds | undefined> {
  const limits = module.memoryLimits(0);
  if (limits === undefined) return { module, finding: undefined };
  if (module.memoryLimits(1) !== undefined) {
    throw new UnsupportedGuestError(
      "Cannot limit the memory: the guest has several memories",
    );
  }
  const log2 = BigInt(limits.pageSizeLog2 ?? LOG2_OF_A_WASM_PAGE);
  if (limits.minimum << log2 > maximumBytes) {
    throw new UnsupportedGuestError(
      `Cannot limit the memory to ${maximumBytes} bytes: the module needs ${
        limits.minimum << log2
      }`,
    );
  }
  const allowed = pagesOf(maximumBytes, log2, limits);
  const declared = limits.maximum;
  const maximum = least(allowed, declared ?? allowed);
  const finding: MemoryBounds = {
    minimum: limits.minimum << log2,
    maximum: maximum << log2,
    ...(declared === undefined ? {} : { declared: declared << log2 }),
  };
  if (maximum === declared) return { module, finding };
  return { module: withMemory(module, { ...limits, maximum }), finding };
}

function withMemory(module: BinaryModule, limits: Limits): BinaryModule {
  const imported = module.imports.find((entry) => entry.kind === "memory");
  if (imported === undefined) {
    return module.with({ memories: [limits] });
  }
  const replacement: MemoryImport = { ...imported, limits };
  const imports = module.imports.map((entry) =>
    entry === imported ? replacement : entry
  );
  return module.with({ imports });
}

/** The pages of that many bytes, or as many as the memory's type can declare. */
function pagesOf(bytes: bigint, log2: bigint, { is64 }: Limits): bigint {
  const pages = bytes >> log2;
  if (is64) return pages;
  return least(pages, least(ADDRESSABLE_32 >> log2, U32_MAX));
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
