import assert from "node:assert/strict";
import {
  LifoQueue,
  PriorityQueue,
  Queue,
  type QueueOptions,
} from "../../../src/greenlet/sync/mod.ts";
import type { QueueBase } from "../../../src/greenlet/sync/queue_base.ts";
import { integer } from "../../support/random.ts";
import {
  type Call,
  checkModel,
  type Model,
  type ModelRun,
  SEED,
} from "./model_run.ts";

type Detail =
  | { readonly kind: "get" | "peek" }
  | { readonly kind: "put"; readonly item: number };

/** Where an item is put, so that the next one out is the first. */
type Insert = (items: number[], item: number) => void;

/** A list of items, and who waits to put and to get. */
class QueueModel implements Model {
  readonly #run: ModelRun<Detail>;
  readonly #queue: QueueBase<number>;
  readonly #insert: Insert;
  readonly #maxSize: number;
  readonly #items: number[] = [];
  #closed = false;
  #puts = 0;

  constructor(
    run: ModelRun<Detail>,
    create: (options: QueueOptions<number>) => QueueBase<number>,
    insert: Insert,
  ) {
    this.#run = run;
    this.#maxSize = 1 + integer(run.random, 4);
    this.#queue = create({ maxSize: this.#maxSize });
    this.#insert = insert;
  }

  step(): void {
    const dice = this.#run.random();
    if (dice < 0.3) this.#put();
    else if (dice < 0.55) this.#next("get");
    else if (dice < 0.63) this.#next("peek");
    else if (dice < 0.7) this.#tryPut();
    else if (dice < 0.77) this.#tryNext("tryGet");
    else if (dice < 0.8) this.#tryNext("tryPeek");
    else if (dice < 0.9) this.#run.interrupt();
    else if (dice < 0.9995) this.#run.advance("late");
    else this.#close();
  }

  stats(): object {
    return this.#queue.stats();
  }

  expected(): object {
    const putting = this.#putters().length;
    return {
      size: this.#items.length,
      maxSize: this.#maxSize,
      putting,
      getting: this.#run.waiting.length - putting,
      closed: this.#closed,
    };
  }

  #putters(): Call<Detail>[] {
    return this.#run.waiting.filter(({ detail }) => detail.kind === "put");
  }

  /** Unique, and in no order. */
  #newItem(): number {
    return integer(this.#run.random, 1_000) * 100_000 + this.#puts++;
  }

  #put(): void {
    const item = this.#newItem();
    const call = this.#run.call(
      { kind: "put", item },
      (options) => this.#queue.put(item, options),
    );
    if (this.#closed) this.#run.end(call, "ResourceClosedError");
    else this.#move(call);
  }

  #next(kind: "get" | "peek"): void {
    const call = this.#run.call(
      { kind },
      (options) => this.#queue[kind](options),
    );
    if (this.#closed && this.#items.length === 0) {
      this.#run.end(call, "ResourceClosedError");
    } else this.#move(call);
  }

  /** Lets all who can go on do so; whoever makes a call goes on after those whom it wakes. */
  #move(caller?: Call<Detail>): void {
    let last = () => {};
    const end = (call: Call<Detail>, outcome: unknown) => {
      const finish = () => this.#run.end(call, outcome);
      if (call === caller) last = finish;
      else finish();
      waiting = waiting.filter((other) => other !== call);
    };
    let waiting = this.#run.waiting;
    for (;;) {
      const putter = waiting.find(({ detail }) => detail.kind === "put");
      const getter = waiting.find(({ detail }) => detail.kind !== "put");
      if (this.#items.length > 0 && getter !== undefined) {
        const [item] = this.#items;
        if (getter.detail.kind === "get") this.#items.shift();
        end(getter, item);
      } else if (
        this.#items.length < this.#maxSize && putter?.detail.kind === "put"
      ) {
        this.#insert(this.#items, putter.detail.item);
        end(putter, undefined);
      } else break;
    }
    last();
  }

  #tryPut(): void {
    const item = this.#newItem();
    if (this.#closed) {
      assert.throws(() => this.#queue.tryPut(item), {
        name: "ResourceClosedError",
      });
    } else if (this.#items.length === this.#maxSize) {
      assert.throws(() => this.#queue.tryPut(item), { name: "QueueFullError" });
    } else {
      this.#insert(this.#items, item);
      this.#queue.tryPut(item);
      this.#move();
    }
  }

  #tryNext(method: "tryGet" | "tryPeek"): void {
    if (this.#items.length === 0) {
      const name = this.#closed ? "ResourceClosedError" : "QueueEmptyError";
      assert.throws(() => this.#queue[method](), { name });
      return;
    }
    assert.equal(this.#queue[method](), this.#items[0]);
    if (method === "tryGet") this.#items.shift();
    this.#move();
  }

  #close(): void {
    this.#closed = true;
    const immediate = this.#run.random() < 0.5;
    for (const call of this.#putters()) {
      this.#run.end(call, "ResourceClosedError");
    }
    for (const call of this.#run.waiting) {
      this.#run.end(call, "ResourceClosedError");
    }
    if (immediate) this.#items.length = 0;
    this.#queue.close("enough", { immediate });
  }
}

Deno.test(`Queue behaves as its model in 40,000 random steps (SYNC_SEED=${SEED})`, async () => {
  await checkModel<Detail>(40_000, (run) =>
    new QueueModel(
      run,
      (options) => new Queue(options),
      (items, item) => items.push(item),
    ));
});

Deno.test(`LifoQueue behaves as its model in 10,000 random steps (SYNC_SEED=${SEED})`, async () => {
  await checkModel<Detail>(10_000, (run) =>
    new QueueModel(
      run,
      (options) => new LifoQueue(options),
      (items, item) => items.unshift(item),
    ));
});

Deno.test(`PriorityQueue behaves as its model in 10,000 random steps (SYNC_SEED=${SEED})`, async () => {
  await checkModel<Detail>(10_000, (run) =>
    new QueueModel(
      run,
      (options) =>
        new PriorityQueue({
          ...options,
          // Many are equal: of those the oldest is first.
          compare: (a, b) =>
            Math.floor(a / 20_000_000) - Math.floor(b / 20_000_000),
        }),
      (items, item) => {
        const rank = (x: number) => Math.floor(x / 20_000_000);
        const at = items.findIndex((other) => rank(other) > rank(item));
        items.splice(at === -1 ? items.length : at, 0, item);
      },
    ));
});
