/** Results of work on many items, one after the other. @module */

import type { Greenlet } from "./greenlet.ts";
import type { Spawned } from "./greenlet_set.ts";
import type { GreenletBody, SpawnOptions } from "./spawn_options.ts";
import { WaitLine } from "./sync/wait_line.ts";
import { block, type Waiter } from "./sync/waiter.ts";
import { threadHub, waitingGreenlet } from "./thread.ts";

/** What can be gone through. */
export type MapInput<I> = Iterable<I> | AsyncIterable<I>;

/** What runs for each item. */
export type MapBody<I, R> = (item: I) => R | PromiseLike<R>;

/** Options of {@linkcode GreenletSet.imap}. */
export interface MapOptions {
  /**
   * How many items may be at work or finished and not yet read.
   *
   * @default {Infinity}
   */
  readonly maxSize?: number;
}

/** Who runs the items: a group or a pool. */
export interface Launcher {
  /** Spawns a greenlet, when there is a place. */
  launch<T>(
    body: GreenletBody<T>,
    options: SpawnOptions | undefined,
    owner: Greenlet<unknown> | undefined,
  ): Promise<Spawned<T>>;
}

/** The outcome of one item, or the end by the input's error. */
interface Entry<R> {
  greenlet: Greenlet<R> | undefined;
  error: unknown;
}

/**
 * What {@linkcode GreenletSet.imap} returns.
 *
 * Leaving it early starts no more items; those at work go on.
 *
 * @typeParam I The items.
 * @typeParam R The results.
 */
export class ResultIterator<I, R>
  implements AsyncIterableIterator<R>, AsyncDisposable {
  readonly #launcher: Launcher;
  readonly #items: MapInput<I>;
  readonly #body: MapBody<I, R>;
  readonly #ordered: boolean;
  readonly #maxSize: number;
  readonly #entries: Entry<R>[] = [];
  readonly #readers = new WaitLine<IteratorResult<R, undefined>>();
  readonly #writers = new WaitLine<void>();
  #feeder: Greenlet<void> | undefined = undefined;
  #unread = 0;
  #atWork = 0;
  #fed = false;
  #closed = false;

  /**
   * An iterator that has not begun.
   *
   * @internal
   */
  constructor(
    launcher: Launcher,
    items: MapInput<I>,
    body: MapBody<I, R>,
    options: MapOptions & { readonly ordered: boolean },
  ) {
    const { maxSize = Infinity } = options;
    if (!(maxSize >= 1)) {
      throw new RangeError(
        `Cannot go through items: maxSize must be 1 or more, not ${maxSize}`,
      );
    }
    this.#launcher = launcher;
    this.#items = items;
    this.#body = body;
    this.#ordered = options.ordered;
    this.#maxSize = maxSize;
  }

  /** Waits for the next result; rejects with its item's error. */
  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#feeder === undefined && !this.#closed) {
      const owner = waitingGreenlet();
      this.#feeder = threadHub().spawn(() => this.#feed(owner), {
        name: "imap()",
      });
    }
    return block<IteratorResult<R, undefined>, undefined>({
      label: "imap()",
      detail: undefined,
      begin: (waiter) => {
        this.#readers.push(waiter);
        this.#pump();
      },
    }, {});
  }

  /** Ends the iteration. */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#closed = true;
    this.#entries.length = 0;
    this.#pump();
    await this.#feeder?.kill("the iteration was left");
    return { done: true, value: undefined };
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends it at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #feed(owner: Greenlet<unknown> | undefined): Promise<void> {
    let source: Source<I> | undefined;
    try {
      source = new Source(this.#items);
      for (;;) {
        await this.#room();
        const step = await source.next();
        if (step.done) break;
        await this.#start(step.value, owner);
      }
    } catch (error) {
      if (!this.#closed) this.#entries.push({ greenlet: undefined, error });
    } finally {
      this.#fed = true;
      this.#pump();
      source?.close();
    }
  }

  async #start(item: I, owner: Greenlet<unknown> | undefined): Promise<void> {
    const body = this.#body;
    const { greenlet } = await this.#launcher.launch(
      () => body(item),
      undefined,
      owner,
    );
    this.#unread += 1;
    this.#atWork += 1;
    const entry = { greenlet, error: undefined };
    if (this.#ordered && !this.#closed) this.#entries.push(entry);
    const end = () => {
      greenlet.takeError();
      this.#atWork -= 1;
      if (!this.#ordered && !this.#closed) this.#entries.push(entry);
      this.#pump();
    };
    if (greenlet.ended) end();
    else greenlet.onEnd(end);
  }

  #room(): Promise<void> {
    return block<void, undefined>({
      label: "imap()",
      detail: undefined,
      begin: (waiter) => {
        if (this.#unread < this.#maxSize) waiter.settle();
        else this.#writers.push(waiter);
      },
    }, {});
  }

  #pump(): void {
    while (this.#readers.length > 0) {
      const entry = this.#entries[0];
      if (entry === undefined) {
        if (!this.#closed && (!this.#fed || this.#atWork > 0)) return;
        this.#readers.settleAll({ done: true, value: undefined });
        return;
      }
      const { greenlet } = entry;
      if (greenlet !== undefined && !greenlet.ended) return;
      // The input's error comes after all results.
      if (greenlet === undefined && this.#atWork > 0) return;
      this.#entries.shift();
      const reader = this.#readers.shift();
      if (greenlet === undefined) reader?.fail(entry.error);
      else {
        this.#unread -= 1;
        this.#writers.shift()?.settle();
        give(reader, greenlet);
      }
    }
  }
}

function give<R>(
  reader: Waiter<IteratorResult<R, undefined>> | undefined,
  greenlet: Greenlet<R>,
): void {
  if (!greenlet.successful) reader?.fail(greenlet.error);
  else reader?.settle({ done: false, value: greenlet.value as R });
}

/** Items that are pulled one by one, each pull a wait of the running greenlet. */
class Source<I> {
  readonly #iterator: Iterator<I> | AsyncIterator<I>;
  readonly #asynchronous: boolean;
  #over = false;

  constructor(items: MapInput<I>) {
    const { [Symbol.asyncIterator]: asynchronous } = items as Partial<
      AsyncIterable<I>
    >;
    this.#asynchronous = asynchronous !== undefined;
    this.#iterator = asynchronous?.call(items) ??
      (items as Iterable<I>)[Symbol.iterator]();
  }

  async next(): Promise<IteratorResult<I>> {
    const step = await (this.#asynchronous ? this.#patiently() : this.#pull());
    this.#over ||= step.done === true;
    return step;
  }

  /** Tells the iterator, unless it has ended by itself. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    void (async () => await this.#iterator.return?.())();
  }

  #pull(): IteratorResult<I> | Promise<IteratorResult<I>> {
    try {
      return this.#iterator.next();
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  #patiently(): Promise<IteratorResult<I>> {
    return block<IteratorResult<I>, undefined>({
      label: "the items of imap()",
      detail: undefined,
      begin: (waiter) => {
        Promise.resolve(this.#pull()).then(
          (step) => waiter.settle(step),
          (error: unknown) => {
            this.#over = true;
            waiter.fail(error);
          },
        );
      },
    }, {});
  }
}
