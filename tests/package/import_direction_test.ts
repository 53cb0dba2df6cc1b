import assert from "node:assert/strict";
import {
  FLOORS,
  importsOf,
  moreThanReExports,
  violations,
} from "./import_rules.ts";
import { filesBelow, textOf } from "./repository.ts";

Deno.test("src/ imports downwards only, and its lower rooms know no runtime", async () => {
  const paths = (await filesBelow("src/")).filter((path) =>
    path.endsWith(".ts")
  );
  assert(paths.length > 40);
  const found: string[] = [];
  for (const path of paths) found.push(...violations(path, await textOf(path)));
  assert.deepEqual(found, []);
});

Deno.test("mod.ts only re-exports", async () => {
  assert.equal(moreThanReExports(await textOf("mod.ts")), "");
});

// -- The checker itself --

Deno.test("violations() finds an import that goes upwards or sideways", () => {
  const upwards: [string, string][] = [
    ["src/errors.ts", `import { Hub } from "./greenlet/hub.ts";`],
    ["src/greenlet/hub.ts", `import type { Guest } from "../engine/guest.ts";`],
    ["src/engine/shim.ts", `export * from "../host/file.ts";`],
    ["src/engine/binary/types.ts", `import "../../library/library.ts";`],
    ["src/library/library.ts", `const x = await import("../load.ts");`],
    ["src/host/file.ts", `import {\n  a,\n  b,\n} from "../wasi/errno.ts";`],
    ["src/load.ts", `export { open } from "./sqlite/mod.ts";`],
    ["src/sqlite/mod.ts", `import { install } from "../reactor/mod.ts";`],
    ["src/sqlite/mod.ts", `import "../../mod.ts";`],
    ["src/cellar/mod.ts", ""],
  ];
  for (const [path, source] of upwards) {
    assert.equal(violations(path, source).length, 1, `${path}: ${source}`);
  }
});

Deno.test("violations() finds a runtime where there must be none", () => {
  const bound: [string, string][] = [
    ["src/engine/guest.ts", `import assert from "node:assert";`],
    ["src/greenlet/hub.ts", `import { x } from "npm:x";`],
    ["src/greenlet/hub.ts", `const now = () => Deno.hrtime();`],
    ["src/errors.ts", `export const code = Deno["errors"];`],
  ];
  for (const [path, source] of bound) {
    assert.equal(violations(path, source).length, 1, `${path}: ${source}`);
  }
});

Deno.test("violations() allows what goes downwards and what is a comment", () => {
  const fine: [string, string][] = [
    ["src/engine/guest.ts", `import { X } from "../errors.ts";`],
    ["src/engine/guest.ts", `import { Y } from "./passes/pass.ts";`],
    ["src/engine/passes/pass.ts", `import { Y } from "../guest.ts";`],
    ["src/engine/guest.ts", `// Deno.open() of "../host/file.ts"`],
    ["src/engine/guest.ts", `/** import "../host/file.ts"; Deno.open() */`],
    ["src/engine/jspi.ts", `throw new Error("Deno has it");`],
    ["src/host/file.ts", `import fs from "node:fs"; Deno.open("x");`],
    ["src/cli.ts", `import { load } from "./load.ts";`],
  ];
  for (const [path, source] of fine) {
    assert.deepEqual(violations(path, source), [], `${path}: ${source}`);
  }
});

Deno.test("importsOf() finds all forms of an import", () => {
  const code = `
    import a, { b } from "./1.ts";
    import type { C } from "./2.ts";
    import * as d from "./3.ts";
    import "./4.ts";
    export * from "./5.ts";
    export { e, type F } from "./6.ts";
    const g = await import("./7.ts");
    export const h = "./8.ts";
    const url = new URL("./9.wasm", import.meta.url);`;
  assert.deepEqual(
    importsOf(code),
    [1, 2, 3, 4, 5, 6, 7].map((number) => `./${number}.ts`),
  );
});

Deno.test("moreThanReExports() finds code", () => {
  assert.equal(
    moreThanReExports(`
      /** A module. @module */
      export * from "./a.ts";
      export type { A } from "./b.ts";
      export { b, type C } from "./c.ts";
      export const d = 1;`),
    "export const d = 1;",
  );
});

Deno.test("FLOORS has every room once", () => {
  const rooms = FLOORS.flat();
  assert.equal(new Set(rooms).size, rooms.length);
});
