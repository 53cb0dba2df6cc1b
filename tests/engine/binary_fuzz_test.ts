import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ByteWriter } from "../../src/engine/binary/byte_writer.ts";
import { readModule } from "../../src/engine/binary/module_reader.ts";
import { writeModule } from "../../src/engine/binary/module_writer.ts";
import { memoryLimitPass } from "../../src/engine/passes/memory_limit_pass.ts";
import { applyPasses } from "../../src/engine/passes/pass.ts";
import { stackPointerPass } from "../../src/engine/passes/stack_pointer_pass.ts";
import { InvalidModuleError, UnsupportedGuestError } from "../../src/errors.ts";
import { CORPUS, sqliteModule } from "../support/module_corpus.ts";
import {
  choice,
  integer,
  type Random,
  seededRandom,
} from "../support/random.ts";

const SEED = Number(Deno.env.get("HEDGESNAKE_FUZZ_SEED") ?? 20_260_727);
const PASSES = [stackPointerPass(), memoryLimitPass(64 * 2 ** 20)] as const;
const HEADER: readonly number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

// The least and the greatest of each width, some padded, some too long.
const INTEGERS: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0x80, 0x80, 0x80, 0x80, 0x78],
  [0x80, 0x80, 0x80, 0x80, 0x00],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [...Array(9).fill(0xff), 0x01],
  [...Array(9).fill(0x80), 0x7f],
  [...Array(12).fill(0xff), 0x01],
];

interface RawSection {
  readonly id: number;
  readonly contents: Uint8Array;
}

/** Runs `task`, where only the errors that say why a module is refused may be thrown. */
function attempt<Result>(
  task: () => Result,
): { result: Result } | { error: Error } {
  try {
    return { result: task() };
  } catch (error) {
    if (
      error instanceof InvalidModuleError ||
      error instanceof UnsupportedGuestError
    ) return { error };
    throw error;
  }
}

/** Asserts all that holds of any bytes. Whether they are a valid module. */
function check(bytes: Uint8Array<ArrayBuffer>): boolean {
  const valid = WebAssembly.validate(bytes);
  const before = Buffer.from(bytes);
  const read = attempt(() => readModule(bytes));
  if ("result" in read) {
    assert(before.equals(writeModule(read.result)), "not byte for byte");
  } else {
    assert(!valid, `refused a valid module: ${read.error.message}`);
  }
  const rewritten = attempt(() => applyPasses(bytes, PASSES));
  assert(before.equals(bytes), "the input has changed");
  if ("error" in rewritten) {
    const overLimit = /^Cannot limit the memory/.test(rewritten.error.message);
    assert(!valid || overLimit, rewritten.error.message);
    return valid;
  }
  assert(valid, "rewrote an invalid module");
  const { result } = rewritten;
  assert(WebAssembly.validate(result.bytes), "made an invalid module");
  const again = readModule(result.bytes);
  assert.deepEqual(again.imports, result.module.imports);
  assert.deepEqual(again.globals, result.module.globals);
  assert.deepEqual(again.memories, result.module.memories);
  return valid;
}

/** Checks `count` inputs; a failure names the seed, the case and the input. */
function fuzz(
  count: number,
  make: (random: Random, index: number) => Uint8Array<ArrayBuffer>,
): number {
  let valid = 0;
  for (let index = 0; index < count; index++) {
    const bytes = make(seededRandom(SEED + index), index);
    try {
      if (check(bytes)) valid++;
    } catch (cause) {
      const shown = Buffer.from(bytes.subarray(0, 400)).toString("hex");
      throw new Error(`Seed ${SEED}, case ${index}, ${shown}`, { cause });
    }
  }
  return valid;
}

function anyModule(random: Random): Uint8Array<ArrayBuffer> {
  return choice(random, [...CORPUS.values()]) ?? new Uint8Array();
}

function splitSections(bytes: Uint8Array): RawSection[] {
  return readModule(bytes).sections.map((
    { name, raw, payload, customName },
  ) => ({
    id: raw[0] ?? 0,
    contents: name === "custom"
      ? new ByteWriter().name(customName ?? "").bytes(payload).finish()
      : payload,
  }));
}

function joinSections(
  sections: readonly RawSection[],
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter().bytes(HEADER);
  for (const { id, contents } of sections) {
    writer.u8(id).sized((section) => section.bytes(contents));
  }
  return writer.finish();
}

/** The bytes with one of them changed, removed, or replaced by an integer. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = integer(random, bytes.length);
  const old = bytes[at] ?? 0;
  const choices: readonly (readonly number[])[] = [
    [old ^ (1 << integer(random, 8))],
    [old ^ (1 << integer(random, 8))],
    [integer(random, 256)],
    [(old + 1) & 0xff],
    [old, old],
    [],
    choice(random, INTEGERS) ?? [],
  ];
  return new ByteWriter()
    .bytes(bytes.subarray(0, at))
    .bytes(choice(random, choices) ?? [])
    .bytes(bytes.subarray(at + 1))
    .finish();
}

Deno.test(`readModule() survives every truncation of each module (seed ${SEED})`, () => {
  for (const bytes of CORPUS.values()) {
    fuzz(bytes.length, (_, end) => bytes.slice(0, end));
  }
});

Deno.test(`readModule() survives changed bytes (seed ${SEED})`, () => {
  const valid = fuzz(8000, (random) => {
    let bytes = anyModule(random);
    for (let left = 1 + integer(random, 3); left > 0; left--) {
      bytes = mutate(random, bytes);
    }
    return bytes;
  });
  // Otherwise the test would not show that valid modules stay so.
  assert(valid > 400, `only ${valid} valid modules`);
});

Deno.test(`readModule() survives changed bytes in sections of right length (seed ${SEED})`, () => {
  const valid = fuzz(12_000, (random) => {
    const sections = splitSections(anyModule(random));
    for (let left = 1 + integer(random, 2); left > 0; left--) {
      const index = integer(random, sections.length);
      const old = sections[index];
      if (old === undefined) continue;
      sections[index] = { ...old, contents: mutate(random, old.contents) };
    }
    return joinSections(sections);
  });
  assert(valid > 1000, `only ${valid} valid modules`);
});

Deno.test(`readModule() survives moved, doubled, foreign and missing sections (seed ${SEED})`, () => {
  fuzz(4000, (random) => {
    const sections = splitSections(anyModule(random));
    const others = splitSections(anyModule(random));
    for (let left = 1 + integer(random, 3); left > 0; left--) {
      const from = integer(random, sections.length);
      const to = integer(random, sections.length + 1);
      const source = random() < 0.3 ? others : sections;
      const taken = choice(random, source);
      if (random() < 0.6) sections.splice(from, 1);
      if (random() < 0.6 && taken) sections.splice(to, 0, taken);
    }
    return joinSections(sections);
  });
});

Deno.test(`readModule() survives random bytes after a good header (seed ${SEED})`, () => {
  fuzz(4000, (random) => {
    const writer = new ByteWriter().bytes(HEADER);
    for (let left = integer(random, 60); left > 0; left--) {
      writer.u8(random() < 0.5 ? integer(random, 16) : integer(random, 256));
    }
    return writer.finish();
  });
});

Deno.test(`readModule() survives sections of random bytes (seed ${SEED})`, () => {
  fuzz(4000, (random) => {
    const writer = new ByteWriter().bytes(HEADER);
    for (const id of [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]) {
      if (random() < 0.7) continue;
      writer.u8(id).sized((section) => {
        for (let left = integer(random, 20); left > 0; left--) {
          section.u8(integer(random, random() < 0.7 ? 5 : 256));
        }
      });
    }
    return writer.finish();
  });
});

Deno.test("readModule() allocates nothing for huge counts", () => {
  for (let id = 0; id <= 13; id++) {
    for (const integer of INTEGERS) {
      const bytes = new ByteWriter().bytes(HEADER).u8(id)
        .sized((section) => section.bytes(integer)).finish();
      const started = performance.now();
      check(bytes);
      assert(performance.now() - started < 100, `section ${id}, ${integer}`);
    }
  }
});

Deno.test(`readModule() survives truncated and changed sqlite3.wasm (seed ${SEED})`, async () => {
  const sqlite = await sqliteModule();
  fuzz(60, (random) => sqlite.slice(0, integer(random, sqlite.length)));
  fuzz(120, (random) => mutate(random, sqlite));
  // Most of the file is code: the sections before it need cases of their own.
  const sections = splitSections(sqlite);
  fuzz(120, (random) => {
    const changed = [...sections];
    const index = integer(random, changed.length);
    const old = changed[index];
    if (old) {
      changed[index] = { ...old, contents: mutate(random, old.contents) };
    }
    return joinSections(changed);
  });
});
