/** Where a guest's code comes from. @module */

import type { CompileOptions, GuestModule } from "../engine/guest_module.ts";
import { adoptModule, compileGuest } from "../engine/guest_module.ts";
import { InvalidModuleError, ResourceBrokenError } from "../errors.ts";

/**
 * A guest's code: a compiled module, its bytes, a response whose body they are, or the URL to
 * fetch them from (`https:`, `file:`, `data:`).
 */
export type GuestSource =
  | WebAssembly.Module
  | Uint8Array
  | ArrayBuffer
  | Response
  | URL
  | string;

/**
 * Fetches, rewrites and compiles a guest.
 *
 * @throws {ResourceBrokenError} When the code cannot be fetched.
 * @throws {InvalidModuleError} When it is not a core WebAssembly module.
 */
export async function readGuest(
  source: GuestSource,
  options: CompileOptions,
): Promise<GuestModule> {
  if (source instanceof WebAssembly.Module) return adoptModule(source, options);
  if (source instanceof Uint8Array) return await compileGuest(source, options);
  if (source instanceof ArrayBuffer) {
    return await compileGuest(new Uint8Array(source), options);
  }
  const response = source instanceof Response ? source : await get(source);
  return await compileGuest(await bodyOf(response), options);
}

async function get(source: URL | string): Promise<Response> {
  if (!URL.canParse(source)) {
    throw new InvalidModuleError(
      `Cannot load '${source}': it is not a URL; for a file beside your module write new URL("./name.wasm", import.meta.url)`,
    );
  }
  try {
    return await fetch(source);
  } catch (cause) {
    throw new ResourceBrokenError(`Cannot load '${source}': ${reason(cause)}`, {
      cause,
    });
  }
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const name = response.url || "the response";
  if (!response.ok) {
    await response.body?.cancel();
    throw new ResourceBrokenError(
      `Cannot load '${name}': the server answered ${response.status}`,
    );
  }
  try {
    return await response.bytes();
  } catch (cause) {
    throw new ResourceBrokenError(`Cannot load '${name}': ${reason(cause)}`, {
      cause,
    });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
