/** What runs after a greenlet's end. @module */

import type { Greenlet } from "./greenlet.ts";
import type { Runnable } from "./runnable.ts";

/** What a link runs; it gets the greenlet that has ended. */
export type LinkCallback<T> = (greenlet: Greenlet<T>) => unknown;

/** For which ends a link fires. */
export type LinkCondition = "end" | "value" | "error";

/** A callback that waits for a greenlet's end. */
export interface Link {
  /** What to run. */
  readonly callback: LinkCallback<unknown>;
  /** For which ends. */
  readonly when: LinkCondition;
  /** Whether it runs in the hub, not in a greenlet of its own. */
  readonly raw: boolean;
}

/**
 * The links of one greenlet: each fires once, in the order in which they were made, always in a
 * later turn; those that are made after the end, too.
 */
export class Links implements Runnable {
  readonly #greenlet: Greenlet<unknown>;
  readonly #links: Link[] = [];
  #queued = false;

  /** The links of a greenlet; none yet. */
  constructor(greenlet: Greenlet<unknown>) {
    this.#greenlet = greenlet;
  }

  /** How many have not fired. */
  get length(): number {
    return this.#links.length;
  }

  /** Whether one of them gets the greenlet's error. */
  get takesErrors(): boolean {
    return this.#links.some(({ when }) => when !== "value");
  }

  /** Adds one, behind the others. */
  add(link: Link): void {
    this.#links.push(link);
    if (this.#greenlet.ended) this.fire();
  }

  /** Takes the first one with this callback back. @returns Whether there was one. */
  remove(callback: LinkCallback<unknown>): boolean {
    const index = this.#links.findIndex((link) => link.callback === callback);
    if (index >= 0) this.#links.splice(index, 1);
    return index >= 0;
  }

  /** Lets them fire when their turn comes. */
  fire(): void {
    if (this.#queued || this.#links.length === 0) return;
    this.#queued = true;
    this.#greenlet.hub.ready(this);
  }

  /** Fires them. For the hub. */
  run(): void {
    this.#queued = false;
    // Each may add others or take later ones back.
    for (let link = this.#links.shift(); link; link = this.#links.shift()) {
      const wanted = link.when === "end" ||
        (link.when === "value") === this.#greenlet.successful;
      if (wanted) this.#fire(link);
    }
  }

  #fire({ callback, raw }: Link): void {
    const greenlet = this.#greenlet;
    const { hub, name } = greenlet;
    if (!raw) {
      hub.spawn(() => callback(greenlet), { name: `link of ${name}` });
      return;
    }
    try {
      callback(greenlet);
    } catch (error) {
      hub.report(error, greenlet);
    }
  }
}
