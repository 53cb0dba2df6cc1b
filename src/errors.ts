/**
 * Every error that Hedgesnake throws, as one hierarchy.
 *
 * Catch {@linkcode HedgesnakeError} for all of them. Errors of a guest's own making (an exception
 * that a host function threw) are not wrapped: they arrive as the same object.
 *
 * @module
 */

/** The base of every error of this package. You never get it itself, always a subclass. */
export class HedgesnakeError extends Error {
  /**
   * An error with a message and, where something caused it, that `cause`.
   *
   * @param message Sentence case: the action, then the state that prevents it.
   * @param options The cause.
   */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * The runtime lacks what Hedgesnake needs: JavaScript Promise Integration.
 *
 * You get it from the first `load()` on an old runtime, never later.
 */
export class UnsupportedRuntimeError extends HedgesnakeError {}

/**
 * The bytes are not a core WebAssembly module that this runtime accepts.
 *
 * You get it for truncated or foreign files, for components, and for modules that the runtime's
 * own validator rejects (then `cause` is its error). You do not get it for a missing import or
 * export: see {@linkcode MissingImportError} and {@linkcode MissingExportError}.
 */
export class InvalidModuleError extends HedgesnakeError {}

/** Imports of the guest that nobody provides: all of them at once, as `module.name`. */
export class MissingImportError extends HedgesnakeError {}

/** The guest has no export of that name; the message lists the near ones. */
export class MissingExportError extends HedgesnakeError {}

/** A call's arguments do not fit the guest's signature: wrong number, type or range. */
export class GuestArgumentError extends HedgesnakeError {}

/**
 * The guest cannot run the way that was asked for, for example `interleaved` with no stack pointer
 * or no allocator to be found. The message says which option helps.
 */
export class UnsupportedGuestError extends HedgesnakeError {}

/**
 * The guest trapped: `unreachable`, an access out of bounds, a stack overflow.
 *
 * `cause` is the runtime's own error and `stack` its WebAssembly stack. You do not get it for an
 * exception that a host function threw: that one arrives as the same object.
 */
export class GuestTrapError extends HedgesnakeError {}

/**
 * A guest overflowed its stack segment, or wrote outside it.
 *
 * You get it in an `interleaved` instance only. The instance is tainted: a neighbour may be
 * damaged. The option `stackSize` makes segments larger.
 */
export class StackOverflowError extends HedgesnakeError {}

/**
 * The instance is not safe to use any more: an earlier call trapped, overflowed its stack or was
 * unwound in the middle of its work by an exception that the guest could not clean up after.
 *
 * `cause` is what happened. The option `onTaint: "allow"` runs new calls nevertheless.
 */
export class GuestTaintedError extends HedgesnakeError {}

/**
 * A guest called a suspending host function where it cannot be suspended: with a JavaScript frame
 * between, in its start function, or in a call that was made without a greenlet.
 */
export class SuspendError extends HedgesnakeError {}

/** The guest's memory is at its limit: there is no room for a stack, an argument or a result. */
export class GuestOutOfMemoryError extends HedgesnakeError {}

/** All stacks are in use and the call asked not to wait for one. */
export class StackLimitError extends HedgesnakeError {}

/**
 * The greenlet was killed before it ended by itself.
 *
 * `cause` is the reason given to `kill()`, if any. You do not get it when the greenlet had already
 * ended, or ended before the kill could reach it.
 */
export class GreenletKilledError extends HedgesnakeError {}

/**
 * Something inside Hedgesnake or in a host function's declaration is wrong, for example a `sync`
 * host function that returned a promise.
 */
export class InternalError extends HedgesnakeError {}

/** *You* closed the resource: a library, a database, a file. Its waiters get this error too. */
export class ResourceClosedError extends HedgesnakeError {}

/** *The world* broke the resource: a server that does not answer, a disk that is full. */
export class ResourceBrokenError extends HedgesnakeError {}

/** `tryPut()` met a queue that has no room, or a channel where nobody waits to get. */
export class QueueFullError extends HedgesnakeError {}

/**
 * `tryGet()` or `tryPeek()` met a queue that has no item, or a channel where nobody waits to put.
 *
 * You do not get it from a queue that is closed: see {@linkcode ResourceClosedError}.
 */
export class QueueEmptyError extends HedgesnakeError {}

/**
 * More was given back than was taken: a permit of a bounded semaphore, a task of a joinable queue.
 *
 * Nothing has changed.
 */
export class OverReleaseError extends HedgesnakeError {}

/** A lock was released, or its condition used, by somebody who does not hold it. */
export class LockOwnerError extends HedgesnakeError {}

/**
 * Not all parties of a barrier will come: one of them timed out, was killed or gave up, or the
 * barrier was aborted or reset while this one waited.
 *
 * The party that was lost does not get it, but its own error.
 */
export class BrokenBarrierError extends HedgesnakeError {}

/** An asynchronous result was given a second outcome; it keeps the first one. */
export class AlreadySetError extends HedgesnakeError {}

/** `tryGet()` met an asynchronous result that has no outcome yet. */
export class NotReadyError extends HedgesnakeError {}

/**
 * Waiting would never end: a greenlet would wait for itself, or for a place in a pool that only
 * those who wait for a place could free.
 *
 * You do not get it when the call has a timeout or a signal, which may end the wait.
 */
export class DeadlockError extends HedgesnakeError {}

/** `trySpawn()` or `tryAdd()` met a pool that is full. */
export class PoolFullError extends HedgesnakeError {}

/**
 * Another greenlet of the scope has failed, so the scope's body is not to go on.
 *
 * `cause` is that greenlet's error, with which the scope rejects. Only the body gets it, in its
 * wait.
 */
export class ScopeInterruptedError extends HedgesnakeError {}
