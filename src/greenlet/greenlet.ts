/** One running call, awaitable and killable. @module */

import { GreenletKilledError } from "../errors.ts";
import { GRACE, Grace } from "./grace.ts";
import type { Hub } from "./hub.ts";
import { type LinkCallback, type LinkCondition, Links } from "./links.ts";
import type { Members } from "./members.ts";
import { GreenletOutcome } from "./outcome.ts";
import { parentOf, spawnStackOf } from "./spawn_origin.ts";
import type {
  GreenletBody,
  KillOptions,
  SpawnOptions,
} from "./spawn_options.ts";
import type { WaitOptions } from "./sync/wait_options.ts";
import type { Wait } from "./wait.ts";
import { waitForEnd } from "./wait_for_end.ts";

export type {
  GreenletBody,
  GreenletState,
  KillOptions,
  SpawnOptions,
} from "./spawn_options.ts";

/**
 * One running call. It is awaitable like a promise, and unlike a promise it can be killed.
 *
 * A greenlet whose error nobody takes becomes an unhandled rejection, as a promise's would; one
 * that was killed does not.
 *
 * @typeParam T What the call returns.
 */
export class Greenlet<T> extends GreenletOutcome<T> implements AsyncDisposable {
  /** Unique in its hub, counted from 1 in the order of the spawns. */
  readonly id: number;
  readonly #name: string | undefined;
  readonly #tracked: boolean;
  readonly #members: Members | undefined;
  #place: number;
  #body: GreenletBody<unknown> | undefined;
  #wait: Wait<unknown> | undefined = undefined;
  #interrupts: Error[] | undefined = undefined;
  #shielded = false;
  #expired: Error | undefined = undefined;
  #grace: Grace | undefined = undefined;
  #killed = false;
  #links: Links | undefined = undefined;

  /**
   * For {@linkcode Hub.spawn}, which also queues it.
   *
   * @internal
   */
  constructor(
    hub: Hub,
    id: number,
    body: GreenletBody<T>,
    options: SpawnOptions,
  ) {
    super(hub);
    this.id = id;
    this.#body = body;
    this.#name = options.name;
    this.#tracked = options.tracked ?? true;
    this.#members = options.members;
    this.#place = this.#members?.add(this) ?? 0;
  }

  /** The name that was given, else `greenlet-<id>`. */
  override get name(): string {
    return this.#name ?? `greenlet-${this.id}`;
  }

  /** The greenlet that spawned it, where the hub has `trackSpawns` and it is still there. */
  get parent(): Greenlet<unknown> | undefined {
    return parentOf(this);
  }

  /** Where it was spawned, where the hub has `trackSpawns`. */
  get spawnStack(): string | undefined {
    return spawnStackOf(this);
  }

  /** What it waits for now: an import such as `env.recv`, `sleep`, …; `undefined` when it runs. */
  get blockedOn(): string | undefined {
    return this.#wait?.label;
  }

  /**
   * Waits for the result. In a greenlet it is a wait of that one, which a kill or a timeout ends
   * without ending this one; `await greenlet` alone is none.
   *
   * Who gives up, by a time limit or a signal, does not end it: for that,
   * `new Timeout(ms).start(greenlet)`. Its later error does not end the process either; only
   * `onError`, where it is set, gets it.
   *
   * @param options A time limit and a signal.
   * @returns What the body returned; rejects with what it threw.
   * @throws {Timeout} When the time is over.
   * @throws {DeadlockError} When a greenlet would wait for itself.
   */
  get(options?: WaitOptions): Promise<T> {
    return waitForEnd(this, "get", options) ?? this.promise();
  }

  /**
   * Waits until it has ended, in whatever way, or until the time is over; never rejects with the
   * greenlet's error. In a greenlet it is a wait of that one, as {@linkcode Greenlet.get} is.
   *
   * @param options A time limit and a signal.
   * @throws {DeadlockError} When a greenlet would wait for itself.
   */
  async join(options?: WaitOptions): Promise<void> {
    const waiting = waitForEnd(this, "join", options);
    if (waiting !== undefined) await waiting;
    else if (this.ended) this.takeError();
    else await this.promise().then(ignore, ignore);
  }

  /**
   * Waits until it has ended, at the end of an `await using` block. It cannot see whether the
   * block threw: where an exception is to kill the greenlet, use `scope()`.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.join();
  }

  /**
   * Runs a function after the end, in a greenlet of its own. Links fire once, in the order in
   * which they were made, never inside the call that makes them; also those made after the end.
   *
   * @param callback It gets this greenlet; whatever it throws is its own greenlet's error.
   */
  link(callback: LinkCallback<T>): void {
    this.#link(callback, "end", false);
  }

  /** As {@linkcode Greenlet.link}, when it has ended by returning. */
  linkValue(callback: LinkCallback<T>): void {
    this.#link(callback, "value", false);
  }

  /** As {@linkcode Greenlet.link}, when it has failed or was killed. */
  linkError(callback: LinkCallback<T>): void {
    this.#link(callback, "error", false);
  }

  /**
   * As {@linkcode Greenlet.link}, but in the hub: cheaper. The function must not block. What it
   * throws is reported, and later links still run.
   */
  rawLink(callback: LinkCallback<T>): void {
    this.#link(callback, "end", true);
  }

  /** Takes a link back that has not fired. @returns Whether there was one. */
  unlink(callback: LinkCallback<T>): boolean {
    return this.#links?.remove(callback as LinkCallback<unknown>) ?? false;
  }

  /** How many links have not fired. */
  get links(): number {
    return this.#links?.length ?? 0;
  }

  /**
   * Ends it early: it wakes with an error in the wait it is suspended in, or in its next one. If
   * it has not started it never will. Killing one that has ended does nothing.
   *
   * Awaiting the kill waits until it has ended; the promise never rejects and is no wait of a
   * greenlet. A greenlet that kills itself does not wait: it ends at its next wait. One that
   * computes without ever waiting cannot be killed.
   *
   * @param reason The `cause` of the {@linkcode GreenletKilledError} that its awaiters get.
   * @param options How long it may clean up.
   */
  kill(reason?: unknown, options: KillOptions = {}): Promise<void> {
    if (!this.ended) {
      const grace = options.grace ?? GRACE;
      this.#grace ??= new Grace();
      if (this.#shielded) this.#hurry(grace);
      else this.#grace.length = grace;
      this.#killed = true;
      this.interrupt(
        new GreenletKilledError(
          `Cannot finish '${this.name}': it was killed`,
          { cause: reason },
        ),
      );
      // Also for a wait that takes no kill, such as a host function that cannot fail.
      if (!this.ended && !this.#shielded) this.#hurry(grace);
      if (this.#shielded && grace <= 0) this.#expire();
    }
    if (this.ended || this.hub.driver.context?.current() === this) {
      return Promise.resolve();
    }
    return new Promise((resolve) => void this.onEnd(resolve));
  }

  /**
   * Throws an error into it at its current wait or at its next one; the way of kills and timeouts.
   *
   * @param reason Keeps its identity on the way to whoever awaits the greenlet.
   */
  interrupt(reason: Error): void {
    if (this.ended) return;
    if (this.state === "queued") this.#fail(reason);
    else if (!this.#shielded && this.#wait?.interrupt(reason)) {
      this.#delivered(reason);
    } else (this.#interrupts ??= []).push(reason);
  }

  /** Takes an interrupt back that has not reached it yet. */
  withdraw(reason: Error): void {
    const left = this.#interrupts?.filter((pending) => pending !== reason);
    this.#interrupts = left?.length === 0 ? undefined : left;
  }

  /**
   * Ends it now and by force: its waits reject at once, with no time to clean up.
   *
   * @param reason What its awaiters get; not reported when nobody takes it.
   */
  abort(reason: Error): void {
    if (this.ended) return;
    this.#expired ??= reason;
    if (this.state === "queued") this.#fail(reason);
    else this.#wait?.interrupt(this.#expired, true);
  }

  /** Whether an interrupt waits for the next wait. */
  get interrupted(): boolean {
    return this.#expired !== undefined ||
      (this.#interrupts !== undefined && !this.#shielded);
  }

  /** Whether its grace time is over, so that no wait may last any more. */
  get expired(): Error | undefined {
    return this.#expired;
  }

  /**
   * Starts it. For the hub.
   *
   * @internal
   */
  run(): void {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined || this.state !== "queued") return;
    this.enter("running");
    this.hub.observer?.("start", this, undefined);
    try {
      const { context } = this.hub.driver;
      const result = this.#tracked && context !== undefined
        ? context.run(this, () => waited(body(this)))
        : body(this);
      if (isThenable(result)) {
        result.then(
          (value) => this.#succeed(value),
          (error: unknown) => this.#fail(error),
        );
      } else this.#succeed(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Enters a wait. For {@linkcode Wait}.
   *
   * @internal
   */
  beginWait(wait: Wait<unknown>): void {
    wait.outer = this.#wait;
    this.#wait = wait;
    if (!this.ended) this.enter("suspended");
    this.hub.observer?.("suspend", this, wait.label);
  }

  /**
   * Delivers a queued interrupt to a wait that has just begun. For whoever began it.
   *
   * @internal
   */
  deliverPending(wait: Wait<unknown>): void {
    if (this.#expired !== undefined) {
      wait.interrupt(this.#expired, true);
      return;
    }
    const reason = this.#interrupts?.[0];
    if (reason === undefined || this.#shielded) return;
    if (wait.interrupt(reason)) {
      this.#interrupts?.shift();
      if (this.#interrupts?.length === 0) this.#interrupts = undefined;
      this.#delivered(reason);
    }
  }

  /**
   * Leaves a wait. For {@linkcode Wait}.
   *
   * @internal
   */
  endWait(wait: Wait<unknown>): void {
    if (this.#wait === wait) this.#wait = wait.outer;
    else {
      let inner = this.#wait;
      while (inner !== undefined && inner.outer !== wait) inner = inner.outer;
      if (inner !== undefined) inner.outer = wait.outer;
    }
    if (!this.ended) this.enter("running");
    this.hub.observer?.("resume", this, wait.label);
    // What came too late for this wait may find another one that goes on: a second callback's.
    if (this.#wait !== undefined && this.interrupted) {
      this.deliverPending(this.#wait);
    }
  }

  #delivered(reason: Error): void {
    if (!(reason instanceof GreenletKilledError)) return;
    this.#shielded = true;
    this.#interrupts = [reason];
    this.#grace ??= new Grace();
    this.#hurry(this.#grace.length);
  }

  #hurry(length: number): void {
    this.#grace?.hurry(this.hub.driver, length, () => this.#expire());
  }

  #expire(): void {
    const reason = this.#interrupts?.find((pending) =>
      pending instanceof GreenletKilledError
    );
    if (reason !== undefined) this.abort(reason);
  }

  #succeed(value: unknown): void {
    if (!this.ended) this.#end("succeeded", value);
  }

  #fail(error: unknown): void {
    if (this.ended) return;
    const killed = (this.#killed && error instanceof GreenletKilledError) ||
      (error !== undefined && error === this.#expired);
    this.#end(killed ? "killed" : "failed", error);
    // The runtime must see an error without a taker, unless somebody wanted the end.
    if (!killed && !this.taken) this.hub.untaken(this);
  }

  #end(state: "succeeded" | "failed" | "killed", outcome: unknown): void {
    this.settle(state, outcome);
    this.#body = undefined;
    this.#grace?.stop(this.hub.driver);
    this.hub.ended();
    this.#members?.remove(this.#place);
    this.hub.observer?.("end", this, undefined);
    if (this.#links?.takesErrors) this.takeError();
    this.announce();
    this.#links?.fire();
  }

  /**
   * Notes its new place among its owner's members. For {@linkcode Members}.
   *
   * @internal
   */
  moveTo(place: number): void {
    this.#place = place;
  }

  #link(
    callback: LinkCallback<T>,
    when: LinkCondition,
    raw: boolean,
  ): void {
    if (when !== "value" && this.ended) this.takeError();
    const links = this.#links ??= new Links(this);
    // It will get this greenlet, which is a Greenlet<T>.
    links.add({ callback: callback as LinkCallback<unknown>, when, raw });
  }
}

function ignore(): void {}

/** What a body returned; another greenlet becomes a wait of the running one. */
function waited<T>(result: T | PromiseLike<T>): T | PromiseLike<T> {
  return result instanceof Greenlet ? result.get() : result;
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
