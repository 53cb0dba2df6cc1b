/** What tests read out of the project's Markdown. @module */

/** The code of all fenced blocks of a language, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^```(\S+).*\n([\s\S]*?)^```$/gm);
  return Array.from(blocks)
    .filter(([, found]) => found === language)
    .map(([, , code]) => code ?? "");
}

/** The targets of all links outside of code, in order. */
export function links(markdown: string): string[] {
  const prose = markdown
    .replaceAll(/^```[\s\S]*?^```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
  return Array.from(
    prose.matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm),
    ([, inline, reference]) => inline ?? reference ?? "",
  );
}
