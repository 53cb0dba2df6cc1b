/**
 * Reading more than SQLite asked for where it reads a file from one end to the other: a table scan,
 * a rollback from a journal. Each read that suspends costs some 50 µs, however short.
 *
 * @module
 */

/** The first window, as a multiple of the read that starts it. Later ones double. */
const FIRST_FACTOR = 4;

/** No window is larger, in bytes. */
const MAX_WINDOW = 512 * 1024;

/** What was read ahead of one file. */
export class ReadAhead {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #position = 0;
  #nextPosition = -1;
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
   * Reads from the file: just what is asked for, or ahead where the last read, or what was read
   * ahead, ended here.
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
    const length = this.#windowAt(position, into.length);
    this.#nextPosition = position + into.length;
    if (length <= into.length) return await read(into, position);
    const version = this.#version;
    const bytes = new Uint8Array(length);
    const got = await read(bytes, position);
    if (version === this.#version) {
      this.#bytes = bytes.subarray(0, got);
      this.#position = position;
    }
    into.set(bytes.subarray(0, Math.min(got, into.length)));
    return Math.min(got, into.length);
  }

  /**
   * Keeps what was read ahead equal to the file.
   *
   * @param data The bytes that were written.
   * @param position Where they were written, in bytes.
   */
  wrote(data: Uint8Array, position: number): void {
    this.#version++;
    const from = Math.max(position, this.#position);
    const end = this.#position + this.#bytes.length;
    const to = Math.min(position + data.length, end);
    if (from >= to) return;
    const part = data.subarray(from - position, to - position);
    this.#bytes.set(part, from - this.#position);
  }

  /** Forgets everything: the file may be changed by others from now on, or was cut off. */
  forget(): void {
    this.#version++;
    if (this.#bytes.length > 0) this.#bytes = new Uint8Array(0);
  }

  /** How much to read: a window grows only once the one before it was read to its end. */
  #windowAt(position: number, length: number): number {
    const ahead = this.#bytes.length;
    if (ahead > 0 && position === this.#position + ahead) {
      return Math.min(ahead * 2, MAX_WINDOW);
    }
    return position === this.#nextPosition ? length * FIRST_FACTOR : length;
  }
}
