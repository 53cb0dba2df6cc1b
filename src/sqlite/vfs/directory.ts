/** Making a directory's entries durable. @module */

/**
 * Brings the entries of a file's directory to the disk, so that a crash neither loses a journal
 * that was created nor revives one that was deleted.
 *
 * Where the directory cannot be opened, on Windows or without Deno's permission to read it, nothing
 * happens, as in SQLite's own unix VFS.
 *
 * @param path The file's path.
 */
export async function syncDirectoryOf(path: string): Promise<void> {
  let directory: Deno.FsFile;
  try {
    directory = await Deno.open(path.replace(/[^/\\]*$/, "") || ".");
  } catch {
    return;
  }
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}
