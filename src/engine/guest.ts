/** One instance of a guest, and the greenlets in it. @module */

import { type ResourceClosedError, UnsupportedGuestError } from "../errors.ts";
import { FifoLock } from "../greenlet/fifo_lock.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import type { Hub } from "../greenlet/hub.ts";
import { Activation } from "./activation.ts";
import { argumentError, guestError, isTrap } from "./guest_errors.ts";
import {
  type HostImports,
  linkImports,
  type ShimContext,
  tableFunctions,
} from "./guest_imports.ts";
import type { GuestOptions, KillMode } from "./guest_options.ts";
import { StateSwitch } from "./switched_state.ts";
import { type Entry, GuestFunctions } from "./guest_functions.ts";
import {
  connectStackPointer,
  findMemory,
  instantiate,
  shimContext,
  type StackPointerAccess,
} from "./guest_linking.ts";
import type { GuestModule } from "./guest_module.ts";
import type { GuestWait } from "./guest_wait.ts";
import type { HostFunction, WasmValue } from "./host_function.ts";
import type { PromisingFunction, WasmFunction } from "./jspi.ts";
import { LATE } from "./shim.ts";
import { processStacks, type StackBudget } from "./stack_budget.ts";
import {
  createSegments,
  type StackSegment,
  type StackSegments,
} from "./stack_segments.ts";
import { type SwitchState, switchState } from "./switch_state.ts";
import { WORD } from "./switch_words.ts";
import { Taint } from "./taint.ts";

/** An instance of a guest. */
export class Guest {
  /** The scheduler of its thread. */
  readonly hub: Hub;
  /** What runs on its thread. */
  readonly switches: SwitchState;
  /** How its greenlets are ended early. */
  readonly killMode: KillMode;
  /** The raw exports. Call functions of the guest through the instance's methods instead. */
  readonly exports: WebAssembly.Exports;

  readonly #catchesExceptions: boolean;
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #stackPointer: StackPointerAccess | undefined;
  readonly #context: ShimContext;
  readonly #segments: StackSegments | undefined;
  readonly #state: StateSwitch | undefined;
  readonly #stacks: StackBudget;
  readonly #lock: FifoLock | undefined;
  readonly #taint: Taint;
  readonly #functions: GuestFunctions;
  #running = 0;
  #mainStack = 0;
  #unbalanced = false;
  #plainCalls = 0;
  #closed: ResourceClosedError | undefined = undefined;

  /**
   * Instantiates a guest.
   *
   * @throws {MissingImportError} When nobody provides an import.
   * @throws {UnsupportedGuestError} When it cannot be `interleaved`.
   */
  constructor(
    hub: Hub,
    module: GuestModule,
    imports: HostImports,
    options: GuestOptions = {},
  ) {
    this.hub = hub;
    this.switches = switchState(hub);
    this.killMode = options.killMode ?? "throw";
    this.#catchesExceptions = module.catchesExceptions;
    this.#stacks = options.stacks ?? processStacks;
    this.#taint = new Taint(options.onTaint !== "allow");
    const interleaved = options.concurrency === "interleaved";
    if (!interleaved) this.#lock = new FifoLock("the guest's turn");
    if (interleaved && module.stackPointer.kind === "unknown") {
      throw new UnsupportedGuestError(
        `Cannot interleave greenlets: no stack pointer was found, as ${module.stackPointer.reason}; use 'exclusive' or 'isolated'`,
      );
    }
    this.#context = shimContext(
      hub,
      this.switches,
      module,
      imports,
      interleaved,
      options.state !== undefined,
    );
    this.exports = instantiate(
      module,
      linkImports(module, imports, this.#context),
      this.switches,
    );
    this.#functions = new GuestFunctions(this.exports);
    this.#memory = findMemory(module, this.exports, imports);
    this.#stackPointer = connectStackPointer(
      module,
      this.exports,
      this.#context,
    );
    this.#mainStack = this.#stackPointer?.get() ?? 0;
    if (this.#context.state && options.state !== undefined) {
      this.#state = new StateSwitch(this.exports, this.#memory, options.state);
      this.#context.late?.set(LATE.save, this.#state.save);
      this.#context.late?.set(LATE.restore, this.#state.restore);
    }
    if (interleaved && this.#stackPointer !== undefined) {
      this.#segments = createSegments(
        this.exports,
        this.memory,
        (called, ...args) => this.call(called, ...args),
        options,
      );
    }
  }

  /**
   * The guest's linear memory.
   *
   * @throws {UnsupportedGuestError} When it has none that is exported or imported.
   */
  get memory(): WebAssembly.Memory {
    if (this.#memory !== undefined) return this.#memory;
    throw new UnsupportedGuestError(
      "Cannot reach the guest's memory: it neither exports nor imports one",
    );
  }

  /** The size of the guest's memory, in bytes; 0 when it has none that can be reached. */
  get memorySize(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** Why the instance is not safe to use any more, if it is not. */
  get tainted(): Error | undefined {
    return this.#taint.reason;
  }

  /** How many calls run now. */
  get running(): number {
    return this.#running;
  }

  /** Stack segments that exist, free ones included. */
  get segments(): number {
    return this.#segments?.allocated ?? 0;
  }

  /**
   * Runs an exported function in a greenlet: it may suspend.
   *
   * @param greenlet Who runs it.
   * @param target The function, or its name.
   * @param args Its arguments.
   * @returns What it returns; rejects with what it throws.
   */
  run(
    greenlet: Greenlet<unknown>,
    target: string | WasmFunction,
    args: readonly WasmValue[],
  ): Promise<WasmValue> {
    const entry = this.#functions.entry(target);
    if (this.#closed !== undefined) throw this.#closed;
    this.#taint.check(entry.name);
    if (this.#lock !== undefined && !this.#lock.tryAcquire()) {
      return this.#runLater(greenlet, entry, args, false);
    }
    if (!this.#stacks.tryAcquire()) {
      return this.#runLater(greenlet, entry, args, true);
    }
    return this.#start(greenlet, entry, args, true);
  }

  /**
   * Calls a function that does not suspend, from JavaScript and at once.
   *
   * @throws {GuestTrapError} When it traps; the instance is tainted then.
   */
  call(target: string | WasmFunction, ...args: WasmValue[]): WasmValue {
    const called = typeof target === "string"
      ? this.#functions.named(target)
      : target;
    const { words } = this.switches;
    const current = words[WORD.current]!;
    const pointer = this.#stackPointer;
    const before = pointer?.get() ?? 0;
    // Inside a host function of this guest the caller's frames end at its stack pointer: stay on
    // top of them. Elsewhere it is that of whoever ran last, who may have ended since.
    const inside = this.#plainCalls > 0 ||
      this.switches.current?.guest === this;
    const moves = this.#segments !== undefined && !inside;
    if (moves) pointer?.set(this.#mainStack);
    words[WORD.current] = 0;
    this.#plainCalls += 1;
    try {
      return called(...args);
    } catch (error) {
      if (!moves) pointer?.set(before);
      const name = typeof target === "string" ? target : called.name;
      const reported = guestError(error, name, undefined);
      this.unwound(reported, isTrap(error));
      throw reported;
    } finally {
      this.#plainCalls -= 1;
      this.switches.words[WORD.current] = current;
      if (moves) pointer?.set(before);
    }
  }

  /**
   * Puts host functions into the guest's function table.
   *
   * @param functions Each must have declared its `type`.
   * @returns The function pointers, for the guest to call them by.
   */
  addFunctions(
    functions: Readonly<Record<string, HostFunction>>,
  ): Record<string, number> {
    const { table } = this.#functions;
    const pointers: Record<string, number> = {};
    const made = tableFunctions(functions, this.#context);
    for (const [label, exported] of Object.entries(made)) {
      const pointer = table.grow(1);
      table.set(pointer, exported);
      pointers[label] = pointer;
    }
    return pointers;
  }

  /** Runs a callback while its caller waits in a host function. For {@linkcode GuestWait}. */
  async callBack(
    caller: GuestWait,
    target: string | number,
    args: readonly WasmValue[],
  ): Promise<WasmValue> {
    const entry = this.#functions.entry(
      typeof target === "string" ? target : this.#functions.pointedTo(target),
    );
    this.#taint.check(entry.name);
    // On one stack the last one in must be the first one out.
    if (this.#lock !== undefined && caller.callbacks > 1) {
      throw new UnsupportedGuestError(
        `Cannot call back '${target}': another callback of '${caller.label}' has not ended; await one before the next`,
      );
    }
    if (!this.#stacks.tryAcquireReserve()) {
      await this.#stacks.acquire(caller.greenlet);
    }
    return await this.#start(caller.greenlet, entry, args, false);
  }

  /** Whether nothing overwrote a segment's low end. For {@linkcode Activation}. */
  intact(segment: StackSegment): boolean {
    return this.#segments?.intact(segment) ?? true;
  }

  /** Takes back what an activation used. For {@linkcode Activation}. */
  finished(activation: Activation): void {
    this.#running -= 1;
    const { segment } = activation;
    this.#stacks.ended(this.hub.driver);
    if (activation.ownsTurn) this.#lock?.release();
    try {
      if (segment !== undefined) this.#segments?.release(segment);
    } catch {
      // The guest's own `free` trapped, which has tainted it; this call's outcome stands.
    }
  }

  /**
   * Notes that a call did not come to its proper end. For {@linkcode Activation}.
   *
   * @param reason With what it ended.
   * @param trapped Whether the guest had no chance to clean up.
   */
  unwound(reason: unknown, trapped: boolean): void {
    this.#unbalanced = true;
    if (trapped || !this.#catchesExceptions) this.#taint.note(reason);
  }

  /** Makes the guest's state of now what new greenlets begin with: after its initializer. */
  captureState(): void {
    this.#state?.save(0);
  }

  /** Ends all waits for the instance's turn, and gives free segments back. */
  close(reason: ResourceClosedError): void {
    this.#closed = reason;
    this.#lock?.close(reason);
    if (this.#taint.reason === undefined) this.#segments?.clear();
  }

  async #runLater(
    greenlet: Greenlet<unknown>,
    entry: Entry,
    args: readonly WasmValue[],
    locked: boolean,
  ): Promise<WasmValue> {
    if (!locked) await this.#lock?.acquire(greenlet);
    let started = false;
    try {
      await this.#stacks.acquire(greenlet);
      try {
        this.#taint.check(entry.name);
        started = true;
      } finally {
        if (!started) this.#stacks.release();
      }
    } finally {
      if (!started) this.#lock?.release();
    }
    return await this.#start(greenlet, entry, args, true);
  }

  /** Starts a call that has its turn and its stack. */
  #start(
    greenlet: Greenlet<unknown>,
    entry: Entry,
    args: readonly WasmValue[],
    ownsTurn: boolean,
  ): Promise<WasmValue> {
    let activation: Activation;
    try {
      const segment = this.#segments?.acquire();
      activation = new Activation(
        greenlet,
        this,
        entry.name,
        segment,
        ownsTurn,
      );
    } catch (error) {
      this.#stacks.release();
      if (ownsTurn) this.#lock?.release();
      throw error;
    }
    this.#running += 1;
    this.#state?.reserve(activation.number);
    const nested = !ownsTurn && this.#lock !== undefined;
    const before = nested ? this.#stackPointer?.get() ?? 0 : 0;
    let outcome: Promise<WasmValue>;
    try {
      outcome = this.#enter(activation, entry.call, args);
    } catch (cause) {
      activation.cancel();
      throw argumentError(entry.name, cause);
    }
    return outcome.then(
      (value) => activation.returned(value),
      (error: unknown) => {
        // The caller's frames end where they did before it called back.
        if (nested) this.#stackPointer?.set(before);
        return activation.threw(error);
      },
    );
  }

  #enter(
    activation: Activation,
    call: PromisingFunction,
    args: readonly WasmValue[],
  ): Promise<WasmValue> {
    const { switches } = this;
    const previous = switches.words[WORD.current]!;
    const pointer = this.#stackPointer;
    const { segment } = activation;
    const inside = previous !== 0 || this.#plainCalls > 0;
    const before = inside ? pointer?.get() ?? 0 : 0;
    if (segment !== undefined) pointer?.set(segment.top);
    else if (this.#unbalanced && this.#running === 1) {
      pointer?.set(this.#mainStack);
      this.#unbalanced = false;
    }
    switches.words[WORD.current] = activation.number;
    this.#state?.restore(0);
    try {
      const outcome = call(...args);
      this.#stacks.started();
      return outcome;
    } finally {
      switches.words[WORD.current] = previous;
      if (inside && segment !== undefined) pointer?.set(before);
    }
  }
}
