import assert from "node:assert/strict";
import {
  InvalidModuleError,
  load,
  ResourceBrokenError,
  suspending,
  UnsupportedGuestError,
} from "../../mod.ts";
import { wat } from "../guests/wat.ts";
import { rejection } from "../support/virtual_hub.ts";
import { type Asker, asker, plain } from "./guests.ts";

const adder = wat(`(module
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))`);

interface Adder {
  add(a: number, b: number): number;
}

const imports = { env: { ask: suspending((x) => Promise.resolve(x * 2)) } };

async function served(
  answer: () => Response,
  test: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    answer,
  );
  try {
    await test(`http://127.0.0.1:${server.addr.port}/guest.wasm`);
  } finally {
    await server.shutdown();
  }
}

async function adds(source: Parameters<typeof load>[0]): Promise<void> {
  await using library = await load<Adder>(source);
  const sum: number = await library.exports.add(2, 3);
  assert.equal(sum, 5);
}

// -- Sources --

Deno.test("load() takes the bytes, a part of a buffer, and a buffer", async () => {
  await adds(adder);
  const padded = new Uint8Array(adder.length + 8);
  padded.set(adder, 4);
  await adds(padded.subarray(4, 4 + adder.length));
  await adds(adder.buffer);
});

Deno.test("load() leaves the bytes as they are and may load them again", async () => {
  const bytes = asker.slice();
  await (await load(bytes, { imports, limits: { maxMemory: 2 ** 20 } }))
    .close();
  assert.deepEqual(bytes, asker);
});

Deno.test("load() takes a compiled module", async () => {
  await adds(await WebAssembly.compile(adder));
});

Deno.test("load() takes a response and a promise of one", async () => {
  await adds(new Response(adder));
  await adds(Promise.resolve(new Response(adder)));
});

Deno.test("load() takes a file: URL", async () => {
  const file = await Deno.makeTempFile({ suffix: ".wasm" });
  try {
    await Deno.writeFile(file, adder);
    await adds(new URL(`file://${file}`));
    await adds(`file://${file}`);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("load() takes an http: URL", async () => {
  await served(() => new Response(adder), async (url) => {
    await adds(url);
    await adds(new URL(url));
    await adds(fetch(url));
  });
});

Deno.test("load() takes a data: URL", async () => {
  await adds(`data:application/wasm;base64,${adder.toBase64()}`);
});

// -- What is not a guest --

Deno.test("load() rejects a file that is not WebAssembly", async () => {
  const error = await rejection(load(new TextEncoder().encode("Hello")));
  assert(error instanceof InvalidModuleError);
  assert.equal(error.name, "InvalidModuleError");
});

Deno.test("load() rejects an empty file", async () => {
  await assert.rejects(load(new Uint8Array()), InvalidModuleError);
});

Deno.test("load() rejects every truncation of a guest", async () => {
  for (let length = 0; length < adder.length; length++) {
    // A header alone, or whole sections that need no others, are modules.
    if (WebAssembly.validate(adder.slice(0, length))) continue;
    await assert.rejects(load(adder.slice(0, length)), InvalidModuleError);
  }
});

Deno.test("load() rejects a component and says that it is one", async () => {
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  await assert.rejects(load(component), (error) => {
    assert(error instanceof InvalidModuleError);
    assert.match(error.message, /component/);
    return true;
  });
});

Deno.test("load() rejects what the runtime's validator rejects, with its error", async () => {
  const invalid = adder.slice();
  // The last instruction but one, i32.add, as f32.add.
  invalid[invalid.indexOf(0x6a)] = 0x92;
  await assert.rejects(load(invalid), (error) => {
    assert(error instanceof InvalidModuleError);
    assert(error.cause instanceof WebAssembly.CompileError);
    return true;
  });
});

Deno.test("load() rejects a string that is no URL and says what to write", async () => {
  await assert.rejects(load("./guest.wasm"), (error) => {
    assert(error instanceof InvalidModuleError);
    assert.match(error.message, /'\.\/guest\.wasm'.*import\.meta\.url/);
    return true;
  });
});

Deno.test("load() rejects an HTML page", async () => {
  const page = () =>
    new Response("<!doctype html><title>Hello</title>", {
      headers: { "content-type": "text/html" },
    });
  await served(page, async (url) => {
    await assert.rejects(load(url), InvalidModuleError);
  });
});

// -- What cannot be fetched --

Deno.test("load() rejects a page that is not there, with its status", async () => {
  const page = () => new Response("<h1>Not found</h1>", { status: 404 });
  await served(page, async (url) => {
    for (const source of [url, fetch(url)]) {
      await assert.rejects(load(source), (error) => {
        assert(error instanceof ResourceBrokenError);
        assert.equal(
          error.message,
          `Cannot load '${url}': the server answered 404`,
        );
        return true;
      });
    }
  });
});

Deno.test("load() rejects a server that cannot be reached, with the cause", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(load(`http://127.0.0.1:${port}/`), (error) => {
    assert(error instanceof ResourceBrokenError);
    assert(error.cause instanceof Error);
    return true;
  });
});

Deno.test("load() rejects a file that is not there", async () => {
  const file = await Deno.makeTempFile({ suffix: ".wasm" });
  await Deno.remove(file);
  await assert.rejects(load(`file://${file}`), ResourceBrokenError);
});

Deno.test("load() rejects a response whose body breaks off", async () => {
  const body = new ReadableStream({
    pull(controller) {
      controller.error(new Error("the cable is cut"));
    },
  });
  await assert.rejects(load(new Response(body)), (error) => {
    assert(error instanceof ResourceBrokenError);
    assert.match(error.message, /the cable is cut/);
    return true;
  });
});

Deno.test("load() passes on what a promised source rejects with", async () => {
  const reason = new Error("mine");
  assert.equal(await rejection(load(Promise.reject(reason))), reason);
});

// -- Interleaving --

Deno.test("load() rejects to interleave a guest whose stack pointer cannot be found", async () => {
  const unknown = wat(`(module
    (import "env" "ask" (func (param i32) (result i32)))
    (memory (export "memory") 1)
    (global (mut i32) (i32.const 7))
    (func (export "ask") (param i32) (result i32) (call 0 (local.get 0))))`);
  await assert.rejects(
    load(unknown, { imports, concurrency: "interleaved" }),
    (error) => {
      assert(error instanceof UnsupportedGuestError);
      assert.match(error.message, /stack pointer.*'exclusive' or 'isolated'/);
      return true;
    },
  );
  await using library = await load<Pick<Asker, "ask">>(unknown, { imports });
  assert.equal(await library.exports.ask(21), 42);
});

Deno.test("load() rejects to interleave a guest without an allocator, unless it may grow", async () => {
  const bare = wat(`(module
    (import "env" "ask" (func (param i32) (result i32)))
    (memory (export "memory") 2)
    (global $__stack_pointer (mut i32) (i32.const 65536))
    (func (export "ask") (param i32) (result i32) (call 0 (local.get 0))))`);
  const options = { imports, concurrency: "interleaved" } as const;
  await assert.rejects(load(bare, options), (error) => {
    assert(error instanceof UnsupportedGuestError);
    assert.match(
      error.message,
      /no allocator.*'malloc' and 'free'.*'allocator'/,
    );
    return true;
  });
  await assert.rejects(
    load(bare, { ...options, allocator: { allocate: "get", free: "put" } }),
    /'get' and 'put'/,
  );
  await using library = await load<Pick<Asker, "ask">>(bare, {
    ...options,
    allocator: "grow",
  });
  assert.equal(await library.exports.ask(21), 42);
  assert.equal(library.memory.buffer.byteLength, 3 * 65_536);
});

Deno.test("load() interleaves a guest that has no memory without segments", async () => {
  await using library = await load<Pick<Asker, "ask">>(plain, {
    imports,
    concurrency: "interleaved",
  });
  assert.equal(await library.exports.ask(21), 42);
  assert.equal(library.stats().segments, 0);
});

Deno.test("load() rejects stack segments of an impossible size", async () => {
  for (const stackSize of [0, -1, 1023, 2048.5, NaN, Infinity]) {
    await assert.rejects(
      load(asker, { imports, concurrency: "interleaved", stackSize }),
      RangeError,
    );
  }
});

// -- Limits --

Deno.test("load() rejects a memory limit below what the guest starts with", async () => {
  const limits = { maxMemory: 65_536 };
  await assert.rejects(load(asker, { imports, limits }), (error) => {
    assert(error instanceof UnsupportedGuestError);
    assert.match(error.message, /65536 bytes: the module needs 131072/);
    return true;
  });
});

Deno.test("load() rejects a memory limit that is no number of bytes", async () => {
  for (const maxMemory of [-1, 1.5, NaN, Infinity]) {
    await assert.rejects(
      load(asker, { imports, limits: { maxMemory } }),
      RangeError,
    );
  }
});

Deno.test("load() keeps the guest's memory below the limit, and it stays usable", async () => {
  await using library = await load<Asker>(asker, {
    imports,
    limits: { maxMemory: 3 * 65_536 },
  });
  assert.equal(await library.exports.grow(1), 2);
  assert.equal(await library.exports.grow(1), -1);
  assert.equal(library.stats().memory, 3 * 65_536);
  assert.equal(await library.exports.ask(14), 42);
});

Deno.test("load() rejects a memory limit for a guest that came compiled", async () => {
  const module = await WebAssembly.compile(adder);
  await assert.rejects(
    load(module, { limits: { maxMemory: 65_536 } }),
    UnsupportedGuestError,
  );
});

// -- Start --

Deno.test("load() passes on what a guest's start function throws", async () => {
  const starts = wat(`(module
    (import "env" "go" (func)) (func $start (call 0)) (start $start))`);
  const reason = new Error("not today");
  const go = () => {
    throw reason;
  };
  assert.equal(
    await rejection(load(starts, { imports: { env: { go } } })),
    reason,
  );
});

Deno.test("load() rejects a concurrency that there is not", async () => {
  const concurrency = "paralel" as "isolated";
  await assert.rejects(
    load(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]), { concurrency }),
    /'concurrency' must be one of 'exclusive', 'interleaved', 'isolated', not 'paralel'/,
  );
});
