/** Reading and writing the memory of a 32-bit guest. @module */

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/**
 * A guest's memory. No view is kept between two calls, since the memory may grow; pointers may come
 * as negative numbers, as WebAssembly passes them above 2 GiB.
 */
export class GuestMemory {
  readonly #memory: () => WebAssembly.Memory;

  /**
   * A guest's memory.
   *
   * @param memory Tells the memory, which may not exist yet.
   */
  constructor(memory: () => WebAssembly.Memory) {
    this.#memory = memory;
  }

  /**
   * A view that is valid until the guest runs again or something is awaited.
   *
   * @param pointer Where it starts.
   * @param length How many bytes.
   * @returns The view.
   */
  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory().buffer, pointer >>> 0, length);
  }

  /**
   * Reads a C string.
   *
   * @param pointer Where it starts; 0 for none.
   * @returns The string without its NUL, or `undefined` for the null pointer.
   */
  string(pointer: number): string | undefined {
    if (pointer === 0) return undefined;
    const bytes = new Uint8Array(this.#memory().buffer, pointer >>> 0);
    // A copy, since a TextDecoder does not take shared memory.
    return DECODER.decode(bytes.slice(0, bytes.indexOf(0)));
  }

  /**
   * Writes a C string where it fits.
   *
   * @param pointer Where it goes.
   * @param capacity The room there, in bytes, the NUL included.
   * @param text The string.
   * @returns Whether it fitted; if not, nothing was written.
   */
  writeString(pointer: number, capacity: number, text: string): boolean {
    const encoded = ENCODER.encode(text + "\0");
    if (encoded.length > capacity) return false;
    this.bytes(pointer, encoded.length).set(encoded);
    return true;
  }

  /** Writes a 32-bit integer at a pointer. */
  writeInt32(pointer: number, value: number): void {
    this.#view(pointer, 4).setInt32(0, value, true);
  }

  /** Writes a 64-bit integer at a pointer. */
  writeInt64(pointer: number, value: bigint): void {
    this.#view(pointer, 8).setBigInt64(0, value, true);
  }

  /** Writes a double at a pointer. */
  writeFloat64(pointer: number, value: number): void {
    this.#view(pointer, 8).setFloat64(0, value, true);
  }

  #view(pointer: number, length: number): DataView {
    return new DataView(this.#memory().buffer, pointer >>> 0, length);
  }
}
