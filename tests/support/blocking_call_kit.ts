/** What every call that may wait must do, whatever it waits for. @module */

import assert from "node:assert/strict";
import { GreenletKilledError, ResourceClosedError } from "../../src/errors.ts";
import type { Greenlet } from "../../src/greenlet/greenlet.ts";
import { sleepIn } from "../../src/greenlet/sleep.ts";
import type { WaitOptions } from "../../src/greenlet/sync/wait_options.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { type VirtualThread, virtualThread } from "./virtual_thread.ts";

/** One object, and a call of it that has to wait. */
export interface BlockedCall {
  /** Waits until {@linkcode BlockedCall.wake}. */
  call(options: WaitOptions): Promise<unknown>;
  /** Ends one wait with {@linkcode BlockedCall.woken}. */
  wake(): void;
  /** What a wait that was woken resolves with. */
  readonly woken: unknown;
  /** Closes the object. */
  close(reason: unknown): void;
  /** What a wait resolves with that closing ended; it rejects without this. */
  readonly closed?: unknown;
  /** What must be as before when a wait was lost. */
  stats(): object;
}

/** A call that may wait. */
export interface BlockingCallCase {
  /** `Queue.get()`. */
  readonly name: string;
  /**
   * What its greenlet is blocked on.
   *
   * @default {name}
   */
  readonly label?: string;
  /** What happens when a timeout in milliseconds is over. */
  readonly late: false | "rejects";
  /** A new object. */
  make(): BlockedCall;
}

/** Where a call is made. */
type Place = "in a greenlet" | "outside";

/** A call that was made, and how it ended. */
interface Made {
  readonly greenlet: Greenlet<unknown> | undefined;
  outcome:
    | { readonly value: unknown }
    | { readonly error: unknown }
    | undefined;
}

const PLACES: readonly Place[] = ["in a greenlet", "outside"];

/** Registers the tests of a blocking call. */
export function testBlockingCall(blocking: BlockingCallCase): void {
  const { name } = blocking;
  for (const place of PLACES) {
    const test = (
      what: string,
      body: (scene: Scene) => Promise<void>,
    ): void => {
      Deno.test(`${name} ${place} ${what}`, async () => {
        using thread = virtualThread();
        await body(new Scene(thread, place, blocking));
      });
    };
    test("goes on when it is woken, with nothing left behind", wakes);
    test("times out at its timeout, and not before", timesOut);
    test("rejects with the very Timeout that it was given", timesOutByIdentity);
    test("waits for ever without a limit", waitsForEver);
    test("ends with the reason of its signal", endsWithSignal);
    test("with an aborted signal changes nothing", refusesAborted);
    test("is woken when what it waits for is closed", closes);
    test("refuses timeouts that are none", refusesTimeouts);
    test("keeps what it got in the moment of an abort", keepsWhenAborted);
    test("keeps what it got in the moment of its timeout", keepsWhenLate);
  }
  const test = (what: string, body: (scene: Scene) => Promise<void>): void => {
    Deno.test(`${name} ${what}`, async () => {
      using thread = virtualThread();
      await body(new Scene(thread, "in a greenlet", blocking));
    });
  };
  test("says what its greenlet is blocked on", saysLabel);
  test("ends when its greenlet is killed", endsWithKill);
  test("with a pending kill changes nothing", refusesKilled);
  test("keeps what it got in the moment of a kill", keepsWhenKilled);
  test("does not lose an outer Timeout", keepsOuterTimeout);
  test("does not lose an outer Timeout of the same moment", keepsBothTimeouts);
}

class Scene {
  readonly thread: VirtualThread;
  readonly blocked: BlockedCall;
  readonly late: false | "rejects";
  readonly label: string;
  readonly #place: Place;
  readonly #before: object;

  constructor(thread: VirtualThread, place: Place, blocking: BlockingCallCase) {
    this.thread = thread;
    this.#place = place;
    this.late = blocking.late;
    this.label = blocking.label ?? blocking.name;
    this.blocked = blocking.make();
    this.#before = this.blocked.stats();
  }

  /** Makes the call, and lets it wait. */
  async start(options: WaitOptions = {}): Promise<Made> {
    const made = this.make(() => this.blocked.call(options));
    await this.thread.driver.settle();
    return made;
  }

  /** Runs a function at the place of the test. */
  make(body: (greenlet: Greenlet<unknown>) => Promise<unknown>): Made {
    const greenlet = this.thread.hub.spawn(body);
    if (this.#place === "in a greenlet") return note(greenlet, greenlet);
    void greenlet.kill();
    return note(body(greenlet), undefined);
  }

  /** Lets time pass, and all that follows from it. */
  async pass(milliseconds: number): Promise<void> {
    this.thread.driver.advance(milliseconds);
    await this.thread.driver.settle();
  }

  /** Checks that nothing waits and that nothing has changed. */
  checkLost(): void {
    assert.deepEqual(this.blocked.stats(), this.#before);
    assert.equal(this.thread.driver.timers, 0, "a timer is left");
  }
}

function note(
  promise: PromiseLike<unknown>,
  greenlet: Greenlet<unknown> | undefined,
): Made {
  const made: Made = { greenlet, outcome: undefined };
  promise.then(
    (value) => made.outcome = { value },
    (error: unknown) => made.outcome = { error },
  );
  return made;
}

function errorOf({ outcome }: Made): unknown {
  assert(outcome !== undefined, "it still waits");
  assert("error" in outcome, "it did not reject");
  return outcome.error;
}

/** Counts the listeners of a signal. */
function watched(signal: AbortSignal): { listeners: number } {
  const count = { listeners: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener(type: string, listener: () => void) {
      count.listeners += 1;
      add(type, listener);
    },
    removeEventListener(type: string, listener: () => void) {
      count.listeners -= 1;
      remove(type, listener);
    },
  });
  return count;
}

// -- In a greenlet and outside --

async function wakes(scene: Scene): Promise<void> {
  const { signal } = new AbortController();
  const count = watched(signal);
  const made = await scene.start({ timeout: 100, signal });
  assert.equal(count.listeners, 1);
  assert.equal(scene.thread.driver.timers, 1);
  scene.blocked.wake();
  assert.equal(made.outcome, undefined, "went on inside the call");
  await scene.thread.driver.settle();
  assert.deepEqual(made.outcome, { value: scene.blocked.woken });
  assert.equal(count.listeners, 0, "a listener is left");
  assert.equal(scene.thread.driver.timers, 0, "a timer is left");
}

async function timesOut(scene: Scene): Promise<void> {
  const { signal } = new AbortController();
  const count = watched(signal);
  const made = await scene.start({ timeout: 100, signal });
  await scene.pass(99);
  assert.equal(made.outcome, undefined);
  await scene.pass(1);
  if (scene.late === false) assert.deepEqual(made.outcome, { value: false });
  else {
    const error = errorOf(made);
    assert(error instanceof Timeout);
    assert.equal(error.delay, 100);
    assert.equal(
      error.message,
      `Cannot finish '${scene.label}': timed out after 100 ms`,
    );
  }
  assert.equal(count.listeners, 0, "a listener is left");
  scene.checkLost();
}

async function timesOutByIdentity(scene: Scene): Promise<void> {
  const timeout = new Timeout(100);
  const made = await scene.start({ timeout });
  await scene.pass(99);
  assert.equal(made.outcome, undefined);
  await scene.pass(1);
  assert.equal(errorOf(made), timeout);
  assert.equal(timeout.pending, false);
  scene.checkLost();
}

async function waitsForEver(scene: Scene): Promise<void> {
  for (const timeout of [undefined, Infinity, new Timeout()]) {
    const made = await scene.start({ timeout });
    assert.equal(scene.thread.driver.timers, 0);
    await scene.pass(2 ** 40);
    assert.equal(made.outcome, undefined);
    scene.blocked.wake();
    await scene.thread.driver.settle();
    assert.deepEqual(made.outcome, { value: scene.blocked.woken });
  }
  // Timers of the runtimes are limited to about 25 days.
  const made = await scene.start({ timeout: 2 ** 33 });
  await scene.pass(2 ** 33 - 1);
  assert.equal(made.outcome, undefined);
  await scene.pass(1);
  assert.notEqual(made.outcome, undefined);
}

async function endsWithSignal(scene: Scene): Promise<void> {
  const controller = new AbortController();
  const count = watched(controller.signal);
  const made = await scene.start({ timeout: 100, signal: controller.signal });
  const reason = { any: "object" };
  controller.abort(reason);
  assert.equal(made.outcome, undefined, "went on inside the call");
  await scene.thread.driver.settle();
  assert.equal(errorOf(made), reason);
  assert.equal(count.listeners, 0, "a listener is left");
  scene.checkLost();
}

async function refusesAborted(scene: Scene): Promise<void> {
  const reason = new Error("enough");
  const made = await scene.start({ signal: AbortSignal.abort(reason) });
  assert.equal(errorOf(made), reason);
  scene.checkLost();
}

async function closes(scene: Scene): Promise<void> {
  const { signal } = new AbortController();
  const count = watched(signal);
  const made = await scene.start({ timeout: 100, signal });
  const reason = new Error("no more");
  scene.blocked.close(reason);
  assert.equal(made.outcome, undefined, "went on inside the call");
  await scene.thread.driver.settle();
  if ("closed" in scene.blocked) {
    assert.deepEqual(made.outcome, { value: scene.blocked.closed });
  } else {
    for (const each of [made, await scene.start({ timeout: 100 })]) {
      const error = errorOf(each);
      assert(error instanceof ResourceClosedError);
      assert.equal(error.cause, reason);
    }
  }
  assert.equal(count.listeners, 0, "a listener is left");
  assert.equal(scene.thread.driver.timers, 0, "a timer is left");
}

async function refusesTimeouts(scene: Scene): Promise<void> {
  for (const timeout of [-1, NaN, -Infinity]) {
    const made = await scene.start({ timeout });
    assert(errorOf(made) instanceof RangeError);
    scene.checkLost();
  }
}

async function keepsWhenAborted(scene: Scene): Promise<void> {
  const controller = new AbortController();
  const made = await scene.start({ signal: controller.signal });
  scene.blocked.wake();
  controller.abort(new Error("too late"));
  await scene.thread.driver.settle();
  assert.deepEqual(made.outcome, { value: scene.blocked.woken });
}

async function keepsWhenLate(scene: Scene): Promise<void> {
  const made = await scene.start({ timeout: 100 });
  scene.blocked.wake();
  await scene.pass(100);
  assert.deepEqual(made.outcome, { value: scene.blocked.woken });
}

// -- In a greenlet --

async function saysLabel(scene: Scene): Promise<void> {
  const { greenlet } = await scene.start();
  assert.equal(greenlet?.state, "suspended");
  assert.equal(greenlet.blockedOn, scene.label);
  await greenlet.kill();
}

async function endsWithKill(scene: Scene): Promise<void> {
  const { signal } = new AbortController();
  const count = watched(signal);
  const made = await scene.start({ timeout: 100, signal });
  const killing = made.greenlet?.kill("enough");
  assert.equal(made.outcome, undefined, "went on inside the call");
  await killing;
  await scene.thread.driver.settle();
  const error = errorOf(made);
  assert(error instanceof GreenletKilledError);
  assert.equal(error.cause, "enough");
  assert.equal(made.greenlet?.state, "killed");
  assert.equal(count.listeners, 0, "a listener is left");
  scene.checkLost();
}

async function refusesKilled(scene: Scene): Promise<void> {
  const made = scene.make((greenlet) => {
    void greenlet.kill();
    return scene.blocked.call({ timeout: 100 });
  });
  await scene.thread.driver.settle();
  assert(errorOf(made) instanceof GreenletKilledError);
  scene.checkLost();
}

async function keepsWhenKilled(scene: Scene): Promise<void> {
  let got: unknown = "nothing";
  const made = scene.make(async (greenlet) => {
    got = await scene.blocked.call({});
    await sleepIn(greenlet, 1_000);
  });
  await scene.thread.driver.settle();
  scene.blocked.wake();
  await made.greenlet?.kill();
  assert.equal(got, scene.blocked.woken);
  assert.equal(made.greenlet?.state, "killed");
  assert.equal(scene.thread.driver.timers, 0, "a timer is left");
}

async function keepsOuterTimeout(scene: Scene): Promise<void> {
  const outer = new Timeout(50);
  const made = scene.make((greenlet) => {
    outer.start(greenlet);
    return scene.blocked.call({ timeout: 100 });
  });
  await scene.thread.driver.settle();
  await scene.pass(50);
  assert.equal(errorOf(made), outer);
  scene.checkLost();
}

async function keepsBothTimeouts(scene: Scene): Promise<void> {
  const inner = new Timeout(50);
  const outer = new Timeout(50);
  const seen: unknown[] = [];
  scene.make(async (greenlet) => {
    const waits = [
      () => {
        const call = scene.blocked.call({ timeout: inner });
        outer.start(greenlet);
        return call;
      },
      () => sleepIn(greenlet, 1_000),
    ];
    for (const wait of waits) {
      try {
        await wait();
      } catch (error) {
        seen.push(error);
      }
    }
  });
  await scene.thread.driver.settle();
  await scene.pass(50);
  assert.deepEqual(
    seen.map((error) => [error === inner, error === outer]),
    [[true, false], [false, true]],
  );
  scene.checkLost();
}
