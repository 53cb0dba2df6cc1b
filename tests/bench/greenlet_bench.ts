/** What greenlets of JavaScript cost, beside what gevent's cost or plain promises. @module */

import { Channel, Queue } from "../../src/greenlet/sync/mod.ts";
import { sleep, spawn } from "../../mod.ts";
import { type Bench, compare, type Operations } from "./measure.ts";

const ROUNDS = 20_000;

/** Runs two greenlets to their end. */
async function both(
  one: () => Promise<void>,
  other: () => Promise<void>,
): Promise<void> {
  const greenlets = [spawn(one), spawn(other)];
  for (const greenlet of greenlets) await greenlet;
}

/** Two plain asynchronous functions that hand over by a microtask: the least that it can cost. */
const asyncPingPong: Operations = async (count) => {
  const rounds = async () => {
    for (let i = 0; i < count; i++) await undefined;
  };
  await Promise.all([rounds(), rounds()]);
};

const REFERENCE = {
  unit: "ns",
  reference: "two async functions, one await each",
  baseline: asyncPingPong,
  count: ROUNDS,
} as const;

/** The benches of JavaScript greenlets. */
export const GREENLET_BENCHES: readonly Bench[] = [
  {
    name: "switch",
    goal: "≤ 0.6 µs: a third of gevent's sleep(0), 1.6-1.9 µs",
    run: () =>
      compare({
        ...REFERENCE,
        name: "switch",
        subject: (count) => {
          const rounds = async () => {
            for (let i = 0; i < count / 2; i++) await sleep(0);
          };
          return both(rounds, rounds);
        },
      }),
  },
  {
    name: "channel-round-trip",
    goal: "≤ 2.6 µs: a third of gevent's 7.7 µs",
    run: () =>
      compare({
        ...REFERENCE,
        name: "channel-round-trip",
        subject: (count) => {
          const there = new Channel<number>();
          const back = new Channel<number>();
          return both(async () => {
            for (let i = 0; i < count; i++) {
              await there.put(i);
              await back.get();
            }
          }, async () => {
            for (let i = 0; i < count; i++) await back.put(await there.get());
          });
        },
      }),
  },
  {
    name: "queue-bounded",
    goal: "≤ 2.4 µs: a third of gevent's 7.3 µs",
    run: () =>
      compare({
        ...REFERENCE,
        name: "queue-bounded",
        subject: (count) => {
          const queue = new Queue<number>({ maxSize: 1 });
          return both(async () => {
            for (let i = 0; i < count; i++) await queue.put(i);
          }, async () => {
            for (let i = 0; i < count; i++) await queue.get();
          });
        },
      }),
  },
  {
    name: "js-greenlet-spawn",
    goal: "reported: against a bare call of an async function",
    run: () =>
      compare({
        name: "js-greenlet-spawn",
        unit: "ns",
        reference: "bare async call",
        baseline: async (count) => {
          const body = () => Promise.resolve(1);
          for (let i = 0; i < count; i++) await body();
        },
        subject: async (count) => {
          for (let i = 0; i < count; i++) await spawn(() => 1);
        },
        count: ROUNDS,
      }),
  },
];
