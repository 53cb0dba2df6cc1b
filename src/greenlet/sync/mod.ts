/**
 * Events, locks and queues, with gevent's semantics, for greenlets and for plain asynchronous
 * code.
 *
 * In a greenlet every wait is that greenlet's, so that a kill or a timeout ends it. Elsewhere,
 * also in a host function, a wait ends with its `timeout` and its `signal`.
 *
 * - Whoever comes first is served first. What is handed over is the next one's at that moment;
 *   it runs on when its turn in the hub's ready queue has come, never inside the call that
 *   woke it.
 * - A wait that is lost, to a timeout, a kill or a signal, leaves nothing behind.
 * - Methods that begin with `try` never wait.
 *
 * @example
 * ```ts
 * import { spawn } from "@hedgesnake/greenlet";
 * import { Queue } from "@hedgesnake/greenlet/sync";
 * import assert from "node:assert/strict";
 *
 * const queue = new Queue<number>({ maxSize: 2 });
 * const producer = spawn(async () => {
 *   for (let i = 0; i < 5; i++) await queue.put(i);
 *   queue.close();
 * });
 * const squares: number[] = [];
 * for await (const item of queue) squares.push(item ** 2);
 * await producer;
 * assert.deepEqual(squares, [0, 1, 4, 9, 16]);
 * ```
 *
 * @module
 */

export { AsyncResult, type AsyncResultStats } from "./async_result.ts";
export { Barrier, type BarrierStats } from "./barrier.ts";
export { BoundedSemaphore } from "./bounded_semaphore.ts";
export { Channel, type ChannelStats } from "./channel.ts";
export { Condition, type ConditionStats } from "./condition.ts";
export { Event, type EventStats } from "./event.ts";
export type { Compare } from "./heap_store.ts";
export type { ItemStore } from "./item_store.ts";
export { JoinableQueue, type JoinableQueueStats } from "./joinable_queue.ts";
export { LifoQueue } from "./lifo_queue.ts";
export { LockGuard } from "./lock_guard.ts";
export { PriorityQueue, type PriorityQueueOptions } from "./priority_queue.ts";
export { Queue } from "./queue.ts";
export type {
  QueueBase,
  QueueCloseOptions,
  QueueOptions,
  QueueStats,
} from "./queue_base.ts";
export {
  type OwnerOptions,
  RLock,
  type RLockOptions,
  type RLockStats,
} from "./rlock.ts";
export { Semaphore, type SemaphoreStats } from "./semaphore.ts";

export type { WaitOptions } from "./wait_options.ts";
