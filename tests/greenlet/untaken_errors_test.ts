import assert from "node:assert/strict";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection, unhandledRejections } from "../support/virtual_hub.ts";

// -- Errors that nobody takes --

threadTest(
  "Hub.onError gets an error that nobody took, once, with its greenlet",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    hub.onError = (error, greenlet) => seen.push(error, greenlet);
    const reason = new Error("x");
    const native = await unhandledRejections(async () => {
      const greenlet = hub.spawn(() => Promise.reject(reason));
      await pass();
      assert.deepEqual(seen, [reason, greenlet]);
      assert.equal(await rejection(greenlet), reason);
      await pass();
    });
    assert.equal(seen.length, 2);
    assert.deepEqual(native, []);
  },
);

threadTest(
  "Hub.onError does not get an error that somebody took",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    hub.onError = (error) => seen.push(error);
    const fail = () => hub.spawn(() => Promise.reject(new Error("x")));
    fail().catch(() => {});
    fail().then(() => {}, () => {});
    fail().get().catch(() => {});
    fail().get({ timeout: 10 }).catch(() => {});
    void fail().join();
    fail().rawLink(() => {});
    fail().linkError(() => {});
    const waiter = hub.spawn(() => rejection(fail().get()));
    await pass();
    assert.equal(waiter.ended, true);
    assert.deepEqual(seen, []);
  },
);

threadTest(
  "Hub.onError gets the error of one that only has links for values",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    hub.onError = (error) => seen.push(error);
    hub.spawn(() => Promise.reject("x")).linkValue(() => {});
    await pass();
    assert.deepEqual(seen, ["x"]);
  },
);

threadTest(
  "Hub.onError gets the error of one whose get() had timed out",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    hub.onError = (error) => seen.push(error);
    const greenlet = hub.spawn(() => nap(20).then(() => Promise.reject("x")));
    const late = rejection(greenlet.get({ timeout: 10 }));
    await pass(10);
    await late;
    await pass(10);
    assert.deepEqual(seen, ["x"]);
  },
);

threadTest(
  "Hub.onError does not get kills, but what a killed one fails with",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    hub.onError = (error) => seen.push(error);
    const killed = hub.spawn(() => nap(10));
    const failed = hub.spawn(() =>
      nap(10).catch(() => Promise.reject("clean-up"))
    );
    await pass();
    void killed.kill();
    void failed.kill();
    await pass();
    assert.deepEqual(seen, ["clean-up"]);
  },
);

threadTest(
  "Hub.onError that throws is an unhandled rejection and stops nothing",
  async ({ hub, pass }) => {
    hub.onError = () => {
      throw "handler";
    };
    const seen = await unhandledRejections(async () => {
      hub.spawn(() => Promise.reject("x"));
      await pass();
    });
    assert.deepEqual(seen, ["handler"]);
    assert.equal(await hub.spawn(() => 1), 1);
  },
);

threadTest(
  "Greenlet whose get() had timed out ends no process with its error",
  async ({ hub, pass }) => {
    const seen: unknown[] = [];
    const note = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      seen.push(event.reason);
    };
    addEventListener("unhandledrejection", note);
    try {
      const failing = () => nap(20).then(() => Promise.reject("x"));
      const givenUp = rejection(hub.spawn(failing).get({ timeout: 10 }));
      hub.spawn(failing);
      await pass(10);
      await givenUp;
      await pass(10);
      await new Promise((resolve) => setTimeout(resolve, 0));
    } finally {
      removeEventListener("unhandledrejection", note);
    }
    assert.deepEqual(seen, ["x"], "only that of the other one");
  },
);
