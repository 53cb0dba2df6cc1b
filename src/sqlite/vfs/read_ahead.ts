/**
 * Reading more than SQLite asked for where it reads a file from one end to the other: a table scan,
 * a rollback from a journal. Each read that suspends costs some 50 µs, however short.
 *
 * @module
 */

/** The first window, as a multiple of the read that starts it. */
const FIRST_FACTOR = 4;

/** Windows double up to this size, in bytes. */
const MAX_WINDOW = 512 * 1024;

/** What was read ahead of one file. */
export class ReadAhead {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #position = 0;
  #nextPosition = -1;
  #window = 0;
  #version = 0;

  /**
   * Reads without the file, where all of the range was read ahead.
   *
   * @param into Gets the bytes.
   * @param position Where to read, in bytes.
   * @returns Whether the range was there.
   */
  tryRead(into: Uint8Array, position: number): boolean {
    const from = position - this.#position;
    const to = from + into.length;
    if (from < 0 || to > this.#bytes.length) return false;
    into.set(this.#bytes.subarray(from, to));
    this.#nextPosition = position + into.length;
    return true;
  }

  /**
   * Reads from the file: just what is asked for, or ahead where the last read ended here.
   *
   * @param into Gets the bytes.
   * @param position Where to read, in bytes.
   * @param read Reads from the file.
   * @returns How many bytes there were.
   */
  async read(
    into: Uint8Array<ArrayBuffer>,
    position: number,
    read: (into: Uint8Array<ArrayBuffer>, position: number) => Promise<number>,
  ): Promise<number> {
    const sequential = position === this.#nextPosition;
    this.#nextPosition = position + into.length;
    if (!sequential) {
      this.#window = 0;
      return await read(into, position);
    }
    this.#window = Math.min(
      Math.max(this.#window * 2, into.length * FIRST_FACTOR),
      MAX_WINDOW,
    );
    if (this.#window <= into.length) return await read(into, position);
    const version = this.#version;
    const bytes = new Uint8Array(this.#window);
    const got = await read(bytes, position);
    if (version === this.#version) {
      this.#bytes = bytes.subarray(0, got);
      this.#position = position;
    }
    into.set(bytes.subarray(0, Math.min(got, into.length)));
    return Math.min(got, into.length);
  }

  /** Forgets everything: the file changed, or may be changed by others from now on. */
  forget(): void {
    this.#version++;
    if (this.#bytes.length > 0) this.#bytes = new Uint8Array(0);
  }
}
