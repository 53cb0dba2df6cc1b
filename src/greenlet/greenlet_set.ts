/** Greenlets that are waited for, killed and fed with work together. @module */

import type { Greenlet } from "./greenlet.ts";
import {
  type MapBody,
  type MapInput,
  type MapOptions,
  ResultIterator,
} from "./result_iterator.ts";
import type {
  GreenletBody,
  KillOptions,
  SpawnOptions,
} from "./spawn_options.ts";
import { WaitLine } from "./sync/wait_line.ts";
import type { WaitOptions } from "./sync/wait_options.ts";
import { block } from "./sync/waiter.ts";
import { threadHub, waitingGreenlet } from "./thread.ts";

/** A greenlet in a wrapping, as a promise for it alone would wait for its end. */
export interface Spawned<T> {
  /** The greenlet. */
  readonly greenlet: Greenlet<T>;
}

/** Options of {@linkcode GreenletSet.join}. */
export interface JoinSetOptions extends WaitOptions {
  /**
   * Whether to throw the error of one that has failed, when all have ended. Only of those that
   * are members now; a kill is no failure.
   *
   * @default {false}
   */
  readonly raiseError?: boolean;
}

/** Options of {@linkcode GreenletSet.kill}. */
export interface KillSetOptions extends KillOptions {
  /**
   * How long to wait for their ends, in milliseconds; then the promise resolves nevertheless.
   *
   * @default {undefined}
   */
  readonly timeout?: number | undefined;
}

/** A kill that goes on until there is no member. */
interface Kill {
  readonly reason: unknown;
  readonly options: KillOptions;
  readonly over: () => void;
}

/** What a group and a pool have in common. Members leave when they end. */
export abstract class GreenletSet implements Iterable<Greenlet<unknown>> {
  readonly #members = new Map<Greenlet<unknown>, () => void>();
  readonly #joiners = new WaitLine<boolean>();
  readonly #kills = new Set<Kill>();

  /** How many members there are. */
  get size(): number {
    return this.#members.size;
  }

  /** Whether a greenlet is a member. */
  has(greenlet: Greenlet<unknown>): boolean {
    return this.#members.has(greenlet);
  }

  /** The members, in the order in which they came. */
  [Symbol.iterator](): Iterator<Greenlet<unknown>> {
    return [...this.#members.keys()][Symbol.iterator]();
  }

  /**
   * Lets a member go on by itself.
   *
   * @param greenlet Who leaves.
   * @returns Whether it was a member; else nothing changes.
   */
  discard(greenlet: Greenlet<unknown>): boolean {
    const unlink = this.#members.get(greenlet);
    if (unlink === undefined) return false;
    unlink();
    this.#leave(greenlet);
    return true;
  }

  /**
   * Waits until there is no member, or until the timeout is over. In a member it never ends.
   *
   * @param options A time limit, a signal, and whether to throw an error.
   * @returns Whether there was a moment without members.
   */
  async join(options: JoinSetOptions = {}): Promise<boolean> {
    const members = options.raiseError ? [...this] : [];
    for (const member of members) member.onEnd(() => member.takeError());
    const empty = await block<boolean, undefined>({
      label: "join()",
      detail: undefined,
      late: false,
      begin: (waiter) => {
        if (this.size === 0) waiter.settle(true);
        else this.#joiners.push(waiter);
      },
    }, options);
    const failed = members.find(({ state }) => state === "failed");
    if (failed !== undefined) throw failed.error;
    return empty;
  }

  /**
   * Kills the members, each once, and those that come while they end. Never rejects, and is no
   * wait of a greenlet. A member that calls it does not wait: it ends at its next wait.
   *
   * @param reason The `cause` of their errors.
   * @param options How long they may clean up, and how long to wait for that.
   * @returns Resolves when there is no member left, or when the timeout is over.
   */
  async kill(reason?: unknown, options: KillSetOptions = {}): Promise<void> {
    if (this.size === 0) return;
    const current = waitingGreenlet();
    const within = current !== undefined && this.has(current);
    const over = Promise.withResolvers<void>();
    const kill: Kill = { reason, options, over: over.resolve };
    this.#kills.add(kill);
    for (const member of this) void member.kill(reason, options);
    if (this.size === 0) this.#wakeAll();
    if (within) return;
    const { timeout } = options;
    if (timeout === undefined) {
      await over.promise;
      return;
    }
    const { driver } = threadHub();
    const timer = driver.setTimer(over.resolve, timeout);
    await over.promise;
    driver.clearTimer(timer);
    this.#kills.delete(kill);
  }

  /**
   * Runs a function as a member and waits for its result. A member that calls it runs the
   * function itself, so that it needs no place.
   *
   * @param body The function.
   * @param options A name and limits.
   * @returns What it returns.
   */
  async apply<T>(body: GreenletBody<T>, options?: SpawnOptions): Promise<T> {
    const current = waitingGreenlet();
    if (current !== undefined && this.has(current)) return await body(current);
    const { greenlet } = await this.launch(body, options, current);
    return await greenlet.get();
  }

  /**
   * Runs a function for each item, each in a member.
   *
   * @param items What to go through.
   * @param body The function.
   * @param options How many results may wait.
   * @returns The results, in the order of the items; rejects with the first error in that order,
   * and then starts no more.
   */
  async map<I, R>(
    items: MapInput<I>,
    body: MapBody<I, R>,
    options?: MapOptions,
  ): Promise<R[]> {
    const results: R[] = [];
    const iterator = this.imap(items, body, options);
    try {
      for await (const result of iterator) results.push(result);
    } finally {
      // A rejected step does not close an iterator by itself.
      await iterator.return();
    }
    return results;
  }

  /**
   * As {@linkcode GreenletSet.map}, one result after the other, in the order of the items. Starts
   * when it is first asked. An error belongs to its item: `next()` rejects, and the one after it
   * goes on. An error of the items' own iterator ends it.
   *
   * @param items What to go through.
   * @param body The function.
   * @param options How many results may wait.
   */
  imap<I, R>(
    items: MapInput<I>,
    body: MapBody<I, R>,
    options: MapOptions = {},
  ): ResultIterator<I, R> {
    return new ResultIterator(this, items, body, { ...options, ordered: true });
  }

  /** As {@linkcode GreenletSet.imap}, in the order in which the results come. */
  imapUnordered<I, R>(
    items: MapInput<I>,
    body: MapBody<I, R>,
    options: MapOptions = {},
  ): ResultIterator<I, R> {
    return new ResultIterator(this, items, body, {
      ...options,
      ordered: false,
    });
  }

  /**
   * Spawns a member, when there is a place.
   *
   * @internal
   */
  abstract launch<T>(
    body: GreenletBody<T>,
    options: SpawnOptions | undefined,
    owner: Greenlet<unknown> | undefined,
  ): Promise<Spawned<T>>;

  /**
   * Makes a greenlet a member until it ends.
   *
   * @internal
   */
  protected enter(greenlet: Greenlet<unknown>): void {
    this.#members.set(greenlet, greenlet.onEnd(() => this.#leave(greenlet)));
    const [kill] = this.#kills;
    if (kill !== undefined) void greenlet.kill(kill.reason, kill.options);
  }

  /**
   * Hears that a member has left.
   *
   * @internal
   */
  protected left(): void {}

  #leave(greenlet: Greenlet<unknown>): void {
    this.#members.delete(greenlet);
    this.left();
    if (this.size === 0) this.#wakeAll();
  }

  #wakeAll(): void {
    this.#joiners.settleAll(true);
    for (const { over } of this.#kills) over();
    this.#kills.clear();
  }
}
