/** The scheduler of one thread. @module */

import type { HubDriver } from "./driver.ts";
import { Greenlet, type GreenletBody, type SpawnOptions } from "./greenlet.ts";
import { limitSpawn, timeoutOf } from "./spawn_limits.ts";
import { noteOrigin } from "./spawn_origin.ts";
import type { GreenletObserver } from "./observer.ts";
import { Deque } from "./deque.ts";
import type { Runnable } from "./runnable.ts";

/** How long greenlets may run before the event loop gets a turn, in milliseconds. */
const TIME_SLICE = 5;

/** A resumption counts as this many ready calls: it usually runs that much more of a guest. */
const RESUME_COST = 16;

/** Most ready calls between two looks at the clock, which costs about 0.1 µs. */
const MAX_QUOTA = 256;

/** Looks at the clock are spaced so that about this much time passes between, in milliseconds. */
const LOOK_INTERVAL = 0.25;

/** Options of a {@linkcode Hub}. */
export interface HubOptions {
  /**
   * How long greenlets may run before the event loop gets a turn, in milliseconds.
   *
   * @default {5}
   */
  readonly timeSlice?: number;
}

/**
 * The scheduler of one thread: whoever can run stands in its ready queue and runs in that order;
 * when the time slice is used up, the next one waits for the event loop's next turn.
 *
 * gevent's rule with the same 5 ms: without it, greenlets whose waits are always over at once
 * would starve timers and I/O.
 */
export class Hub {
  /** The runtime below. */
  readonly driver: HubDriver;
  /** Sees every start, suspension, resumption and end, when set. */
  observer: GreenletObserver | undefined = undefined;

  /** The greenlet whose guest code called the running JavaScript; the engine knows. */
  guestCaller: (() => Greenlet<unknown> | undefined) | undefined = undefined;

  /**
   * Gets every error that nobody took, once: of a greenlet that failed with nobody awaiting,
   * getting, joining or linking it until the event loop's next turn, or of a link in the hub.
   * Without it, such an error is an unhandled rejection.
   */
  onError:
    | ((error: unknown, greenlet: Greenlet<unknown>) => void)
    | undefined = undefined;

  /** Whether greenlets know who spawned them and where; costs some microseconds a spawn. */
  trackSpawns = false;

  readonly #timeSlice: number;
  readonly #queue = new Deque<Runnable>();
  readonly #drainSoon: () => void;
  readonly #drainNextSlice: () => void;
  #drainPending = false;
  #sliceStart: number;
  #lastLook: number;
  #quota = MAX_QUOTA;
  #allowance = MAX_QUOTA;
  #exhausted = false;
  #oneByOne = false;
  #turns = 0;
  #resumptions = 0;
  #nextId = 1;
  #live = 0;

  /** A hub on a runtime's clock, timers and macrotasks. */
  constructor(driver: HubDriver, options: HubOptions = {}) {
    this.driver = driver;
    this.#timeSlice = options.timeSlice ?? TIME_SLICE;
    this.#sliceStart = this.#lastLook = driver.now();
    // Whoever happens to queue the first one must not become the context of all.
    const outside = driver.context?.outside ?? ((run) => run);
    this.#drainSoon = outside(this.#drain);
    this.#drainNextSlice = outside(this.#afterHop);
  }

  /** How many greenlets were spawned and have not ended. */
  get live(): number {
    return this.#live;
  }

  /**
   * Queues a greenlet; it never runs before the caller has given way.
   *
   * @param body What the greenlet runs.
   * @param options Its name.
   * @returns The greenlet.
   */
  spawn<T>(body: GreenletBody<T>, options: SpawnOptions = {}): Greenlet<T> {
    const greenlet = this.create(body, options);
    this.ready(greenlet);
    return greenlet;
  }

  /**
   * A greenlet that somebody is to queue later.
   *
   * @param body What the greenlet runs.
   * @param options Its name and limits.
   * @returns The greenlet; {@linkcode Hub.ready} starts it.
   * @throws {TypeError} When the body is no function.
   * @throws {RangeError} When the timeout is negative or not a number.
   */
  create<T>(body: GreenletBody<T>, options: SpawnOptions): Greenlet<T> {
    if (typeof body !== "function") {
      throw new TypeError("Cannot spawn a greenlet: its body is no function");
    }
    const { signal } = options;
    const timeout = options.timeout === undefined
      ? undefined
      : timeoutOf(options);
    const greenlet = new Greenlet<T>(this, this.#nextId++, body, options);
    this.#live += 1;
    if (this.trackSpawns) noteOrigin(greenlet, this.current);
    if (timeout !== undefined || signal !== undefined) {
      limitSpawn(greenlet, timeout, signal);
    }
    return greenlet;
  }

  /**
   * Queues a greenlet after a time; until then it is `queued`, and a kill ends it.
   *
   * @param delay In milliseconds; zero or less queues it at once.
   * @param body What the greenlet runs.
   * @param options Its name and limits.
   * @returns The greenlet.
   * @throws {RangeError} When the delay is not a number.
   */
  spawnLater<T>(
    delay: number,
    body: GreenletBody<T>,
    options: SpawnOptions = {},
  ): Greenlet<T> {
    if (Number.isNaN(delay)) {
      throw new RangeError(
        `Cannot spawn after ${delay} ms: the delay must be a number`,
      );
    }
    if (delay <= 0) return this.spawn(body, options);
    const greenlet = this.create(body, options);
    if (greenlet.ended) return greenlet;
    const timer = this.driver.setTimer(() => {
      unlink();
      this.ready(greenlet);
    }, delay);
    const unlink = greenlet.onEnd(() => this.driver.clearTimer(timer));
    return greenlet;
  }

  /** The greenlet that the running code is part of, if any. */
  get current(): Greenlet<unknown> | undefined {
    return this.guestCaller?.() ?? this.driver.context?.current();
  }

  /** Notes that a greenlet has ended. For the greenlet itself. */
  ended(): void {
    this.#live -= 1;
  }

  /** How many resumptions there have been; who compares two figures sees whether any ran. */
  get resumptions(): number {
    return this.#resumptions;
  }

  /** Reports a failed greenlet's error, unless somebody takes it soon. For the greenlet itself. */
  untaken(greenlet: Greenlet<unknown>): void {
    if (this.onError === undefined) {
      if (!greenlet.givenUp) greenlet.rejectUnseen();
    } else {
      this.driver.hop(() => {
        if (!greenlet.taken) this.report(greenlet.error, greenlet);
      });
    }
  }

  /** Reports an error that nobody can take. */
  report(error: unknown, greenlet: Greenlet<unknown>): void {
    try {
      if (this.onError === undefined) void Promise.reject(error);
      else this.onError(error, greenlet);
    } catch (thrown) {
      void Promise.reject(thrown);
    }
  }

  /** Queues something to run after all that is queued already. */
  ready(runnable: Runnable): void {
    this.#queue.push(runnable);
    if (this.#drainPending) return;
    this.#drainPending = true;
    if (this.#exhausted) this.driver.hop(this.#drainNextSlice);
    else queueMicrotask(this.#drainSoon);
  }

  /**
   * Whether a resumption may go ahead without standing in the queue: nobody is before it and the
   * slice has time left. The order is the same, at half the price.
   *
   * The number of those that have not run yet is bounded, as the clock cannot see their work
   * before it is done: see {@linkcode Hub.turnTaken}.
   */
  admitTurn(): boolean {
    const most = this.#oneByOne ? 1 : this.#quota >> 5;
    if (this.#drainPending || this.#turns >= most) return false;
    this.#allowance -= RESUME_COST;
    if (this.#allowance <= 0 && !this.#look()) return false;
    this.#turns += 1;
    this.#resumptions += 1;
    return true;
  }

  /** Notes that a greenlet that was resumed has run and gives way again. */
  turnTaken(): void {
    if (this.#turns > 0) this.#turns -= 1;
  }

  /** Counts one ready call; whether the slice still allows it. */
  admitCall(): boolean {
    this.#allowance -= 1;
    if (this.#allowance > 0 || this.#look()) return true;
    // It would use up each slice while those resumed with it are declined at their first call.
    this.#oneByOne = true;
    return false;
  }

  readonly #drain = (): void => {
    // Whoever was admitted before has run by now.
    this.#turns = 0;
    if (this.#allowance <= 0 && !this.#look()) {
      this.driver.hop(this.#drainNextSlice);
      return;
    }
    // One at a time where the slice is nearly used up or resumptions are slow, so that each one's
    // work is seen by the clock before the next one starts.
    do {
      this.#queue.shift()?.run();
      this.#allowance -= RESUME_COST;
      this.#turns += 1;
      this.#resumptions += 1;
    } while (
      this.#allowance > 0 && this.#queue.length > 0 && !this.#oneByOne
    );
    if (this.#queue.length === 0) this.#drainPending = false;
    else queueMicrotask(this.#drainSoon);
  };

  readonly #afterHop = (): void => {
    this.#exhausted = false;
    this.#sliceStart = this.#lastLook = this.driver.now();
    this.#allowance = this.#quota;
    this.#drain();
  };

  /** Reads the clock; whether the slice has time left. */
  #look(): boolean {
    if (this.#exhausted) return false;
    const now = this.driver.now();
    const elapsed = now - this.#lastLook;
    this.#lastLook = now;
    if (elapsed > LOOK_INTERVAL) {
      // At once, as the next ones may be as slow.
      this.#quota = Math.max(1, this.#quota * LOOK_INTERVAL / elapsed | 0);
    } else {
      this.#quota = Math.min(MAX_QUOTA, this.#quota * 2);
    }
    this.#allowance = this.#quota;
    if (now - this.#sliceStart < this.#timeSlice) return true;
    this.#allowance = 0;
    this.#exhausted = true;
    this.#oneByOne = false;
    return false;
  }
}
