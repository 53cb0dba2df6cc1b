import assert from "node:assert/strict";
import { PlainWait } from "../../../src/greenlet/sync/plain_wait.ts";
import { virtualHub } from "../../support/virtual_hub.ts";

Deno.test("PlainWait counts the first outcome and ignores later ones", async () => {
  const { hub, driver } = virtualHub();
  // Somebody stands in the ready queue, so that the wait has to as well.
  hub.spawn(() => {});
  const wait = new PlainWait<number>(hub);
  assert.equal(wait.armed, true);
  wait.settle(1);
  wait.settle(2);
  wait.fail(new Error("late"));
  assert.equal(wait.armed, false);
  assert.equal(await wait.suspend(), 1);
  await driver.settle();
});

Deno.test("PlainWait takes its turn behind the greenlets that were ready before", async () => {
  const { hub, driver } = virtualHub();
  const order: string[] = [];
  hub.spawn(() => order.push("before"));
  const wait = new PlainWait<void>(hub);
  void wait.suspend().then(() => order.push("wait"));
  wait.settle();
  await driver.settle();
  assert.deepEqual(order, ["before", "wait"]);
});
