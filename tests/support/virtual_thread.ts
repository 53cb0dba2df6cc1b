/** A thread whose hub is virtual: what asks for the thread's hub gets that one. @module */

import { AsyncLocalStorage } from "node:async_hooks";
import type { GreenletContext } from "../../src/greenlet/driver.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { Hub, type HubOptions } from "../../src/greenlet/hub.ts";
import { setThreadHub } from "../../src/greenlet/thread.ts";
import { VirtualDriver } from "./virtual_hub.ts";

const storage = new AsyncLocalStorage<Greenlet<unknown> | undefined>();

/** A virtual driver that follows greenlets across `await`. */
export class FollowingDriver extends VirtualDriver {
  readonly context: GreenletContext = {
    run: (greenlet, body) => storage.run(greenlet, body),
    current: () => storage.getStore(),
    outside: (run) => () => storage.run(undefined, run),
  };
}

/** A virtual hub that is this thread's until the end of a `using` block. */
export interface VirtualThread extends Disposable {
  readonly hub: Hub;
  readonly driver: FollowingDriver;
}

/** Makes a virtual hub this thread's. */
export function virtualThread(options?: HubOptions): VirtualThread {
  const driver = new FollowingDriver();
  const hub = new Hub(driver, options);
  const before = setThreadHub(() => hub);
  return { hub, driver, [Symbol.dispose]: () => void setThreadHub(before) };
}
