/**
 * Writes that were accepted but are not in the file yet, in their order.
 *
 * It knows no file: it only answers what the file looks like once all of them are applied.
 *
 * @module
 */

/** Bytes to put at a position. */
interface BufferedWrite {
  readonly kind: "write";
  readonly sequence: number;
  readonly position: number;
  /** May be longer than what was written so far: see {@linkcode BufferedWrite.length}. */
  bytes: Uint8Array<ArrayBuffer>;
  length: number;
}

/** The file gets this size. */
interface BufferedTruncate {
  readonly kind: "truncate";
  readonly sequence: number;
  readonly size: number;
}

/** Everything before it reaches the disk. */
interface BufferedSync {
  readonly kind: "sync";
  readonly sequence: number;
  readonly dataOnly: boolean;
}

/** One change that waits for its turn. */
export type BufferedOperation = BufferedWrite | BufferedTruncate | BufferedSync;

/** A change as a read or a size sees it. */
type Step =
  | { kind: "write"; offset: number; bytes: Uint8Array; end: number }
  | { kind: "truncate"; size: number };

/** Coalescing stops here, so that one write of the pump does not hold up what waits behind it. */
const MAX_COALESCED = 1 << 20;

/** A queue of writes, truncations and syncs of one file. */
export class WriteBuffer {
  readonly #operations: BufferedOperation[] = [];
  #headTaken = false;
  #sequence = 0;
  #bytes = 0;

  /** How many bytes wait, those of the write in progress included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many operations wait, the one in progress included. */
  get length(): number {
    return this.#operations.length;
  }

  /** The number of the last operation that was queued. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /**
   * Copies bytes into the queue, into the last write where they touch it.
   *
   * @param data The bytes; they may change after the call.
   * @param position Where they go, in bytes from the start of the file.
   */
  write(data: Uint8Array, position: number): void {
    this.#bytes += this.#coalesce(data, position);
  }

  #coalesce(data: Uint8Array, position: number): number {
    const last = this.#operations.at(-1);
    const open = last?.kind === "write" &&
      !(this.#headTaken && this.#operations.length === 1);
    if (open) {
      const offset = position - last.position;
      const end = offset + data.length;
      if (offset >= 0 && offset <= last.length && end <= MAX_COALESCED) {
        if (end > last.bytes.length) {
          const grown = new Uint8Array(Math.max(end, last.bytes.length * 2));
          grown.set(last.bytes.subarray(0, last.length));
          last.bytes = grown;
        }
        last.bytes.set(data, offset);
        const added = Math.max(0, end - last.length);
        last.length += added;
        return added;
      }
    }
    this.#operations.push({
      kind: "write",
      sequence: ++this.#sequence,
      position,
      bytes: new Uint8Array(data),
      length: data.length,
    });
    return data.length;
  }

  /**
   * Queues a change of the file's size.
   *
   * @param size The new size, in bytes.
   * @returns The operation's number.
   */
  truncate(size: number): number {
    const sequence = ++this.#sequence;
    this.#operations.push({ kind: "truncate", sequence, size });
    return sequence;
  }

  /**
   * Queues a sync behind everything that was queued before.
   *
   * @param dataOnly Whether metadata that reading does not need may stay behind.
   * @returns The operation's number.
   */
  sync(dataOnly: boolean): number {
    const sequence = ++this.#sequence;
    this.#operations.push({ kind: "sync", sequence, dataOnly });
    return sequence;
  }

  /**
   * Takes the oldest operation, which no write is added to any more. It stays visible to reads until
   * {@linkcode WriteBuffer.finish} says that it is in the file.
   *
   * @returns The operation, or `undefined` where none waits.
   */
  take(): BufferedOperation | undefined {
    const head = this.#operations[0];
    this.#headTaken = head !== undefined;
    return head;
  }

  /** Forgets the operation that was taken: it is in the file, or it failed. */
  finish(): void {
    const head = this.#operations.shift();
    this.#headTaken = false;
    if (head?.kind === "write") this.#bytes -= head.length;
  }

  /**
   * Which operation must be finished for at most `limit` bytes to wait.
   *
   * @param limit Bytes.
   * @returns The operation's number.
   */
  sequenceBelow(limit: number): number {
    let bytes = this.#bytes;
    for (const operation of this.#operations) {
      if (operation.kind === "write") bytes -= operation.length;
      if (bytes <= limit) return operation.sequence;
    }
    return this.#sequence;
  }

  /**
   * Reads without the file, where one write covers the whole range.
   *
   * @param into Gets the bytes.
   * @param position Where to read, in bytes.
   * @returns Whether the range was covered.
   */
  tryRead(into: Uint8Array, position: number): boolean {
    const end = position + into.length;
    for (let i = this.#operations.length - 1; i >= 0; i--) {
      const operation = this.#operations[i];
      if (operation === undefined || operation.kind === "truncate") {
        return false;
      }
      if (operation.kind === "sync") continue;
      const { position: start, length } = operation;
      if (start <= position && start + length >= end) {
        into.set(operation.bytes.subarray(position - start, end - start));
        return true;
      }
      if (start < end && start + length > position) return false;
    }
    return false;
  }

  /**
   * What the waiting operations do to a range, as of now.
   *
   * Applying an operation to a file that already has it changes nothing, so it does not matter how
   * many of them reach the file while it is being read.
   *
   * @param position The range's start, in bytes.
   * @param length The range's length, in bytes.
   * @returns A function that changes what was read from the file, and tells the new length.
   */
  overlay(
    position: number,
    length: number,
  ): (into: Uint8Array, got: number) => number {
    const steps: Step[] = [];
    for (const operation of this.#operations) {
      if (operation.kind === "truncate") steps.push(operation);
      if (operation.kind !== "write") continue;
      const end = operation.position + operation.length;
      if (end <= position) continue;
      const from = Math.max(operation.position, position);
      const to = Math.max(from, Math.min(end, position + length));
      const bytes = operation.bytes.slice(
        from - operation.position,
        to - operation.position,
      );
      steps.push({ kind: "write", offset: from - position, bytes, end });
    }
    return (into, got) => applySteps(steps, into, position, got);
  }

  /**
   * What the waiting operations do to the file's size, as of now.
   *
   * @returns A function from the size that the file has to the size that it will have.
   */
  sizes(): (size: number) => number {
    const steps = this.#operations.flatMap((operation) => {
      if (operation.kind === "truncate") {
        return [{ size: operation.size, exact: true }];
      }
      if (operation.kind === "sync") return [];
      return [{ size: operation.position + operation.length, exact: false }];
    });
    return (size) =>
      steps.reduce(
        (now, step) => step.exact ? step.size : Math.max(now, step.size),
        size,
      );
  }
}

function applySteps(
  steps: readonly Step[],
  into: Uint8Array,
  position: number,
  got: number,
): number {
  let available = got;
  for (const step of steps) {
    const end = step.kind === "write" ? step.end : step.size;
    const reach = Math.max(0, Math.min(into.length, end - position));
    // What lies between the end of the file and a write behind it reads as zeros.
    if (reach > available) into.fill(0, available, reach);
    if (step.kind === "truncate") {
      available = reach;
    } else {
      available = Math.max(available, reach);
      into.set(step.bytes, Math.min(step.offset, into.length));
    }
  }
  return available;
}
