import assert from "node:assert/strict";
import * as sync from "../../../src/greenlet/sync/mod.ts";
import { testBlockingCall } from "../../support/blocking_call_kit.ts";
import { BLOCKING_CALLS, NEVER_WAITING } from "./blocking_calls.ts";

for (const blocking of BLOCKING_CALLS) testBlockingCall(blocking);

/** The methods of a module's primitives that are known neither to the kit nor as never waiting. */
function unknownMethods(module: Readonly<Record<string, unknown>>): string[] {
  const known = new Set(BLOCKING_CALLS.map(({ name }) => name));
  const unknown: string[] = [];
  for (const [kind, exported] of Object.entries(module)) {
    if (typeof exported !== "function") continue;
    if (typeof exported.prototype?.stats !== "function") continue;
    for (const method of methodsOf(exported.prototype)) {
      const name = `${kind}.${method}()`;
      if (!known.has(name) && !NEVER_WAITING.has(method)) unknown.push(name);
    }
  }
  return unknown;
}

function methodsOf(prototype: object): Set<string> {
  const methods = new Set<string>();
  for (
    let holder: object = prototype;
    holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    const found = Object.getOwnPropertyDescriptors(holder);
    for (const [name, { value }] of Object.entries(found)) {
      if (typeof value === "function" && name !== "constructor") {
        methods.add(name);
      }
    }
  }
  return methods;
}

Deno.test("Every method of a primitive is tested as a blocking call or known never to wait", () => {
  assert.deepEqual(unknownMethods(sync), []);
});

Deno.test("Every blocking call of the kit is one of an exported primitive, and there once", () => {
  const names = BLOCKING_CALLS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const exported: Readonly<Record<string, unknown>> = sync;
  for (const name of names) {
    const [kind = "", method = ""] = name.replace("()", "").split(".");
    const primitive = exported[kind];
    assert(typeof primitive === "function", name);
    assert(typeof primitive.prototype[method] === "function", name);
  }
});

Deno.test("unknownMethods() finds a method that waits, also an inherited one", () => {
  class Parent {
    stats() {}
    close() {}
    await() {}
  }
  class Child extends Parent {
    drain() {}
  }
  assert.deepEqual(unknownMethods({ Parent, Child, helper() {}, seven: 7 }), [
    "Parent.await()",
    "Child.drain()",
    "Child.await()",
  ]);
});
