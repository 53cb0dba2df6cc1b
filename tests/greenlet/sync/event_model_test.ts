import { Event } from "../../../src/greenlet/sync/mod.ts";
import { checkModel, type Model, type ModelRun, SEED } from "./model_run.ts";

/** A flag, and who waits for it. */
function eventModel(run: ModelRun<void>): Model {
  let set = false;
  let closed = false;
  const event = new Event();
  const wait = () => {
    const call = run.call(undefined, (options) => event.wait(options));
    if (closed) run.end(call, "ResourceClosedError");
    else if (set) run.end(call, true);
  };
  const endAll = (outcome: unknown) => {
    for (const call of run.waiting) run.end(call, outcome);
  };
  return {
    step() {
      const dice = run.random();
      if (dice < 0.6) wait();
      else if (dice < 0.7) {
        set = true;
        endAll(true);
        event.set();
      } else if (dice < 0.82) {
        set = false;
        event.clear();
      } else if (dice < 0.91) run.interrupt();
      else if (dice < 0.9995) run.advance(false);
      else {
        closed = true;
        endAll("ResourceClosedError");
        event.close();
      }
    },
    stats: () => event.stats(),
    expected: () => ({ set, waiting: run.waiting.length, closed }),
  };
}

Deno.test(`Event behaves as its model in 30,000 random steps (SYNC_SEED=${SEED})`, async () => {
  await checkModel(30_000, eventModel);
});
