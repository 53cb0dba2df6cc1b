/** Iterating over what comes, until no more will. @module */

/**
 * The items that a function gets, one after the other.
 *
 * @param get Waits for the next item.
 * @param isEnd Whether an error means that no more will come.
 */
export function untilClosed<T>(
  get: () => Promise<T>,
  isEnd: (error: unknown) => boolean,
): AsyncIterableIterator<T> {
  return {
    async next() {
      try {
        return { done: false, value: await get() };
      } catch (error) {
        if (isEnd(error)) return { done: true, value: undefined };
        throw error;
      }
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
