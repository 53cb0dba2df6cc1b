/**
 * A WebAssembly module that was read, with its questions answered.
 *
 * @module
 */

import type { Section, SectionName } from "./sections.ts";
import type {
  Export,
  ExternalKind,
  FunctionType,
  GlobalDefinition,
  GlobalType,
  Import,
  ImportNames,
  Limits,
  TableDefinition,
  TypeDefinition,
} from "./types.ts";

/** An imported function, resolved. */
export interface ImportedFunction extends ImportNames {
  /** Its index among all functions. */
  readonly index: number;
  /** Its signature. */
  readonly type: FunctionType;
}

/** What a {@linkcode BinaryModule} is made of. */
export interface ModuleContents {
  /** The sections as they stood in the file, in its order. */
  readonly sections: readonly Section[];
  /** The type index space. */
  readonly types: readonly TypeDefinition[];
  /** The imports of every kind. */
  readonly imports: readonly Import[];
  /** The type indices of the defined functions. */
  readonly functions: readonly number[];
  /** The defined tables. */
  readonly tables: readonly TableDefinition[];
  /** The defined memories. */
  readonly memories: readonly Limits[];
  /** The type indices of the defined tags. */
  readonly tags: readonly number[];
  /** The defined globals. */
  readonly globals: readonly GlobalDefinition[];
  /** The exports. */
  readonly exports: readonly Export[];
  /** The index of the start function. */
  readonly start?: number;
  /** How many element segments there are. */
  readonly elementCount: number;
  /** How many data segments there are. */
  readonly dataCount: number;
  /** The names of globals, from the name section, by index. */
  readonly globalNames: ReadonlyMap<number, string>;
}

/** The parts of a module that a pass may replace. */
export type ModuleChanges = Partial<
  Pick<ModuleContents, "imports" | "memories" | "globals" | "exports">
>;

const CHANGEABLE = [
  ["imports", "import"],
  ["memories", "memory"],
  ["globals", "global"],
  ["exports", "export"],
] as const;

/**
 * A WebAssembly module: what its sections say, and the sections themselves.
 *
 * It never changes: {@linkcode BinaryModule.with} makes a new one.
 */
export class BinaryModule implements ModuleContents {
  readonly sections: readonly Section[];
  readonly types: readonly TypeDefinition[];
  readonly imports: readonly Import[];
  readonly functions: readonly number[];
  readonly tables: readonly TableDefinition[];
  readonly memories: readonly Limits[];
  readonly tags: readonly number[];
  readonly globals: readonly GlobalDefinition[];
  readonly exports: readonly Export[];
  readonly start?: number;
  readonly elementCount: number;
  readonly dataCount: number;
  readonly globalNames: ReadonlyMap<number, string>;
  /** The sections that no longer say what the module says. */
  readonly changed: ReadonlySet<SectionName>;
  /** The imported functions, resolved. */
  readonly importedFunctions: readonly ImportedFunction[];
  readonly #exportsByName: ReadonlyMap<string, Export>;

  /**
   * A module of these contents, which are taken as they are.
   *
   * @param changed The sections to encode anew. Default none.
   */
  constructor(
    contents: ModuleContents,
    changed: ReadonlySet<SectionName> = new Set(),
  ) {
    this.sections = contents.sections;
    this.types = contents.types;
    this.imports = contents.imports;
    this.functions = contents.functions;
    this.tables = contents.tables;
    this.memories = contents.memories;
    this.tags = contents.tags;
    this.globals = contents.globals;
    this.exports = contents.exports;
    if (contents.start !== undefined) this.start = contents.start;
    this.elementCount = contents.elementCount;
    this.dataCount = contents.dataCount;
    this.globalNames = contents.globalNames;
    this.changed = changed;
    this.importedFunctions = this.#resolveImportedFunctions();
    this.#exportsByName = new Map(
      contents.exports.map((entry) => [entry.name, entry]),
    );
  }

  /** A module with some parts replaced, to be encoded anew. */
  with(changes: ModuleChanges): BinaryModule {
    const changed = new Set(this.changed);
    for (const [part, section] of CHANGEABLE) {
      if (changes[part] !== undefined) changed.add(section);
    }
    return new BinaryModule({ ...this, ...changes }, changed);
  }

  /** How many entries of a kind are imported. */
  importedCount(kind: ExternalKind): number {
    return this.imports.filter((entry) => entry.kind === kind).length;
  }

  /** The signature of the function with this index, imported or defined. */
  functionType(index: number): FunctionType | undefined {
    const imported = this.importedFunctions;
    if (index < imported.length) return imported[index]?.type;
    const typeIndex = this.functions[index - imported.length];
    return typeIndex === undefined ? undefined : this.#signature(typeIndex);
  }

  /** The type of the global with this index, imported or defined. */
  globalType(index: number): GlobalType | undefined {
    const imported = this.imports.filter((entry) => entry.kind === "global");
    if (index < imported.length) return imported[index]?.type;
    return this.globals[index - imported.length];
  }

  /** The bounds of the memory with this index, imported or defined. */
  memoryLimits(index: number): Limits | undefined {
    const imported = this.imports.filter((entry) => entry.kind === "memory");
    if (index < imported.length) return imported[index]?.limits;
    return this.memories[index - imported.length];
  }

  /** The export of this name. */
  exportNamed(name: string): Export | undefined {
    return this.#exportsByName.get(name);
  }

  /** The signature of the exported function of this name. */
  exportedFunctionType(name: string): FunctionType | undefined {
    const entry = this.exportNamed(name);
    if (entry?.kind !== "function") return undefined;
    return this.functionType(entry.index);
  }

  /** Whether the module defines or imports a tag. */
  get hasExceptionHandling(): boolean {
    return this.tags.length > 0 || this.importedCount("tag") > 0;
  }

  #signature(typeIndex: number): FunctionType | undefined {
    const type = this.types[typeIndex];
    return typeof type === "object" ? type : undefined;
  }

  #resolveImportedFunctions(): readonly ImportedFunction[] {
    const resolved: ImportedFunction[] = [];
    for (const entry of this.imports) {
      if (entry.kind !== "function") continue;
      const type = this.#signature(entry.typeIndex);
      // The reader refuses a module where it is missing.
      if (type === undefined) continue;
      const { module, name } = entry;
      resolved.push({ module, name, index: resolved.length, type });
    }
    return resolved;
  }
}
