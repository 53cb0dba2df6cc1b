/** Greenlets that cannot outlive the code that spawned them. @module */

import { ResourceClosedError, ScopeInterruptedError } from "../errors.ts";
import type { Greenlet } from "./greenlet.ts";
import { Group } from "./group.ts";
import type { GreenletBody, SpawnOptions } from "./spawn_options.ts";
import { threadHub, waitingGreenlet } from "./thread.ts";

/** What the body of {@linkcode scope} gets. */
export interface Scope {
  /** How many of its greenlets have not ended. */
  readonly size: number;
  /**
   * Spawns a greenlet that ends within the scope.
   *
   * @param body What it runs.
   * @param options Its name and limits.
   * @throws {ResourceClosedError} When the scope is over, or ends because something failed.
   */
  spawn<T>(body: GreenletBody<T>, options?: SpawnOptions): Greenlet<T>;
  /**
   * Kills its greenlets; the scope goes on. A kill is no failure.
   *
   * @param reason The `cause` of their errors.
   */
  kill(reason?: unknown): Promise<void>;
}

/**
 * Runs a function that spawns greenlets, and waits for all of them.
 *
 * - The first greenlet that fails kills the others and interrupts the body in its wait; the scope
 *   rejects with that very error. One that was killed has not failed.
 * - An exception, a kill or a timeout of the body kills the greenlets; the scope rejects with it
 *   when they have ended.
 * - Nothing that the scope spawned goes on after it.
 *
 * @example
 * ```ts
 * import { scope, sleep } from "@hedgesnake/greenlet";
 * import assert from "node:assert/strict";
 *
 * const reason = new Error("mine");
 * await assert.rejects(
 *   scope(async (scope) => {
 *     scope.spawn(() => sleep(60_000));
 *     scope.spawn(() => Promise.reject(reason));
 *     await sleep(60_000);
 *   }),
 *   (error) => error === reason,
 * );
 * ```
 *
 * @param body The function. In a greenlet it is part of that one, else it gets one of its own.
 * @returns What the function returns, when all have ended.
 */
export async function scope<T>(
  body: (scope: Scope) => T | PromiseLike<T>,
): Promise<T> {
  const greenlet = waitingGreenlet();
  if (greenlet !== undefined) return await new RunningScope(greenlet).run(body);
  return await threadHub().spawn(
    (greenlet) => new RunningScope(greenlet).run(body),
    { name: "scope()" },
  );
}

class RunningScope implements Scope {
  readonly #greenlet: Greenlet<unknown>;
  readonly #children = new Group();
  #failure: { readonly error: unknown } | undefined = undefined;
  #interrupt: ScopeInterruptedError | undefined = undefined;
  #over = false;

  constructor(greenlet: Greenlet<unknown>) {
    this.#greenlet = greenlet;
  }

  get size(): number {
    return this.#children.size;
  }

  spawn<C>(body: GreenletBody<C>, options: SpawnOptions = {}): Greenlet<C> {
    if (this.#over) {
      throw new ResourceClosedError(
        `Cannot spawn '${options.name ?? "a greenlet"}': the scope is over`,
      );
    }
    const child = this.#children.spawn(body, options);
    child.onEnd(() => {
      if (child.state !== "failed") return;
      child.takeError();
      this.#fail(child);
    });
    return child;
  }

  kill(reason?: unknown): Promise<void> {
    return this.#children.kill(reason);
  }

  async run<T>(body: (scope: Scope) => T | PromiseLike<T>): Promise<T> {
    let value: T | undefined;
    try {
      value = await body(this);
      await this.#children.join();
    } catch (error) {
      // What ended the body comes after what made the body end.
      this.#failure ??= { error };
      this.#over = true;
      await this.#children.kill(error);
    }
    this.#over = true;
    if (this.#interrupt !== undefined) {
      this.#greenlet.withdraw(this.#interrupt);
    }
    if (this.#failure !== undefined) {
      await this.#children.kill(this.#failure.error);
      throw this.#failure.error;
    }
    return value as T;
  }

  #fail(child: Greenlet<unknown>): void {
    if (this.#failure !== undefined) return;
    const { error, name } = child;
    this.#failure = { error };
    this.#over = true;
    void this.#children.kill(error);
    this.#interrupt = new ScopeInterruptedError(
      `Cannot go on: '${name}' of the same scope has failed`,
      { cause: error },
    );
    this.#greenlet.interrupt(this.#interrupt);
  }
}
