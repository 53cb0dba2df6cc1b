/**
 * Files that are read and written at positions, without ever blocking the event loop.
 *
 * Each file has two handles, since no call of the runtime does both well: `node:fs` reads at a
 * position off the thread, but its positional writes run on it; `FsFile` writes off the thread, but
 * has one offset, so that overlapping `seek` and `read` give wrong data.
 *
 * @module
 */

import { ResourceClosedError } from "../errors.ts";
import { FileError, type FileOperation } from "./file_error.ts";
import {
  closeDescriptor,
  type FileHandles,
  openHandles,
  readDescriptor,
  statDescriptor,
} from "./file_handles.ts";
import { WritePump } from "./write_pump.ts";

/** Options of {@linkcode RandomAccessFile.open}. */
export interface RandomAccessFileOptions {
  /** Whether the file can be read. @default {true} */
  readonly read?: boolean;
  /** Whether the file can be written. @default {false} */
  readonly write?: boolean;
  /** Whether the file is created where it does not exist; needs `write`. @default {false} */
  readonly create?: boolean;
  /** Whether the file must not exist yet; needs `write`. @default {false} */
  readonly createNew?: boolean;
  /** The permissions of a new file, before the process's umask. @default {0o666} */
  readonly mode?: number;
  /** How many bytes `write()` buffers before it asks its caller to wait. @default {4194304} */
  readonly maxBufferedBytes?: number;
}

/** What a file is, as of when it was opened. */
export interface FileIdentity {
  /** Device and inode: equal for all paths of one file. */
  readonly key: string;
  /** The permission bits. */
  readonly mode: number;
  /** The size, in bytes. */
  readonly size: number;
}

/** Counters of one file, since it was opened. */
export interface FileStats {
  /** Calls of `read()`. */
  readonly reads: number;
  /** Calls of `write()`. */
  readonly writes: number;
  /** Writes that reached the operating system, after coalescing. */
  readonly systemWrites: number;
  /** Bytes that reached the operating system. */
  readonly writtenBytes: number;
  /** Syncs that reached the operating system. */
  readonly syncs: number;
  /** Bytes that still wait. */
  readonly bufferedBytes: number;
}

/**
 * An open file.
 *
 * - Calls take effect in the order in which they were made, however they overlap: a read sees all
 *   writes before it and none after it.
 * - `write()` copies and returns; the bytes go to the operating system soon after, in order, with
 *   adjacent writes joined.
 * - A write that fails in the background makes the calls fail that wait for it at that moment. If
 *   there are none, the next `write()`, `flush()`, `truncate()`, `sync()` or `close()` fails, once.
 */
export class RandomAccessFile implements AsyncDisposable {
  /** The path, as it was opened. */
  readonly path: string;
  /** Device, inode, size and mode, as of when it was opened. */
  readonly identity: FileIdentity;
  readonly #descriptor: number;
  readonly #readable: boolean;
  readonly #pump: WritePump | undefined;
  readonly #maxBuffered: number;
  readonly #reads = new Set<Promise<unknown>>();
  readonly #counts = { reads: 0, writes: 0 };
  #closing: Promise<void> | undefined;

  private constructor(
    path: string,
    handles: FileHandles,
    options: RandomAccessFileOptions,
  ) {
    this.path = path;
    this.identity = handles.identity;
    this.#descriptor = handles.descriptor;
    this.#pump = handles.writer === undefined
      ? undefined
      : new WritePump(handles.writer, path, this.#reads);
    this.#readable = options.read ?? true;
    this.#maxBuffered = options.maxBufferedBytes ?? 4 << 20;
  }

  /**
   * Opens a file.
   *
   * @param path The path.
   * @param options How to open it.
   * @returns The open file.
   * @throws {FileError} When the file cannot be opened, or is a directory.
   */
  static async open(
    path: string,
    options: RandomAccessFileOptions = {},
  ): Promise<RandomAccessFile> {
    try {
      return new RandomAccessFile(
        path,
        await openHandles(path, options),
        options,
      );
    } catch (cause) {
      throw new FileError("open", path, cause);
    }
  }

  /** Whether bytes wait to be written, or a failure waits to be thrown. */
  get dirty(): boolean {
    return this.#pump?.dirty ?? false;
  }

  /**
   * Reads from a position, as many bytes as there are up to the end of the file.
   *
   * @param into Gets the bytes, some time before the promise settles: never give it guest memory.
   * @param position Where to read, in bytes.
   * @returns How many bytes were read; fewer than asked for only at the end of the file.
   * @throws {FileError} When the file cannot be read.
   * @throws {ResourceClosedError} When the file is closed.
   */
  async read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    this.#checkUsable("read", position);
    this.#counts.reads++;
    const overlay = this.#pump?.buffer.overlay(position, into.length);
    const got = await this.#track("read", this.#readSystem(into, position));
    return overlay === undefined ? got : overlay(into, got);
  }

  /**
   * Reads without waiting, where buffered writes cover the whole range.
   *
   * @param into Gets the bytes.
   * @param position Where to read, in bytes.
   * @returns Whether the bytes were at hand.
   * @throws {ResourceClosedError} When the file is closed.
   */
  tryRead(into: Uint8Array, position: number): boolean {
    this.#checkUsable("read", position);
    return this.#pump?.buffer.tryRead(into, position) ?? false;
  }

  /**
   * Whether so many more bytes can be written without waiting.
   *
   * @param length Bytes.
   * @returns Whether {@linkcode RandomAccessFile.write} would return no promise.
   */
  hasRoom(length: number): boolean {
    const buffered = this.#pump?.buffer.bytes ?? 0;
    return buffered + length <= this.#maxBuffered;
  }

  /**
   * Copies bytes into the buffer, from where they go into the file.
   *
   * @param data The bytes; they may change after the call.
   * @param position Where they go, in bytes. A gap behind the end of the file reads as zeros.
   * @returns Nothing, or a promise to wait for before writing more when the buffer is full.
   * @throws {FileError} When an earlier write failed in the background; this one is then not made.
   * @throws {ResourceClosedError} When the file is closed.
   */
  write(data: Uint8Array, position: number): void | Promise<void> {
    const pump = this.#checkWritable("write", position);
    pump.throwFailure();
    this.#counts.writes++;
    if (data.length === 0) return;
    pump.buffer.write(data, position);
    pump.start();
    if (pump.buffer.bytes <= this.#maxBuffered) return;
    return pump.finished(pump.buffer.sequenceBelow(this.#maxBuffered));
  }

  /**
   * Changes the size. Bytes behind the old end read as zeros.
   *
   * @param size The new size, in bytes.
   * @throws {FileError} When the size cannot be changed, or an earlier write failed.
   * @throws {ResourceClosedError} When the file is closed.
   */
  async truncate(size: number): Promise<void> {
    const pump = this.#checkWritable("truncate", size);
    pump.throwFailure();
    await pump.finished(pump.buffer.truncate(size));
  }

  /**
   * Waits until everything written so far has reached the operating system.
   *
   * @throws {FileError} When a write failed.
   * @throws {ResourceClosedError} When the file is closed.
   */
  async flush(): Promise<void> {
    this.#checkUsable("flush", 0);
    await this.#pump?.flush();
  }

  /**
   * Waits until everything written so far has reached the disk.
   *
   * @param options With `dataOnly`, metadata that reading does not need may stay behind.
   * @throws {FileError} When a write or the sync failed.
   * @throws {ResourceClosedError} When the file is closed.
   */
  async sync(options: { readonly dataOnly?: boolean } = {}): Promise<void> {
    this.#checkUsable("sync", 0);
    const pump = this.#pump;
    if (pump === undefined) return;
    pump.throwFailure();
    await pump.finished(pump.buffer.sync(options.dataOnly ?? false));
  }

  /**
   * Asks for the size, buffered writes included.
   *
   * @returns The size, in bytes.
   * @throws {FileError} When the operating system does not tell.
   * @throws {ResourceClosedError} When the file is closed.
   */
  async size(): Promise<number> {
    this.#checkUsable("measure", 0);
    const apply = this.#pump?.buffer.sizes();
    const { size } = await this.#track(
      "measure",
      statDescriptor(this.#descriptor),
    );
    return apply === undefined ? size : apply(size);
  }

  /**
   * Waits for the calls in progress, writes what is buffered and closes the file. More calls of it
   * wait for the first one and do nothing else.
   *
   * @throws {FileError} When a write failed; the file is closed nevertheless.
   */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.catch(() => {});
    this.#closing = this.#close();
    return this.#closing;
  }

  /** Closes the file, as {@linkcode RandomAccessFile.close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Counts what was done so far.
   *
   * @returns A frozen record.
   */
  stats(): FileStats {
    const { systemWrites = 0, writtenBytes = 0, syncs = 0 } =
      this.#pump?.counts ?? {};
    return Object.freeze({
      ...this.#counts,
      systemWrites,
      writtenBytes,
      syncs,
      bufferedBytes: this.#pump?.buffer.bytes ?? 0,
    });
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    try {
      this.#pump?.throwFailure();
    } catch (error) {
      failures.push(error);
    }
    // A failure from before does not keep what was written after it from the file.
    await this.#pump?.flush().catch((error) => failures.push(error));
    await Promise.allSettled(this.#reads);
    this.#pump?.close();
    await closeDescriptor(this.#descriptor).catch((cause) =>
      failures.push(new FileError("close", this.path, cause))
    );
    if (failures.length > 0) throw failures[0];
  }

  async #readSystem(into: Uint8Array, position: number): Promise<number> {
    let got = 0;
    while (got < into.length) {
      const count = await readDescriptor(
        this.#descriptor,
        into.subarray(got),
        position + got,
      );
      if (count === 0) break;
      got += count;
    }
    return got;
  }

  async #track<T>(operation: FileOperation, work: Promise<T>): Promise<T> {
    this.#reads.add(work);
    try {
      return await work;
    } catch (cause) {
      throw new FileError(operation, this.path, cause);
    } finally {
      this.#reads.delete(work);
    }
  }

  #checkWritable(operation: "write" | "truncate", position: number): WritePump {
    this.#checkUsable(operation, position);
    if (this.#pump === undefined) {
      throw new TypeError(
        `Cannot ${operation} '${this.path}': the file is open for reading only`,
      );
    }
    return this.#pump;
  }

  #checkUsable(operation: FileOperation | "flush", position: number): void {
    if (this.#closing !== undefined) {
      throw new ResourceClosedError(
        `Cannot ${operation} '${this.path}': the file is closed`,
      );
    }
    if (operation === "read" && !this.#readable) {
      throw new TypeError(
        `Cannot read '${this.path}': the file is open for writing only`,
      );
    }
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new RangeError(
        `Cannot ${operation} '${this.path}': the position ${position} is not a number of bytes`,
      );
    }
  }
}
