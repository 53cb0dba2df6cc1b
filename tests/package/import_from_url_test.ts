import assert from "node:assert/strict";
import { codeBlocks } from "./markdown.ts";
import { ROOT, textOf } from "./repository.ts";

const NAME = "@hedgesnake/greenlet";
const PUBLISHED = /^\/(mod\.ts|(src|wasm)\/.+)$/;
const TYPES: Readonly<Record<string, string>> = {
  ts: "application/typescript",
  js: "text/javascript",
  wasm: "application/wasm",
};

/** Serves what is published, and nothing else. */
async function published({ url }: Request): Promise<Response> {
  const { pathname } = new URL(url);
  const type = TYPES[pathname.split(".").at(-1)!];
  if (!PUBLISHED.test(pathname) || type === undefined) {
    return new Response("Not found", { status: 404 });
  }
  try {
    const body = await Deno.readFile(new URL(`.${pathname}`, ROOT));
    return new Response(body, { headers: { "content-type": type } });
  } catch {
    return new Response("Not found", { status: 404 });
  }
}

/** The code with the package's entries replaced by their URLs. */
async function fromUrl(code: string, origin: string): Promise<string> {
  const { exports } = JSON.parse(await textOf("deno.json"));
  return code.replaceAll(
    /(["'])@hedgesnake\/greenlet(\/[^"']*)?\1/g,
    (_, quote, entry = "") => {
      const path: unknown = exports[`.${entry}`];
      assert.equal(typeof path, "string", `deno.json exports no '.${entry}'`);
      return `${quote}${new URL(`${path}`, `${origin}/`)}${quote}`;
    },
  );
}

/** Runs code in a process of its own that imports the package by URL. */
async function run(
  code: string,
  permissions: readonly string[] = [],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    published,
  );
  const directory = await Deno.makeTempDir();
  try {
    const host = `127.0.0.1:${server.addr.port}`;
    const main = `${directory}/main.ts`;
    await Deno.writeTextFile(main, await fromUrl(code, `http://${host}`));
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-lock",
        "--no-prompt",
        `--reload=http://${host}`,
        `--allow-import=${host}`,
        ...permissions,
        main,
      ],
      cwd: directory,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
    });
    const output = await command.output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
    await server.shutdown();
  }
}

Deno.test("README's first example runs against the published files, with no permission", async () => {
  const [first] = codeBlocks(await textOf("README.md"), "ts");
  assert(first !== undefined);
  assert(first.includes(NAME), "README shows the package first");
  const { code, stdout, stderr } = await run(first);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.match(stdout, /carp[\s\S]*4\.25[\s\S]*pike[\s\S]*9\.5/);
});

Deno.test("README's other examples run against the published files, with no permission", async () => {
  const others = codeBlocks(await textOf("README.md"), "ts").slice(1);
  assert(others.length > 0);
  for (const example of others) {
    const { code, stderr } = await run(example);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
  }
});

Deno.test("The SQLite entry opens a file with no more than the rights to its directory", async () => {
  const example = `
    import { Database } from "${NAME}/sqlite";
    {
      await using database = await Database.open("./fish.db");
      await database.execute("CREATE TABLE fish (name TEXT)");
      await database.execute("INSERT INTO fish VALUES (?)", ["pike"]);
    }
    await using database = await Database.open("./fish.db");
    console.log(JSON.stringify(await database.query("SELECT * FROM fish")));`;
  const { code, stdout, stderr } = await run(example, [
    "--allow-read=.",
    "--allow-write=.",
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.equal(stdout, `[{"name":"pike"}]\n`);
});

Deno.test("Importing an entry keeps no process alive and prints nothing", async () => {
  const { exports } = JSON.parse(await textOf("deno.json"));
  const imports = Object.keys(exports).map((entry) =>
    `import "${NAME}${entry.slice(1)}";`
  );
  const { code, stdout, stderr } = await run(imports.join("\n"));
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
});

Deno.test("A failure of an example shows in its exit code", async () => {
  const { code, stderr } = await run(
    `import { load } from "${NAME}"; await load(new Uint8Array());`,
  );
  assert.equal(code, 1);
  assert.match(stderr, /InvalidModuleError/);
});

// -- The extraction itself --

Deno.test("codeBlocks() takes the blocks of one language", () => {
  const markdown = [
    "# Title",
    "```sh",
    "deno task demo",
    "```",
    "Text with `code`.",
    "```ts ignore",
    "const a = 1;",
    "```",
    "```ts",
    "const b = `two`;",
    "",
    "const c = 3;",
    "```",
    "",
  ].join("\n");
  assert.deepEqual(codeBlocks(markdown, "ts"), [
    "const a = 1;\n",
    "const b = `two`;\n\nconst c = 3;\n",
  ]);
  assert.deepEqual(codeBlocks(markdown, "sh"), ["deno task demo\n"]);
  assert.deepEqual(codeBlocks(markdown, "js"), []);
});
