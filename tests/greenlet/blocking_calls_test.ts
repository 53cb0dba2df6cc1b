/** The conformance suite of blocking calls, for those of greenlets and their sets. */

import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { Group } from "../../src/greenlet/group.ts";
import { Pool } from "../../src/greenlet/pool.ts";
import type { WaitOptions } from "../../src/greenlet/sync/wait_options.ts";
import { threadHub } from "../../src/greenlet/thread.ts";
import { waitFor } from "../../src/greenlet/wait_for.ts";
import {
  type BlockedCall,
  testBlockingCall,
} from "../support/blocking_call_kit.ts";

/** A greenlet that runs until it is told to end, and then ends inside that call. */
class Busy {
  readonly greenlet: Greenlet<string>;
  // A promise would pass its value on in a later turn.
  readonly outcome: PromiseLike<string> = {
    then: <A, B>(take?: ((value: string) => A | PromiseLike<A>) | null) => {
      this.#takers.push((value) => take?.(value));
      return Promise.withResolvers<A | B>().promise;
    },
  };
  readonly #takers: ((value: string) => unknown)[] = [];

  constructor() {
    this.greenlet = threadHub().spawn(() => this.outcome, { name: "busy" });
  }

  end(): void {
    for (const take of this.#takers.splice(0)) take("woken");
  }
}

/** A call that something ends; nothing of it can be closed. */
function blocked(
  woken: unknown,
  wake: () => void,
  call: (options: WaitOptions) => Promise<unknown>,
  stats: () => object = () => ({}),
): BlockedCall {
  return { call, wake, close: wake, woken, closed: woken, stats };
}

testBlockingCall({
  name: "Greenlet.get()",
  label: "get busy",
  late: "rejects",
  make: () => {
    let busy = new Busy();
    const wake = () => {
      busy.end();
      busy = new Busy();
    };
    return blocked("woken", wake, (options) => busy.greenlet.get(options));
  },
});

testBlockingCall({
  name: "waitFor()",
  late: "rejects",
  make: () => {
    const busy = new Busy();
    const wake = () => busy.end();
    return blocked("woken", wake, (options) => waitFor(busy.outcome, options));
  },
});

testBlockingCall({
  name: "Group.join()",
  label: "join()",
  late: false,
  make: () => {
    const group = new Group();
    let busy = new Busy();
    group.add(busy.greenlet);
    const wake = () => {
      busy.end();
      busy = new Busy();
      group.add(busy.greenlet);
    };
    return blocked(true, wake, (options) => group.join(options));
  },
});

testBlockingCall({
  name: "Pool.add()",
  late: "rejects",
  make: () => {
    const pool = new Pool(1);
    let busy = new Busy();
    let next = new Busy();
    pool.tryAdd(busy.greenlet);
    const wake = () => {
      busy.end();
      busy = next;
      next = new Busy();
    };
    const call = (options: WaitOptions) => pool.add(next.greenlet, options);
    const stats = () => ({ waiting: pool.waiting, size: pool.size });
    return blocked(undefined, wake, call, stats);
  },
});
