/** A guest with its imports, on this thread. @module */

import { Guest } from "../engine/guest.ts";
import type { Concurrency, GuestOptions } from "../engine/guest_options.ts";
import type { HostImports } from "../engine/guest_imports.ts";
import { nearNames } from "../engine/guest_linking.ts";
import type { GuestModule } from "../engine/guest_module.ts";
import type { WasmValue } from "../engine/host_function.ts";
import { processStacks } from "../engine/stack_budget.ts";
import {
  MissingExportError,
  ResourceClosedError,
  StackLimitError,
  UnsupportedGuestError,
} from "../errors.ts";
import type { Greenlet } from "../greenlet/greenlet.ts";
import type { Hub } from "../greenlet/hub.ts";
import { Members } from "../greenlet/members.ts";
import { checkArguments, type Signature, signatureOf } from "./arguments.ts";
import { type LibraryStats, statsOf } from "./stats.ts";

/** The shape of a guest's exports, for typed calls: the functions that it has. */
// deno-lint-ignore no-explicit-any -- any function fits; an index signature would not fit interfaces
export type GuestExports = { [name: string]: (...args: any[]) => any };

/** A guest's functions as greenlets: same arguments, awaited results. */
export type GreenletExports<E> = {
  readonly [K in keyof E]: E[K] extends (...args: infer A) => infer R
    ? (...args: A) => Greenlet<R>
    : never;
};

/** What a function that makes imports can reach: the instance that they are for. */
export interface GuestHandle {
  /** The guest's memory. Its `buffer` is a new one whenever it has grown: never keep a view. */
  readonly memory: WebAssembly.Memory;
  /** Calls a function of the guest that does not suspend, such as `malloc`. */
  call(name: string, ...args: WasmValue[]): WasmValue;
}

/** Imports for a guest, or a function that makes them for each instance. */
export type ImportsOption = HostImports | ((guest: GuestHandle) => HostImports);

/** Options of a library. */
export interface LibraryOptions
  extends Omit<GuestOptions, "concurrency" | "stacks"> {
  /**
   * The host functions and memories that the guest imports. Nothing is there by default.
   *
   * @default {no imports}
   */
  readonly imports?: ImportsOption | undefined;
  /**
   * How many greenlets run in one instance.
   *
   * @default {"exclusive"}
   */
  readonly concurrency?: Concurrency | undefined;
}

/** Options of {@linkcode Library.close}. */
export interface CloseOptions {
  /**
   * How long running calls may take to end by themselves, in milliseconds.
   *
   * @default {5000}
   */
  readonly timeout?: number;
  /**
   * Ends running calls at once, also those whose host function never answers.
   *
   * @default {false}
   */
  readonly force?: boolean;
}

const CLOSE_TIMEOUT = 5_000;

const CONCURRENCIES: readonly Concurrency[] = [
  "exclusive",
  "interleaved",
  "isolated",
];

/** Exports that initialize a guest, by convention: WASI reactors, Emscripten. */
const INITIALIZERS = ["_initialize", "__wasm_call_ctors"];

/**
 * A loaded guest. Its functions are called through {@linkcode Library.exports}: each call is a
 * greenlet, which suspends where the guest would block.
 *
 * @typeParam E The guest's functions.
 */
export class Library<E = GuestExports> {
  /**
   * The guest's functions. A call validates its arguments at once and throws when they do not
   * fit; else it returns a greenlet.
   */
  readonly exports: GreenletExports<E>;

  readonly #hub: Hub;
  readonly #module: GuestModule;
  readonly #options: LibraryOptions;
  readonly #shared: Guest | undefined;
  readonly #signatures: ReadonlyMap<string, Signature>;
  readonly #live = new Members();
  #spare: Guest | undefined;
  #closing: Promise<void> | undefined = undefined;
  #hurry: (() => void) | undefined = undefined;

  private constructor(
    hub: Hub,
    module: GuestModule,
    options: LibraryOptions,
    first: Guest,
  ) {
    this.#hub = hub;
    this.#module = module;
    this.#options = options;
    const isolated = options.concurrency === "isolated";
    this.#shared = isolated ? undefined : first;
    this.#spare = isolated ? first : undefined;
    this.#signatures = signaturesOf(module, first);
    const functions = Object.fromEntries(
      [...this.#signatures.keys()].map((name) => [
        name,
        (...args: WasmValue[]) => this.#spawn(name, args),
      ]),
    );
    // Each name that is not there throws an error that lists the near ones: behind the functions,
    // so that calls of those do not pay for it.
    this.exports = Object.setPrototypeOf(
      functions,
      new Proxy({}, {
        get: (_, name) =>
          typeof name === "symbol" || name === "then"
            ? undefined
            : this.#missing(name),
      }),
    ) as GreenletExports<E>;
  }

  /**
   * Instantiates a guest and runs its initializer. For `load()`.
   *
   * @throws {MissingImportError} When nobody provides an import.
   * @throws {UnsupportedGuestError} When the guest cannot run as the options ask.
   */
  static async open<E>(
    hub: Hub,
    module: GuestModule,
    options: LibraryOptions,
  ): Promise<Library<E>> {
    const { concurrency = "exclusive" } = options;
    if (!CONCURRENCIES.includes(concurrency)) {
      throw new RangeError(
        `Cannot load the guest: 'concurrency' must be one of ${
          CONCURRENCIES.map((each) => `'${each}'`).join(", ")
        }, not '${concurrency}'`,
      );
    }
    // An isolated library too has its first instance now, for the first call: whatever is wrong
    // with the guest or its imports shows at once.
    const guest = createGuest(hub, module, options);
    await hub.spawn((greenlet) => initialize(guest, greenlet), {
      name: "initialize",
      tracked: false,
    });
    return new Library<E>(hub, module, options, guest);
  }

  /**
   * The memory of the one instance.
   *
   * @throws {UnsupportedGuestError} When there is no such thing: no memory, or an instance for
   * each call.
   */
  get memory(): WebAssembly.Memory {
    if (this.#shared !== undefined) return this.#shared.memory;
    throw new UnsupportedGuestError(
      "Cannot reach the guest's memory: in an 'isolated' library each call has its own",
    );
  }

  /**
   * Calls a function of the guest in a new greenlet.
   *
   * @param name The export.
   * @param args Its arguments.
   * @returns The greenlet.
   * @throws {MissingExportError} When the guest has no such function.
   * @throws {GuestArgumentError} When the arguments do not fit.
   * @throws {ResourceClosedError} When the library is closed.
   */
  spawn<K extends keyof E & string>(
    name: K,
    ...args: E[K] extends (...args: infer A) => unknown ? A : never
  ): Greenlet<E[K] extends (...args: never) => infer R ? R : never> {
    // The guest's type parameter says what the call returns.
    return this.#spawn(name, args) as Greenlet<never>;
  }

  /**
   * Like {@linkcode Library.spawn}, but does not queue when all stacks are in use.
   *
   * @throws {StackLimitError} When the process has no stack left.
   */
  trySpawn<K extends keyof E & string>(
    name: K,
    ...args: E[K] extends (...args: infer A) => unknown ? A : never
  ): Greenlet<E[K] extends (...args: never) => infer R ? R : never> {
    if (
      processStacks.waiting > 0 || processStacks.used >= processStacks.limit
    ) {
      throw new StackLimitError(
        `Cannot spawn '${name}': all ${processStacks.limit} stacks are in use`,
      );
    }
    return this.spawn(name, ...args);
  }

  /** What runs, what blocks it, and what it takes; a frozen record. */
  stats(): LibraryStats {
    return statsOf(this.#live.all(), this.#shared, this.#closing !== undefined);
  }

  /**
   * Closes the library: no new calls; running ones may end, and are killed after a time.
   *
   * Calls that were killed so reject with {@linkcode ResourceClosedError}.
   *
   * @param options How long to wait for them.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeout ?? CLOSE_TIMEOUT);
    if (options.force) this.#hurry?.();
    return this.#closing;
  }

  /** {@linkcode Library.close} at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #spawn(name: string, args: WasmValue[]): Greenlet<WasmValue> {
    if (this.#closing !== undefined) throw this.#closedError(name);
    const signature = this.#signatures.get(name) ?? this.#missing(name);
    checkArguments(name, signature, args);
    return this.#hub.spawn<WasmValue>(
      (greenlet) =>
        this.#shared?.run(greenlet, name, args) ??
          this.#runIsolated(greenlet, name, args),
      { name, tracked: false, members: this.#live },
    );
  }

  async #runIsolated(
    greenlet: Greenlet<unknown>,
    name: string,
    args: WasmValue[],
  ): Promise<WasmValue> {
    const spare = this.#spare;
    this.#spare = undefined;
    const guest = spare ?? createGuest(this.#hub, this.#module, this.#options);
    if (spare === undefined) await initialize(guest, greenlet);
    return await guest.run(greenlet, name, args);
  }

  async #close(timeout: number): Promise<void> {
    const { driver } = this.#hub;
    const reason = this.#closedError(undefined);
    this.#hurry = () => {
      for (const greenlet of this.#live.all()) greenlet.abort(reason);
    };
    const timer = driver.setTimer(this.#hurry, timeout);
    await Promise.all(this.#live.all().map((each) => each.join()));
    driver.clearTimer(timer);
    this.#spare = undefined;
    this.#shared?.close(reason);
  }

  #missing(name: string): never {
    throw new MissingExportError(
      `Cannot call '${name}': ${nearNames(name, [...this.#signatures.keys()])}`,
    );
  }

  #closedError(name: string | undefined): ResourceClosedError {
    return new ResourceClosedError(
      name === undefined
        ? "Cannot finish the call: the library was closed"
        : `Cannot spawn '${name}': the library is closed`,
    );
  }
}

/** The functions that a guest exports, with their signatures. */
function signaturesOf(
  { binary }: GuestModule,
  { exports }: Guest,
): ReadonlyMap<string, Signature> {
  const signatures = new Map<string, Signature>();
  for (const [name, exported] of Object.entries(exports)) {
    if (typeof exported !== "function") continue;
    const type = binary?.exportedFunctionType(name);
    signatures.set(name, signatureOf(type, exported.length));
  }
  return signatures;
}

function createGuest(
  hub: Hub,
  module: GuestModule,
  options: LibraryOptions,
): Guest {
  const { imports = {}, concurrency } = options;
  const handle: GuestHandle = {
    get memory() {
      return guest.memory;
    },
    call: (name, ...args) => guest.call(name, ...args),
  };
  const table = typeof imports === "function" ? imports(handle) : imports;
  const guest: Guest = new Guest(hub, module, table, {
    ...options,
    concurrency: concurrency === "isolated" ? "exclusive" : concurrency,
  });
  return guest;
}

async function initialize(
  guest: Guest,
  greenlet: Greenlet<unknown>,
): Promise<void> {
  for (const name of INITIALIZERS) {
    if (typeof guest.exports[name] === "function") {
      await guest.run(greenlet, name, []);
    }
  }
  guest.captureState();
}
