import assert from "node:assert/strict";
import { Deque } from "../../src/greenlet/deque.ts";
import { integer, seededRandom } from "../support/random.ts";

const SEED = Number(Deno.env.get("DEQUE_SEED") ?? 20261123);

Deno.test("Deque gives back what was added, first in, first out", () => {
  const deque = new Deque<number>();
  for (let i = 0; i < 200; i++) deque.push(i);
  assert.equal(deque.length, 200);
  assert.equal(deque.peek(), 0);
  const taken = Array.from({ length: 200 }, () => deque.shift());
  assert.deepEqual(taken, Array.from({ length: 200 }, (_, i) => i));
  assert.equal(deque.length, 0);
});

Deno.test("Deque.shift() and peek() of an empty one are undefined", () => {
  const deque = new Deque<string>();
  assert.equal(deque.shift(), undefined);
  assert.equal(deque.peek(), undefined);
  deque.push("a");
  deque.shift();
  assert.equal(deque.peek(), undefined);
  assert.equal(deque.shift(), undefined);
  assert.equal(deque.length, 0);
});

Deno.test(`Deque agrees with an array in random use (DEQUE_SEED=${SEED})`, () => {
  const random = seededRandom(SEED);
  const deque = new Deque<number>();
  const model: number[] = [];
  for (let step = 0; step < 20_000; step++) {
    // Phases of growth and of shrinking, so that the ring wraps at many sizes.
    const adds = random() < (step % 2_000 < 1_000 ? 0.6 : 0.4);
    if (adds) {
      const item = integer(random, 1_000_000);
      deque.push(item);
      model.push(item);
    } else assert.equal(deque.shift(), model.shift());
    assert.equal(deque.length, model.length);
    assert.equal(deque.peek(), model[0]);
  }
});
