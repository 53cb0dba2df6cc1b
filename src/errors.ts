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
