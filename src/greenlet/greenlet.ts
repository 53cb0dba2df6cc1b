/** One running call, awaitable and killable. @module */

import { GreenletKilledError } from "../errors.ts";
import type { TimerHandle } from "./driver.ts";
import type { Hub } from "./hub.ts";
import type { Wait } from "./wait.ts";

/** How long a killed greenlet may clean up before its waits are cut short, in milliseconds. */
const GRACE = 5_000;

/**
 * Where a greenlet is in its life: `queued` until its turn comes, then `running` and `suspended`
 * in turn, at last `succeeded`, `failed` or `killed`.
 */
export type GreenletState =
  | "queued"
  | "running"
  | "suspended"
  | "succeeded"
  | "failed"
  | "killed";

/** What a greenlet runs; it gets the greenlet itself. */
export type GreenletBody<T> = (
  greenlet: Greenlet<unknown>,
) => T | PromiseLike<T>;

/** Options of a spawn. */
export interface SpawnOptions {
  /**
   * For reports and errors.
   *
   * @default {"greenlet-<id>"}
   */
  readonly name?: string | undefined;
  /**
   * Whether code that the body awaits knows that it is part of this greenlet. Costs 0.3 µs; a
   * body that runs nothing but a guest can do without.
   *
   * @default {true}
   */
  readonly tracked?: boolean;
  /**
   * A set that it is in until it ends.
   *
   * @internal
   */
  readonly members?: Set<Greenlet<unknown>>;
}

/** Options of {@linkcode Greenlet.kill}. */
export interface KillOptions {
  /**
   * How long the greenlet may clean up, shielded from further interrupts, before its waits are
   * cut short. In milliseconds.
   *
   * @default {5000}
   */
  readonly grace?: number;
}

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
  #graceTimer: TimerHandle | undefined = undefined;
  #grace = GRACE;
  #deadline = Infinity;
  #killed = false;
  #endings: Set<() => void> | undefined = undefined;

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

  /** Waits until it has ended, in whatever way; never rejects. */
  async join(): Promise<void> {
    if (!this.ended) await this.#promise().then(ignore, ignore);
  }

  /**
   * Ends it early: it wakes with an error in the wait it is suspended in, or in its next one. If
   * it has not started it never will. Killing one that has ended does nothing.
   *
   * Awaiting the kill waits until it has ended; the promise never rejects. A greenlet that
   * computes without ever waiting cannot be killed.
   *
   * @param reason The `cause` of the {@linkcode GreenletKilledError} that its awaiters get.
   * @param options How long it may clean up.
   */
  kill(reason?: unknown, options: KillOptions = {}): Promise<void> {
    if (!this.ended) {
      const grace = options.grace ?? GRACE;
      if (this.#shielded) this.#hurry(grace);
      else this.#grace = grace;
      this.#killed = true;
      this.interrupt(
        new GreenletKilledError(
          `Cannot finish '${this.name}': it was killed`,
          { cause: reason },
        ),
      );
      if (this.#shielded && this.#grace <= 0) this.#expire();
    }
    return this.join();
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
    this.#hurry(this.#grace);
  }

  /** Moves the deadline of its clean-up, if that makes it earlier. */
  #hurry(grace: number): void {
    const { driver } = this.hub;
    const deadline = driver.now() + grace;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    if (this.#graceTimer !== undefined) driver.clearTimer(this.#graceTimer);
    this.#graceTimer = driver.setTimer(() => this.#expire(), grace);
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
    // Without a taker the rejection must be seen by the runtime, unless somebody wanted the end.
    this.#outcome ??= Promise.withResolvers<unknown>();
    this.#outcome.reject(error);
    if (killed) this.#outcome.promise.catch(ignore);
  }

  #end(state: "succeeded" | "failed" | "killed"): void {
    this.#state = state;
    this.#body = undefined;
    if (this.#graceTimer !== undefined) {
      this.hub.driver.clearTimer(this.#graceTimer);
    }
    this.hub.ended();
    this.#members?.delete(this);
    this.hub.observer?.("end", this, undefined);
    if (this.#endings !== undefined) {
      for (const run of this.#endings) run();
      this.#endings = undefined;
    }
  }

  #promise(): Promise<T> {
    if (this.#outcome === undefined) {
      this.#outcome = Promise.withResolvers<unknown>();
      if (this.#state === "succeeded") this.#outcome.resolve(this.#value);
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
