// @ts-self-types="./sqlite3_module.d.ts"
/**
 * SQLite's official WebAssembly build, unmodified.
 *
 * JavaScript, since TypeScript does not parse `import source` yet.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- no import map applies when this is imported from a plain URL
import source sqlite3Module from "npm:@sqlite.org/sqlite-wasm@3.54.1-build1/sqlite3.wasm";

export default sqlite3Module;
