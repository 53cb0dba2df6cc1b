/**
 * Puts buffered writes into a file, one after the other, and tells who waits for them.
 *
 * @module
 */

import { FileError } from "./file_error.ts";
import { type BufferedOperation, WriteBuffer } from "./write_buffer.ts";

/** A call that waits until an operation of the buffer is done. */
interface Waiter {
  readonly sequence: number;
  readonly settle: (error: FileError | undefined) => void;
  error: FileError | undefined;
}

/** The writing half of a file. */
export class WritePump {
  /** What waits. After adding to it, call {@linkcode WritePump.start} or `finished()`. */
  readonly buffer: WriteBuffer = new WriteBuffer();
  /** What reached the operating system. */
  readonly counts: {
    systemWrites: number;
    writtenBytes: number;
    syncs: number;
  } = {
    systemWrites: 0,
    writtenBytes: 0,
    syncs: 0,
  };
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #reads: ReadonlySet<Promise<unknown>>;
  readonly #waiters = new Set<Waiter>();
  #running = false;
  #failure: FileError | undefined;

  /**
   * A pump that owns a handle.
   *
   * @param file The handle. Nobody else uses it, since its offset is shared.
   * @param path The path, for errors.
   * @param reads The reads in progress, of another handle.
   */
  constructor(
    file: Deno.FsFile,
    path: string,
    reads: ReadonlySet<Promise<unknown>>,
  ) {
    this.#file = file;
    this.#path = path;
    this.#reads = reads;
  }

  /** Whether something waits, or a failure was not thrown yet. */
  get dirty(): boolean {
    return this.buffer.length > 0 || this.#failure !== undefined;
  }

  /** Throws the failure that nobody was told of, once. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /**
   * Starts in a microtask: a guest that writes without waiting in between runs on until then, so
   * that all its adjacent writes become one.
   */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => this.#run());
  }

  /**
   * Waits until what is buffered now is done.
   *
   * @throws {FileError} When it failed, or something did before that nobody was told of.
   */
  async flush(): Promise<void> {
    this.throwFailure();
    if (this.buffer.length > 0) await this.finished(this.buffer.lastSequence);
  }

  /**
   * Waits until an operation and all before it are done.
   *
   * @param sequence The operation's number.
   * @throws {FileError} When one of them failed meanwhile.
   */
  finished(sequence: number): Promise<void> {
    this.start();
    return new Promise((resolve, reject) => {
      this.#waiters.add({
        sequence,
        error: undefined,
        settle: (error) => error === undefined ? resolve() : reject(error),
      });
    });
  }

  /** Closes the handle. Nothing may wait any more. */
  close(): void {
    this.#file.close();
  }

  async #run(): Promise<void> {
    for (
      let operation = this.buffer.take();
      operation !== undefined;
      operation = this.buffer.take()
    ) {
      // The reads that were called before this operation must not see it.
      if (this.#reads.size > 0) await Promise.allSettled(this.#reads);
      try {
        await this.#apply(operation);
      } catch (cause) {
        this.#fail(
          operation.sequence,
          new FileError(operation.kind, this.#path, cause),
        );
      }
      this.buffer.finish();
      for (const waiter of this.#waiters) {
        if (waiter.sequence > operation.sequence) continue;
        this.#waiters.delete(waiter);
        waiter.settle(waiter.error);
      }
    }
    this.#running = false;
  }

  async #apply(operation: BufferedOperation): Promise<void> {
    if (operation.kind === "truncate") {
      return await this.#file.truncate(operation.size);
    }
    if (operation.kind === "sync") {
      this.counts.syncs++;
      return await (operation.dataOnly
        ? this.#file.syncData()
        : this.#file.sync());
    }
    const bytes = operation.bytes.subarray(0, operation.length);
    // Moving the offset does no I/O. Nothing else uses it: all operations of the handle are here.
    this.#file.seekSync(operation.position, Deno.SeekMode.Start);
    for (let written = 0; written < bytes.length;) {
      this.counts.systemWrites++;
      const count = await this.#file.write(bytes.subarray(written));
      if (count === 0) throw new Error("The operating system writes no bytes");
      written += count;
      this.counts.writtenBytes += count;
    }
  }

  /** Tells those who wait for the operation; if there are none, keeps the error for the next call. */
  #fail(sequence: number, error: FileError): void {
    let told = false;
    for (const waiter of this.#waiters) {
      if (waiter.sequence < sequence) continue;
      waiter.error ??= error;
      told = true;
    }
    if (!told) this.#failure ??= error;
  }
}
