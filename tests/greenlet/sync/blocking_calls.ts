/** Every call of a primitive that may wait, for the kit of blocking calls. @module */

import {
  AsyncResult,
  Barrier,
  BoundedSemaphore,
  Channel,
  Condition,
  Event,
  JoinableQueue,
  LifoQueue,
  LockGuard,
  PriorityQueue,
  Queue,
  RLock,
  Semaphore,
} from "../../../src/greenlet/sync/mod.ts";
import type { QueueBase } from "../../../src/greenlet/sync/queue_base.ts";
import type { BlockingCallCase } from "../../support/blocking_call_kit.ts";

/** All of them. */
export const BLOCKING_CALLS: readonly BlockingCallCase[] = [
  ...eventCalls(),
  ...resultCalls(),
  ...semaphoreCalls("Semaphore", () => new Semaphore(0)),
  ...semaphoreCalls("BoundedSemaphore", () => {
    const semaphore = new BoundedSemaphore(4);
    while (semaphore.tryAcquire());
    return semaphore;
  }),
  ...lockCalls(),
  ...conditionCalls(),
  ...barrierCalls(),
  ...queueCalls("Queue", (options) => new Queue(options)),
  ...queueCalls("LifoQueue", (options) => new LifoQueue(options)),
  ...queueCalls("PriorityQueue", (options) => new PriorityQueue(options)),
  ...queueCalls("JoinableQueue", (options) => new JoinableQueue(options)),
  ...joinCalls(),
  ...channelCalls(),
];

/** Methods of primitives that never wait. */
export const NEVER_WAITING: ReadonlySet<string> = new Set([
  ...["abort", "clear", "close", "notify", "notifyAll", "release", "reset"],
  ...["set", "setError", "stats", "taskDone"],
  ...["tryAcquire", "tryGet", "tryLock", "tryPeek", "tryPut"],
  // Hooks of queues.
  ...["added", "dropped"],
  // What a condition needs of its lock; tested with the condition.
  ...["checkOwner", "releaseAll", "takeBack"],
]);

function eventCalls(): BlockingCallCase[] {
  return [{
    name: "Event.wait()",
    late: false,
    make() {
      const event = new Event();
      return {
        call: (options) => event.wait(options),
        wake: () => {
          event.set();
          event.clear();
        },
        woken: true,
        close: (reason) => event.close(reason),
        stats: () => event.stats(),
      };
    },
  }];
}

function resultCalls(): BlockingCallCase[] {
  // It is woken only once.
  return (["get", "wait"] as const).map((method) => ({
    name: `AsyncResult.${method}()`,
    late: method === "wait" ? false : "rejects",
    make() {
      let result = new AsyncResult<number>();
      return {
        call: (options) => result[method](options),
        wake: () => {
          result.set(7);
          result = new AsyncResult();
        },
        woken: method === "wait" ? true : 7,
        close: (reason) => result.close(reason),
        stats: () => result.stats(),
      };
    },
  }));
}

function semaphoreCalls(
  kind: string,
  create: () => Semaphore,
): BlockingCallCase[] {
  return [{
    name: `${kind}.acquire()`,
    label: "Semaphore.acquire()",
    late: false,
    make() {
      const semaphore = create();
      return {
        call: (options) => semaphore.acquire(options),
        wake: () => semaphore.release(),
        woken: true,
        close: (reason) => semaphore.close(reason),
        stats: () => semaphore.stats(),
      };
    },
  }, {
    name: `${kind}.lock()`,
    label: "Semaphore.lock()",
    late: "rejects",
    make() {
      const semaphore = create();
      return {
        call: async (options) =>
          await semaphore.lock(options) instanceof LockGuard,
        wake: () => semaphore.release(),
        woken: true,
        close: (reason) => semaphore.close(reason),
        stats: () => semaphore.stats(),
      };
    },
  }];
}

function lockCalls(): BlockingCallCase[] {
  const names = ["acquire", "lock"] as const;
  return names.map((method) => ({
    name: `RLock.${method}()`,
    late: method === "lock" ? "rejects" : false,
    make() {
      const lock = new RLock();
      const holder = {};
      const owner = {};
      lock.tryAcquire({ owner: holder });
      return {
        call: async (options) => {
          const got = await lock[method]({ ...options, owner });
          if (got === false) return false;
          lock.release({ owner });
          lock.tryAcquire({ owner: holder });
          return true;
        },
        wake: () => lock.release({ owner: holder }),
        woken: true,
        close: (reason) => lock.close(reason),
        stats: () => lock.stats(),
      };
    },
  }));
}

function conditionCalls(): BlockingCallCase[] {
  return (["wait", "waitFor"] as const).map((method) => ({
    name: `Condition.${method}()`,
    late: false,
    make() {
      const condition = new Condition();
      const { lock } = condition;
      const other = {};
      let changed = false;
      return {
        call: async (options) => {
          const owner = {};
          lock.tryAcquire({ owner });
          lock.tryAcquire({ owner });
          changed = false;
          try {
            return method === "wait"
              ? await condition.wait({ ...options, owner })
              : await condition.waitFor(() => changed, { ...options, owner });
          } finally {
            lock.release({ owner });
            lock.release({ owner });
          }
        },
        wake: () => {
          lock.tryAcquire({ owner: other });
          changed = true;
          condition.notify(1, { owner: other });
          lock.release({ owner: other });
        },
        woken: true,
        close: (reason) => condition.close(reason),
        stats: () => ({ ...condition.stats(), lock: lock.stats() }),
      };
    },
  }));
}

function barrierCalls(): BlockingCallCase[] {
  return [{
    name: "Barrier.wait()",
    late: "rejects",
    make() {
      const barrier = new Barrier(2);
      return {
        call: (options) => barrier.wait(options),
        wake: () => void barrier.wait(),
        woken: 0,
        close: (reason) => barrier.close(reason),
        // It breaks by design.
        stats: () => ({ waiting: barrier.stats().waiting }),
      };
    },
  }];
}

function queueCalls(
  kind: string,
  create: (
    options: { maxSize: number; items?: Iterable<number> },
  ) => QueueBase<number>,
): BlockingCallCase[] {
  const nexts = (["get", "peek"] as const).map((method): BlockingCallCase => ({
    name: `${kind}.${method}()`,
    late: "rejects",
    make() {
      const queue = create({ maxSize: 1 });
      return {
        call: (options) => queue[method](options),
        wake: () => {
          queue.tryPut(7);
          if (!queue.empty) queue.tryGet();
        },
        woken: 7,
        close: (reason) => queue.close(reason),
        stats: () => queue.stats(),
      };
    },
  }));
  return [...nexts, {
    name: `${kind}.put()`,
    late: "rejects",
    make() {
      const queue = create({ maxSize: 1, items: [1] });
      return {
        call: (options) => queue.put(2, options),
        wake: () => void queue.tryGet(),
        woken: undefined,
        close: (reason) => queue.close(reason),
        stats: () => queue.stats(),
      };
    },
  }];
}

function joinCalls(): BlockingCallCase[] {
  return [{
    name: "JoinableQueue.join()",
    late: false,
    make() {
      const queue = new JoinableQueue({ items: [1] });
      return {
        call: (options) => queue.join(options),
        wake: () => {
          queue.taskDone();
          queue.tryPut(1);
        },
        woken: true,
        close: (reason) => queue.close(reason, { immediate: true }),
        closed: true,
        stats: () => queue.stats(),
      };
    },
  }];
}

function channelCalls(): BlockingCallCase[] {
  return [{
    name: "Channel.get()",
    late: "rejects",
    make() {
      const channel = new Channel<number>();
      return {
        call: (options) => channel.get(options),
        wake: () => channel.tryPut(7),
        woken: 7,
        close: (reason) => channel.close(reason),
        stats: () => channel.stats(),
      };
    },
  }, {
    name: "Channel.put()",
    late: "rejects",
    make() {
      const channel = new Channel<number>();
      return {
        call: (options) => channel.put(7, options),
        wake: () => void channel.tryGet(),
        woken: undefined,
        close: (reason) => channel.close(reason),
        stats: () => channel.stats(),
      };
    },
  }];
}
