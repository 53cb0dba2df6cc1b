/** One running call, awaitable and killable. @module */

import { DeadlockError, GreenletKilledError } from "../errors.ts";
import { Grace, GRACE } from "./grace.ts";
import type { Hub } from "./hub.ts";
import { type LinkCallback, type LinkCondition, Links } from "./links.ts";
import { parentOf, spawnStackOf } from "./spawn_origin.ts";
import type {
  GreenletBody,
  GreenletState,
  KillOptions,
  SpawnOptions,
} from "./spawn_options.ts";
import type { WaitOptions } from "./sync/wait_options.ts";
import { waitForEnd } from "./wait_for_end.ts";
import type { Wait } from "./wait.ts";

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
export class Greenlet<T> implements PromiseLike<T> {
  /** Unique in its hub, counted from 1 in the order of the spawns. */
  readonly id: number;
  /**
   * The scheduler that runs it.
   *
   * @internal
   */
  readonly hub: Hub;

  readonly #name: string | undefined;
  readonly #tracked: boolean;
  readonly #members: Set<Greenlet<unknown>> | undefined;
  #body: GreenletBody<unknown> | undefined;
  #state: GreenletState = "queued";
  #value: unknown = undefined;
  #error: unknown = undefined;
  #outcome: PromiseWithResolvers<unknown> | undefined = undefined;
  #wait: Wait<unknown> | undefined = undefined;
  #interrupts: Error[] | undefined = undefined;
  #shielded = false;
  #expired: Error | undefined = undefined;
  #grace: Grace | undefined = undefined;
  #killed = false;
  #endings: Set<() => void> | undefined = undefined;
  #links: Links<T> | undefined = undefined;
  #taken = false;

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
    this.hub = hub;
    this.id = id;
    this.#body = body;
    this.#name = options.name;
    this.#tracked = options.tracked ?? true;
    this.#members = options.members;
    this.#members?.add(this);
  }

  /** The name that was given, else `greenlet-<id>`. */
  get name(): string {
    return this.#name ?? `greenlet-${this.id}`;
  }

  /** Where it is in its life. */
  get state(): GreenletState {
    return this.#state;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#state !== "queued" && this.#state !== "running" &&
      this.#state !== "suspended";
  }

  /** Whether it has ended by returning. One that was killed has not. */
  get successful(): boolean {
    return this.#state === "succeeded";
  }

  /** What it returned; `undefined` until then. */
  get value(): T | undefined {
    // What the body returned, which is a T.
    return this.#value as T | undefined;
  }

  /** What it failed with, or the kill's error; `undefined` until then. */
  get error(): unknown {
    return this.#error;
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

  /** Takes the result or the error, as a promise's `then`. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onFulfilled, onRejected);
  }

  /** Takes the error, as a promise's `catch`. */
  catch<B = never>(
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<T | B> {
    return this.#promise().catch(onRejected);
  }

  /** Runs a function at the end, as a promise's `finally`. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#promise().finally(onFinally);
  }

  /**
   * Waits for the result. In a greenlet it is a wait of that one, which a kill or a timeout ends
   * without ending this one; `await greenlet` alone is none.
   *
   * @param options A time limit and a signal.
   * @returns What the body returned; rejects with what it threw.
   * @throws {Timeout} When the time is over.
   * @throws {DeadlockError} When a greenlet would wait for itself.
   */
  get(options?: WaitOptions): Promise<T> {
    return waitForEnd(this, "get", options) ?? this.#promise();
  }

  /**
   * Waits until it has ended, in whatever way, or until the time is over; never rejects with the
   * greenlet's error. In a greenlet it is a wait of that one, as {@linkcode Greenlet.get} is.
   *
   * @param options A time limit and a signal.
   * @throws {DeadlockError} When a greenlet would wait for itself.
   */
  async join(options?: WaitOptions): Promise<void> {
    await (waitForEnd(this, "join", options) ??
      (this.ended ? this.takeError() : this.#promise().then(ignore, ignore)));
  }

  /** Waits until it has ended, at the end of an `await using` block. Does not see its errors. */
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
    return this.#links?.remove(callback) ?? false;
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
    if (this.#state === "queued") this.#fail(reason);
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
    if (this.#state === "queued") this.#fail(reason);
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

  /** Runs a function when it ends. @returns Takes that back. */
  onEnd(run: () => void): () => void {
    const endings = this.#endings ??= new Set();
    endings.add(run);
    return () => endings.delete(run);
  }

  /**
   * Notes that somebody gets its error, so that it is not reported.
   *
   * @internal
   */
  takeError(): void {
    this.#taken = true;
    this.#outcome?.promise.catch(ignore);
  }

  /**
   * Whether somebody gets its error.
   *
   * @internal
   */
  get taken(): boolean {
    return this.#taken;
  }

  /**
   * Rejects, with nobody there: the runtime sees it. For the hub.
   *
   * @internal
   */
  rejectUnseen(): void {
    this.#outcome = Promise.withResolvers<unknown>();
    this.#outcome.reject(this.#error);
  }

  /**
   * Starts it. For the hub.
   *
   * @internal
   */
  run(): void {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined || this.#state !== "queued") return;
    this.#state = "running";
    this.hub.observer?.("start", this, undefined);
    try {
      const { context } = this.hub.driver;
      const result = this.#tracked && context !== undefined
        ? context.run(this, () => body(this))
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
    if (!this.ended) this.#state = "suspended";
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
    if (!this.ended) this.#state = "running";
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
    const reason = this.#interrupts?.[0];
    if (reason !== undefined) this.abort(reason);
  }

  #succeed(value: unknown): void {
    if (this.ended) return;
    this.#value = value;
    this.#end("succeeded");
    this.#outcome?.resolve(value);
  }

  #fail(error: unknown): void {
    if (this.ended) return;
    const killed = (this.#killed && error instanceof GreenletKilledError) ||
      (error !== undefined && error === this.#expired);
    this.#error = error;
    this.#end(killed ? "killed" : "failed");
    if (this.#links?.takesErrors) this.#taken = true;
    this.#outcome?.reject(error);
    if (killed) this.#outcome?.promise.catch(ignore);
    else if (!this.#taken) this.hub.untaken(this);
  }

  #end(state: "succeeded" | "failed" | "killed"): void {
    this.#state = state;
    this.#body = undefined;
    this.#grace?.stop(this.hub.driver);
    this.hub.ended();
    this.#members?.delete(this);
    this.hub.observer?.("end", this, undefined);
    if (this.#endings !== undefined) {
      for (const run of this.#endings) run();
      this.#endings = undefined;
    }
    this.#links?.fire();
  }

  #link(
    callback: LinkCallback<T>,
    when: LinkCondition,
    raw: boolean,
  ): void {
    if (when !== "value") this.takeError();
    (this.#links ??= new Links<T>(this)).add({ callback, when, raw });
  }

  #promise(): Promise<T> {
    this.#taken = true;
    if (this.#outcome === undefined) {
      this.#outcome = Promise.withResolvers<unknown>();
      if (this.#state === "succeeded") this.#outcome.resolve(this.#value);
      else if (this.ended) this.#outcome.reject(this.#error);
    }
    // Resolved with the value of the body, which is a T.
    return this.#outcome.promise as Promise<T>;
  }
}

function ignore(): void {}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
