/** Tests on a virtual hub that is this thread's. @module */

import type { Hub } from "../../src/greenlet/hub.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import { waitingGreenlet } from "../../src/greenlet/thread.ts";
import type { VirtualDriver } from "./virtual_hub.ts";
import { virtualThread } from "./virtual_thread.ts";

/** What a test gets. */
export interface Thread {
  readonly hub: Hub;
  readonly driver: VirtualDriver;
  /** Lets everybody run, then time pass, then everybody run. */
  pass(milliseconds?: number): Promise<void>;
}

/** Declares a test on a virtual hub of its own; at its end no timer is left. */
export function threadTest(
  name: string,
  body: (thread: Thread) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using thread = virtualThread();
    const { hub, driver } = thread;
    const pass = async (milliseconds = 0) => {
      await driver.settle();
      driver.advance(milliseconds);
      await driver.settle();
    };
    await body({ hub, driver, pass });
    await driver.settle();
    if (driver.timers > 0) throw new Error(`${driver.timers} timers are left`);
  });
}

/** Lets virtual time pass for the greenlet that the running code is part of. */
export function nap(milliseconds: number): Promise<void> {
  const greenlet = waitingGreenlet();
  if (greenlet === undefined) throw new Error("Not in a greenlet");
  return sleepIn(greenlet, milliseconds);
}
