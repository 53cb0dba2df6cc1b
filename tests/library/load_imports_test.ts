import assert from "node:assert/strict";
import {
  InvalidModuleError,
  load,
  MissingImportError,
  suspending,
  sync,
  UnsupportedGuestError,
} from "../../mod.ts";
import { wat } from "../guests/wat.ts";
import { type Asker, asker, plain } from "./guests.ts";

const imports = { env: { ask: suspending((x) => Promise.resolve(x * 2)) } };

const importer = wat(`(module
  (import "env" "read" (func (param i32) (result i32)))
  (import "env" "write" (func (param i32) (result i32)))
  (import "clock" "now" (func (result f64)))
  (import "env" "memory" (memory 1))
  (import "env" "table" (table 1 funcref))
  (import "env" "level" (global i32))
  (func (export "read") (param i32) (result i32) (call 0 (local.get 0))))`);

const complete = {
  env: {
    read: (x: number) => x + 1,
    write: sync((x) => x),
    memory: new WebAssembly.Memory({ initial: 1 }),
    table: new WebAssembly.Table({ element: "anyfunc", initial: 1 }),
    level: new WebAssembly.Global({ value: "i32" }, 1),
  },
  clock: { now: () => 0 },
};

for (const concurrency of ["exclusive", "isolated"] as const) {
  Deno.test(`load() lists all missing imports at once when ${concurrency}`, async () => {
    await assert.rejects(load(importer, { concurrency }), (error) => {
      assert(error instanceof MissingImportError);
      assert.equal(
        error.message,
        "Cannot load the guest: nobody provides 'env.read', 'env.write', 'clock.now', 'env.memory', 'env.table', 'env.level'",
      );
      return true;
    });
  });
}

Deno.test("load() rejects imports of a wrong kind and says which kind", async () => {
  const wrong: [string, unknown, string][] = [
    ["read", 42, "function"],
    ["read", null, "function"],
    ["read", "text", "function"],
    ["read", {}, "function"],
    ["read", complete.env.memory, "function"],
    ["memory", () => 0, "memory"],
    ["memory", complete.env.table, "memory"],
    ["table", complete.env.level, "table"],
    ["level", 1, "global"],
  ];
  for (const [name, value, kind] of wrong) {
    // Callers without types can give anything.
    const env = { ...complete.env, [name]: value } as typeof complete.env;
    await assert.rejects(
      load(importer, { imports: { ...complete, env } }),
      (error) => {
        assert(error instanceof MissingImportError, `${name}: ${error}`);
        assert.equal(
          error.message,
          `Cannot load the guest: nobody provides 'env.${name} (as a ${kind})'`,
        );
        return true;
      },
    );
  }
  await using library = await load<{ read(x: number): number }>(importer, {
    imports: complete,
  });
  assert.equal(await library.exports.read(1), 2);
});

Deno.test("load() takes no import from what every JavaScript object has", async () => {
  const sneaky = wat(`(module
    (import "env" "toString" (func)) (import "constructor" "name" (func)))`);
  await assert.rejects(load(sneaky, { imports: { env: {} } }), (error) => {
    assert(error instanceof MissingImportError);
    assert.match(error.message, /'env\.toString', 'constructor\.name'$/);
    return true;
  });
});

Deno.test("load() rejects a memory that does not fit the guest's import", async () => {
  const env = {
    ...complete.env,
    memory: new WebAssembly.Memory({ initial: 0 }),
  };
  await assert.rejects(
    load(importer, { imports: { ...complete, env } }),
    (error) => {
      assert(error instanceof InvalidModuleError);
      assert(error.cause instanceof WebAssembly.LinkError);
      return true;
    },
  );
});

Deno.test("load() makes the imports for the instance when they are a function", async () => {
  await using library = await load<Asker>(asker, {
    imports: (guest) => ({
      env: {
        ask: () => guest.call("malloc", 16) + guest.memory.buffer.byteLength,
      },
    }),
  });
  const first = await library.exports.ask(0);
  assert.equal(await library.exports.ask(0), first + 16);
});

Deno.test("load() rejects a compiled guest whose blocking imports declare no type", async () => {
  const module = await WebAssembly.compile(plain);
  for (const concurrency of ["exclusive", "isolated"] as const) {
    await assert.rejects(load(module, { imports, concurrency }), (error) => {
      assert(error instanceof UnsupportedGuestError);
      assert.match(error.message, /'env\.ask'.*'type'/);
      return true;
    });
  }
  const ask = suspending((x) => Promise.resolve(x * 2), {
    type: { params: ["i32"], results: ["i32"] },
  });
  await using library = await load<Pick<Asker, "ask">>(module, {
    imports: { env: { ask } },
  });
  assert.equal(await library.exports.ask(21), 42);
});
