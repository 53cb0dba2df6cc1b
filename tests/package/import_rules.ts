/** Which part of the house may import which, and a checker of it. @module */

/** The rooms, from the ground floor up: one may import from those below it. */
export const FLOORS: readonly (readonly string[])[] = [
  ["errors"],
  ["greenlet"],
  ["engine"],
  ["host"],
  ["wasi"],
  ["library"],
  ["worker"],
  ["load"],
  // Rooms of one floor do not know each other.
  ["reactor", "sqlite", "postgres", "monitor"],
  ["cli"],
];

/** Rooms that know neither the runtime nor its modules, so that they run on a virtual one. */
export const PORTABLE: readonly string[] = ["errors", "greenlet", "engine"];

/** Says what a source file does that the rules forbid; nothing when all is well. */
export function violations(path: string, source: string): string[] {
  const room = roomOf(path);
  const floor = floorOf(room);
  if (floor === -1) {
    return [`${path}: no floor is known for '${room}'`];
  }
  const code = withoutComments(source);
  const found: string[] = [];
  for (const specifier of importsOf(code)) {
    if (!specifier.startsWith(".")) {
      if (PORTABLE.includes(room)) found.push(`${path} imports ${specifier}`);
      continue;
    }
    const target = resolve(path, specifier);
    const other = roomOf(target);
    if (other !== room && floorOf(other) >= floor) {
      found.push(`${path} imports ${target}, which is not below it`);
    } else if (other !== room && floorOf(other) === -1) {
      found.push(`${path} imports ${target}, which is in no room`);
    }
  }
  if (PORTABLE.includes(room) && /\bDeno\s*[.[]/.test(code)) {
    found.push(`${path} uses Deno`);
  }
  return found;
}

/** What of a module does more than re-export, for a module that should do nothing else. */
export function moreThanReExports(source: string): string {
  return withoutComments(source)
    .replaceAll(/export\s+(type\s+)?(\*|\{[^}]*\})\s*from\s*"[^"]+";/g, "")
    .trim();
}

/** The modules that code imports or re-exports, statically or not. */
export function importsOf(code: string): string[] {
  const statements =
    /\b(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\s*\(\s*"([^"]+)"/gm;
  return Array.from(
    code.matchAll(statements),
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "",
  );
}

function withoutComments(source: string): string {
  return source
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

/** The room of a path below the repository: `src/engine/x.ts` is in `engine`. */
function roomOf(path: string): string {
  const [src, room = ""] = path.split("/");
  return src === "src" ? room.replace(/\.(d\.)?[jt]s$/, "") : path;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}
