/** A virtual hub that is this thread's, and that follows greenlets through their awaits. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { GreenletContext } from "../../src/greenlet/driver.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { Hub } from "../../src/greenlet/hub.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import { setThreadHub, waitingGreenlet } from "../../src/greenlet/thread.ts";
import { VirtualDriver } from "./virtual_hub.ts";

const storage = new AsyncLocalStorage<Greenlet<unknown> | undefined>();

class FollowingDriver extends VirtualDriver {
  readonly context: GreenletContext = {
    run: (greenlet, body) => storage.run(greenlet, body),
    current: () => storage.getStore(),
    outside: (run) => () => storage.run(undefined, run),
  };
}

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
    const driver = new FollowingDriver();
    const hub = new Hub(driver);
    const before = setThreadHub(() => hub);
    const pass = async (milliseconds = 0) => {
      await driver.settle();
      driver.advance(milliseconds);
      await driver.settle();
    };
    try {
      await body({ hub, driver, pass });
      await driver.settle();
      if (driver.timers > 0) {
        throw new Error(`${driver.timers} timers are left`);
      }
    } finally {
      setThreadHub(before);
    }
  });
}

/** Lets virtual time pass for the greenlet that the running code is part of. */
export function nap(milliseconds: number): Promise<void> {
  const greenlet = waitingGreenlet();
  if (greenlet === undefined) throw new Error("Not in a greenlet");
  return sleepIn(greenlet, milliseconds);
}
