/** From the names that SQLite is given to the one path that a file is known by. @module */

import {
  basename,
  dirname,
  isAbsolute,
  join,
  normalize,
  resolve,
} from "node:path";

/** A path, and whether it differs from the name by more than its spelling. */
export interface FullPath {
  /** Absolute, normalised and without symbolic links, as far as they could be looked at. */
  readonly path: string;
  /** Whether the file itself was a symbolic link. */
  readonly isLink: boolean;
}

/**
 * The path of a file that may not exist yet.
 *
 * Symbolic links are followed, since a database must have the same journal whichever way it is
 * opened. Where Deno's permissions do not allow to look, the path is only normalised.
 *
 * @param name An absolute path, or one relative to the working directory.
 * @returns The path.
 * @throws {Deno.errors.NotCapable} When the working directory is needed and must not be read.
 */
export async function fullPathOf(name: string): Promise<FullPath> {
  const path = isAbsolute(name) ? normalize(name) : resolve(Deno.cwd(), name);
  const real = await realPath(path);
  if (real !== undefined) {
    return { path: real, isLink: real !== path && await isSymlink(path) };
  }
  // The file does not exist yet; its directory may still be reached by a link.
  const directory = await realPath(dirname(path));
  if (directory === undefined) return { path, isLink: false };
  return { path: join(directory, basename(path)), isLink: false };
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch {
    return undefined;
  }
}

async function isSymlink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch {
    return false;
  }
}
