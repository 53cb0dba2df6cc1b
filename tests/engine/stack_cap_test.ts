import assert from "node:assert/strict";

const CHILD = new URL("../support/stack_cap_child.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

interface Outcome {
  readonly success: boolean;
  readonly status: string;
  readonly output: string;
}

async function runChild(mode: "guest" | "raw"): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG.pathname, CHILD.pathname, mode],
    stdout: "piped",
    stderr: "piped",
  });
  const { success, code, signal, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const status = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const output = success ? decoder.decode(stdout) : decoder.decode(stderr);
  const lines = output.trim().split("\n");
  // deno-lint-ignore no-console -- what was seen belongs to the test's report
  console.log(
    `${mode}: ${status}, ${lines.slice(0, 3).join(" | ").slice(0, 300)}`,
  );
  return { success, status, output };
}

Deno.test({
  name:
    "Guest parks 50,000 calls, 16,384 at a time, where raw JSPI ends the process",
  // The limit on memory mappings that both of them meet is that of Linux.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const [guest, raw] = [await runChild("guest"), await runChild("raw")];
    assert.equal(guest.success, true, guest.output);
    const seen = JSON.parse(guest.output);
    assert.equal(seen.right, 50_000);
    assert.equal(seen.left, 0);
    assert.equal(seen.parked, 16_384);
    assert.ok(seen.stacks <= 16_384 + 256, `${seen.stacks} stacks`);
    assert.ok(seen.mappings < 40_000, `${seen.mappings} mappings`);
    assert.equal(raw.success, false, "raw JSPI survived");
  },
});
