/** Random calls of a primitive, compared with a simple model of it. @module */

import assert from "node:assert/strict";
import { GreenletKilledError } from "../../../src/errors.ts";
import type { Greenlet } from "../../../src/greenlet/greenlet.ts";
import type { WaitOptions } from "../../../src/greenlet/sync/wait_options.ts";
import { Timeout } from "../../../src/greenlet/timeout.ts";
import type { Wait } from "../../../src/greenlet/wait.ts";
import {
  choice,
  integer,
  type Random,
  seededRandom,
} from "../../support/random.ts";
import { waitFor } from "../../support/virtual_hub.ts";
import {
  type VirtualThread,
  virtualThread,
} from "../../support/virtual_thread.ts";

/** The seed of all model checks; `SYNC_SEED` sets another. */
export const SEED = Number(Deno.env.get("SYNC_SEED") ?? 20261123);

const WORKERS = 12;

/** A greenlet that makes the calls it is told to. */
interface Worker {
  readonly greenlet: Greenlet<unknown>;
  readonly parked: Wait<void>;
}

/** A call that was made. */
export interface Call<Detail> {
  readonly id: number;
  /** What the model knows of it. */
  readonly detail: Detail;
  /** When its time limit is over. */
  readonly deadline: number;
  readonly controller: AbortController | undefined;
  readonly worker: Worker | undefined;
}

/** A primitive and its model, which takes one random step at a time. */
export interface Model {
  /** Does something to both. */
  step(): void;
  /** What the primitive says of itself. */
  stats(): object;
  /** What it should say. */
  expected(): object;
}

/** Takes random steps, in runs of up to 2,000, and compares after every few of them. */
export async function checkModel<Detail>(
  steps: number,
  create: (run: ModelRun<Detail>) => Model,
): Promise<void> {
  for (let done = 0, seed = SEED; done < steps; seed++) {
    await using run = new ModelRun<Detail>(seed);
    const model = create(run);
    for (let i = 0; i < 2_000 && done < steps; i++, done++) {
      model.step();
      if (run.random() < 0.3) {
        await run.compare(model.stats(), model.expected());
      }
    }
    await run.compare(model.stats(), model.expected());
  }
}

/** The calls of one run: in greenlets and outside, with limits and without. */
export class ModelRun<Detail> implements AsyncDisposable {
  /** The calls that wait, as the model believes, in the order in which they were made. */
  waiting: Call<Detail>[] = [];
  /** What the run is random by. */
  readonly random: Random;

  readonly #seed: number;
  readonly #thread: VirtualThread = virtualThread();
  readonly #expected: string[] = [];
  readonly #actual: string[] = [];
  readonly #idle: Worker[] = [];
  readonly #killed = new Set<Worker>();
  #busy: Worker[] = [];
  #ended: Call<Detail>[] = [];
  #calls = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.random = seededRandom(seed);
  }

  /** Makes a call, which waits as far as the model knows. */
  call(
    detail: Detail,
    body: (options: WaitOptions) => Promise<unknown>,
  ): Call<Detail> {
    const { driver } = this.#thread;
    const { random } = this;
    const id = this.#calls++;
    const timeout = random() < 0.4 ? integer(random, 6) : undefined;
    const controller = random() < 0.3 ? new AbortController() : undefined;
    const worker = random() < 0.6 ? this.#idle.pop() : undefined;
    const make = () => body({ timeout, signal: controller?.signal });
    if (worker !== undefined) this.#busy.push(worker);
    const promise = worker === undefined
      ? make()
      : driver.context.run(worker.greenlet, make);
    promise.then(
      (value) => this.#actual.push(`${id} ${String(value)}`),
      (error) => this.#actual.push(`${id} ${nameOf(error)}`),
    );
    const deadline = driver.now() + (timeout ?? Infinity);
    const call = { id, detail, deadline, controller, worker };
    this.waiting.push(call);
    return call;
  }

  /** Notes what a call ends with. */
  end(call: Call<Detail>, outcome: unknown): void {
    this.waiting = this.waiting.filter((each) => each !== call);
    this.#ended.push(call);
    this.#expected.push(`${call.id} ${String(outcome)}`);
  }

  /** Kills or aborts a call that waits, or one that has just ended, which must not matter. */
  interrupt(): void {
    const { random } = this;
    const late = random() < 0.3;
    const call = choice(random, late ? this.#ended : this.waiting);
    if (call?.controller !== undefined && random() < 0.5) {
      call.controller.abort("aborted");
      if (!late) this.end(call, "aborted");
    } else if (call?.worker !== undefined) {
      void call.worker.greenlet.kill();
      this.#killed.add(call.worker);
      if (!late) this.end(call, "killed");
    }
  }

  /** Lets time pass; the calls whose time is over then end. */
  advance(outcome: unknown): void {
    const { driver } = this.#thread;
    const delay = integer(this.random, 4);
    const end = driver.now() + delay;
    const late = this.waiting.filter(({ deadline }) => deadline <= end)
      .sort((a, b) => a.deadline - b.deadline);
    for (const call of late) this.end(call, outcome);
    driver.advance(delay);
  }

  /** Lets everything run and compares it. */
  async compare(stats: object, expected: object): Promise<void> {
    await this.#thread.driver.settle();
    const message = `SYNC_SEED=${this.#seed}, after ${this.#calls} calls`;
    if (this.#actual.join() !== this.#expected.join()) {
      assert.deepEqual(this.#actual, this.#expected, message);
    }
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(Reflect.get(stats, name), value, `${name}: ${message}`);
    }
    this.#actual.length = this.#expected.length = 0;
    this.#ended = [];
    await this.#recycle();
  }

  /** Ends all greenlets. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { parked } of [...this.#idle, ...this.#busy]) parked.settle();
    await this.#thread.driver.settle();
    this.#thread[Symbol.dispose]();
  }

  async #recycle(): Promise<void> {
    const waiting = new Set(this.waiting.map(({ worker }) => worker));
    for (const worker of this.#busy) {
      if (waiting.has(worker)) continue;
      if (this.#killed.delete(worker)) worker.parked.settle();
      else this.#idle.push(worker);
    }
    this.#busy = this.#busy.filter((worker) => waiting.has(worker));
    const missing = WORKERS - this.#idle.length - this.#busy.length;
    if (missing === 0) return;
    for (let i = 0; i < missing; i++) {
      this.#thread.hub.spawn((greenlet) => {
        const parked = waitFor(greenlet, "a call");
        this.#idle.push({ greenlet, parked });
        return parked.suspend();
      });
    }
    await this.#thread.driver.settle();
  }
}

function nameOf(error: unknown): string {
  if (error instanceof GreenletKilledError) return "killed";
  if (error instanceof Timeout) return "late";
  return error instanceof Error ? error.name : String(error);
}
