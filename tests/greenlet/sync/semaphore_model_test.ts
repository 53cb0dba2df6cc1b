import assert from "node:assert/strict";
import { Semaphore } from "../../../src/greenlet/sync/mod.ts";
import { integer } from "../../support/random.ts";
import { checkModel, type Model, type ModelRun, SEED } from "./model_run.ts";

/** Permits, and who waits for them: that is all. */
function semaphoreModel(run: ModelRun<void>): Model {
  let value = integer(run.random, 3);
  let closed = false;
  const semaphore = new Semaphore(value);
  const acquire = () => {
    const call = run.call(undefined, (options) => semaphore.acquire(options));
    if (closed) run.end(call, "ResourceClosedError");
    else if (value > 0) {
      value -= 1;
      run.end(call, true);
    }
  };
  const release = () => {
    const [first] = run.waiting;
    if (first !== undefined) run.end(first, true);
    else value += 1;
    semaphore.release();
  };
  const tryAcquire = () => {
    if (closed) return;
    assert.equal(semaphore.tryAcquire(), value > 0);
    value = Math.max(0, value - 1);
  };
  const close = () => {
    closed = true;
    for (const call of run.waiting) run.end(call, "ResourceClosedError");
    semaphore.close();
  };
  return {
    step() {
      const dice = run.random();
      if (dice < 0.4) acquire();
      else if (dice < 0.7) release();
      else if (dice < 0.8) tryAcquire();
      else if (dice < 0.9) run.interrupt();
      else if (dice < 0.9995) run.advance(false);
      else close();
    },
    stats: () => semaphore.stats(),
    expected: () => ({ value, waiting: run.waiting.length, closed }),
  };
}

Deno.test(`Semaphore behaves as its model in 40,000 random steps (SYNC_SEED=${SEED})`, async () => {
  await checkModel(40_000, semaphoreModel);
});
