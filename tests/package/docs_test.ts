import assert from "node:assert/strict";
import { importsOf } from "./import_rules.ts";
import { links } from "./markdown.ts";
import { exists, filesBelow, textOf } from "./repository.ts";

async function documents(): Promise<string[]> {
  const docs = await filesBelow("docs/");
  const top = (await Promise.all(
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(async (path) =>
      await exists(path) ? [path] : []
    ),
  )).flat();
  return [...top, ...docs.filter((path) => path.endsWith(".md"))];
}

/** The names by which GitHub and JSR link to headings. */
function anchorsOf(markdown: string): string[] {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```$/gm, "")
    .matchAll(/^#+ (.*)$/gm);
  return Array.from(
    headings,
    ([, title = ""]) =>
      title.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim().replaceAll(" ", "-"),
  );
}

/** The links of a document that lead nowhere. */
async function deadLinks(path: string, markdown: string): Promise<string[]> {
  const dead: string[] = [];
  for (const link of links(markdown)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [file = "", anchor] = link.split("#");
    const target = file === ""
      ? path
      : new URL(file, `file:///${path}`).pathname.slice(1);
    const there = await exists(target) && (anchor === undefined ||
      anchorsOf(await textOf(target)).includes(anchor));
    if (!there) dead.push(`${path}: ${link}`);
  }
  return dead;
}

Deno.test("Every relative link of the documents leads to a file of the repository", async () => {
  const paths = await documents();
  assert(paths.includes("README.md") && paths.includes("docs/design.md"));
  const dead: string[] = [];
  for (const path of paths) {
    dead.push(...await deadLinks(path, await textOf(path)));
  }
  assert.deepEqual(dead, []);
});

Deno.test("deno.json exports files that are there and are published", async () => {
  const { exports, publish } = JSON.parse(await textOf("deno.json"));
  const paths = Object.values<string>(exports);
  assert(paths.length > 0);
  for (const path of paths) {
    assert(await exists(path), path);
    const published = publish.include.some((entry: string) =>
      `./${entry}` === path || path.startsWith(`./${entry}`)
    );
    assert(published, path);
  }
});

Deno.test("CHANGELOG names the version of deno.json first", async () => {
  const { version } = JSON.parse(await textOf("deno.json"));
  const [, first] = /^## \[?([^\s\]]+)/m.exec(await textOf("CHANGELOG.md")) ??
    [];
  assert.equal(first, version);
});

Deno.test("docs/dependencies.md names every dependency at its version", async () => {
  const text = await textOf("docs/dependencies.md");
  const { imports } = JSON.parse(await textOf("deno.json"));
  const specifiers = Object.values<string>(imports);
  const builtins = new Set<string>();
  for (const path of await filesBelow("src/")) {
    if (!/\.[jt]s$/.test(path)) continue;
    for (const specifier of importsOf(await textOf(path))) {
      if (/^(npm|jsr):/.test(specifier)) specifiers.push(specifier);
      if (specifier.startsWith("node:")) builtins.add(specifier);
    }
  }
  for (const builtin of builtins) {
    assert(text.includes(`\`${builtin}\``), `${builtin} is not named`);
  }
  for (const specifier of specifiers) {
    const [, name, version] =
      /^(?:npm|jsr):(@?[^@]+)@([^/]+)/.exec(specifier) ?? [];
    assert(name !== undefined && version !== undefined, specifier);
    assert(text.includes(`\`${name}\``), `${name} is not named`);
    assert(text.includes(version), `${name} is not at ${version}`);
  }
});

// -- The checks themselves --

Deno.test("links() finds links and not what looks like one in code", () => {
  const markdown = [
    "[a](a.md), ![b](./b.png 'title') and `[c](c.md)`",
    "```md",
    "[d](d.md)",
    "```",
    "[e]: ../e.md",
  ].join("\n");
  assert.deepEqual(links(markdown), ["a.md", "./b.png", "../e.md"]);
});

Deno.test("deadLinks() finds a file and a heading that are not there", async () => {
  const markdown = [
    "# A title, with `code`",
    "[1](no-such-file.md) [2](#a-title-with-code) [3](#no-such-title)",
    "[4](../mod.ts) [5](https://deno.com/no-such-page)",
  ].join("\n");
  assert.deepEqual(anchorsOf(markdown), ["a-title-with-code"]);
  const dead = await deadLinks(
    "docs/none.md",
    markdown.replace(/\[[23].*/, ""),
  );
  assert.deepEqual(dead, ["docs/none.md: no-such-file.md"]);
});
