/**
 * What the sections of a WebAssembly module say, as data.
 *
 * Everything here is read-only: passes make new records.
 *
 * @module
 */

/**
 * A reference type other than plain `funcref` and `externref`: those of GC, of
 * typed function references, and `exnref`.
 */
export interface OtherReferenceType {
  /** Tells it from the types that are strings. */
  readonly kind: "ref";
  /** Its encoding, as it stood in the module. */
  readonly raw: Uint8Array;
}

/** A type of references. */
export type ReferenceType = "funcref" | "externref" | OtherReferenceType;

/** A type of values. */
export type ValueType =
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "v128"
  | ReferenceType;

/** The signature of functions and tags. */
export interface FunctionType {
  /** The parameters' types. */
  readonly params: readonly ValueType[];
  /** The results' types, none for a tag. */
  readonly results: readonly ValueType[];
}

/** One entry of the type index space. Only function types are kept in full. */
export type TypeDefinition = FunctionType | "struct" | "array";

/** The size bounds of a memory, in pages, or of a table, in elements. */
export interface Limits {
  /** The size at first. */
  readonly minimum: bigint;
  /** The greatest size, if there is one. */
  readonly maximum?: bigint;
  /** Whether threads may share it. Never true of a table. */
  readonly shared: boolean;
  /** Whether it is indexed with i64. */
  readonly is64: boolean;
  /** The base-2 logarithm of a memory's page size, where it is not 16. */
  readonly pageSizeLog2?: number;
}

/** The type of a table. */
export interface TableType {
  /** What it holds. */
  readonly element: ReferenceType;
  /** Its size bounds, in elements. */
  readonly limits: Limits;
}

/** The type of a global. */
export interface GlobalType {
  /** The type of its value. */
  readonly type: ValueType;
  /** Whether it can be set. */
  readonly mutable: boolean;
}

/** The kinds of what a module can import and export. */
export type ExternalKind = "function" | "table" | "memory" | "global" | "tag";

/** The two names of an import. */
export interface ImportNames {
  /** The first name: the module. */
  readonly module: string;
  /** The second name: the field. */
  readonly name: string;
}

/** An imported function. */
export interface FunctionImport extends ImportNames {
  /** Tells it from other imports. */
  readonly kind: "function";
  /** Its signature's index among the types. */
  readonly typeIndex: number;
}

/** An imported table. */
export interface TableImport extends ImportNames {
  /** Tells it from other imports. */
  readonly kind: "table";
  /** Its type. */
  readonly type: TableType;
}

/** An imported memory. */
export interface MemoryImport extends ImportNames {
  /** Tells it from other imports. */
  readonly kind: "memory";
  /** Its size bounds, in pages. */
  readonly limits: Limits;
}

/** An imported global. */
export interface GlobalImport extends ImportNames {
  /** Tells it from other imports. */
  readonly kind: "global";
  /** Its type. */
  readonly type: GlobalType;
}

/** An imported tag. */
export interface TagImport extends ImportNames {
  /** Tells it from other imports. */
  readonly kind: "tag";
  /** Its signature's index among the types. */
  readonly typeIndex: number;
}

/** What a module imports, one entry. */
export type Import =
  | FunctionImport
  | TableImport
  | MemoryImport
  | GlobalImport
  | TagImport;

/** What a module exports, one entry. */
export interface Export {
  /** Its name, unique in the module. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Its index among all of its kind, the imported ones first. */
  readonly index: number;
}

/** A table that a module defines. */
export interface TableDefinition extends TableType {
  /** The constant expression that fills it, encoded, with its `end`. */
  readonly init?: Uint8Array;
}

/** A global that a module defines. */
export interface GlobalDefinition extends GlobalType {
  /** The constant expression for its first value, encoded, with its `end`. */
  readonly init: Uint8Array;
  /** That value, where the expression is one `i32.const` or `i64.const`. */
  readonly constant?: number | bigint;
}
