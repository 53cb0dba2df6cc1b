/**
 * SQLite's official WebAssembly build, unmodified.
 *
 * @module
 */

/** The compiled module. */
declare const sqlite3Module: WebAssembly.Module;
export default sqlite3Module;
