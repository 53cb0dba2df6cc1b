import assert from "node:assert/strict";
import {
  AlreadySetError,
  NotReadyError,
  ResourceClosedError,
} from "../../../src/errors.ts";
import { AsyncResult } from "../../../src/greenlet/sync/mod.ts";
import { rejection, unhandledRejections } from "../../support/virtual_hub.ts";
import { virtualThread } from "../../support/virtual_thread.ts";

Deno.test("AsyncResult.set() gives all getters the value, and those who come later", async () => {
  using thread = virtualThread();
  const result = new AsyncResult<string>();
  const getters = [1, 2, 3].map(() => thread.hub.spawn(() => result.get()));
  await thread.driver.settle();
  assert.deepEqual(result.stats(), { ready: false, waiting: 3, closed: false });
  result.set("value");
  for (const getter of getters) assert.equal(await getter, "value");
  assert.equal(await result.get({ timeout: 0 }), "value");
  assert.equal(result.tryGet(), "value");
  assert.equal(result.value, "value");
  assert.equal(result.error, undefined);
  assert.deepEqual([result.ready, result.succeeded], [true, true]);
});

Deno.test("AsyncResult.setError() makes all getters reject with this very error", async () => {
  using thread = virtualThread();
  const result = new AsyncResult<string>();
  const getter = thread.hub.spawn(() => result.get());
  const waiter = thread.hub.spawn(() => result.wait());
  await thread.driver.settle();
  const reason = new Error("no");
  result.setError(reason);
  assert.equal(await rejection(getter), reason);
  assert.equal(await waiter, true, "wait() does not reject");
  assert.equal(await rejection(result.get()), reason);
  assert.throws(() => result.tryGet(), reason);
  assert.equal(result.value, undefined);
  assert.equal(result.error, reason);
  assert.deepEqual([result.ready, result.succeeded], [true, false]);
});

Deno.test("AsyncResult whose error nobody gets is not reported", async () => {
  const seen = await unhandledRejections(() => {
    new AsyncResult().setError(new Error("unseen"));
    return Promise.resolve();
  });
  assert.deepEqual(seen, []);
});

Deno.test("AsyncResult refuses a second outcome and keeps the first", () => {
  const result = new AsyncResult<number>();
  result.set(1);
  assert.throws(() => result.set(2), AlreadySetError);
  assert.throws(() => result.setError(new Error("late")), AlreadySetError);
  assert.throws(() => result.follow(Promise.resolve(2)), AlreadySetError);
  assert.equal(result.tryGet(), 1);
  const failed = new AsyncResult<number>();
  failed.setError(undefined);
  assert.throws(() => failed.set(2), {
    name: "AlreadySetError",
    message: "Cannot set the result: it is set already",
  });
  assert.equal(failed.ready, true);
});

Deno.test("AsyncResult.tryGet() before there is an outcome says so", () => {
  assert.throws(() => new AsyncResult().tryGet(), NotReadyError);
});

Deno.test("AsyncResult.follow() takes the outcome of a greenlet, also as a callback", async () => {
  using thread = virtualThread();
  const value = new AsyncResult<number>();
  const { follow } = value;
  follow(thread.hub.spawn(() => 42));
  assert.equal(await value.get(), 42);

  const reason = new Error("no");
  const error = new AsyncResult<number>();
  const failing = thread.hub.spawn((): number => {
    throw reason;
  });
  error.follow(failing);
  assert.equal(await rejection(error.get()), reason);

  const late = new AsyncResult<number>();
  const ended = thread.hub.spawn(() => 7);
  await ended;
  late.follow(ended);
  assert.equal(await late.get(), 7);
});

Deno.test("AsyncResult.follow() is a link of a greenlet", async () => {
  using thread = virtualThread();
  const value = new AsyncResult<number>();
  const error = new AsyncResult<number>();
  const reason = new Error("no");
  thread.hub.spawn(() => 42).link(value.follow);
  thread.hub.spawn((): number => {
    throw reason;
  }).link(error.follow);
  await thread.driver.settle();
  assert.equal(value.tryGet(), 42);
  assert.equal(error.error, reason);
});

Deno.test("AsyncResult that is closed refuses outcomes and drops the one it follows", async () => {
  using thread = virtualThread();
  const result = new AsyncResult<number>();
  result.follow(thread.hub.spawn(() => 42));
  const reason = new Error("enough");
  result.close(reason);
  assert.throws(() => result.set(1), ResourceClosedError);
  assert.throws(() => result.tryGet(), ResourceClosedError);
  const seen = await unhandledRejections(() => thread.driver.settle());
  assert.deepEqual(seen, []);
  assert.equal(result.ready, false);
});

Deno.test("AsyncResult that has an outcome keeps it when it is closed", async () => {
  using thread = virtualThread();
  const result = new AsyncResult<number>();
  {
    using closing = result;
    closing.set(1);
  }
  assert.equal(await result.get(), 1);
  assert.equal(result.stats().closed, false);
  await thread.driver.settle();
});
