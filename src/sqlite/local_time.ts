/** The local time zone for C code, as Emscripten's `localtime()` imports it. @module */

import type { HostResult, WasmValue } from "../engine/host_function.ts";

const MS_A_DAY = 86_400_000;

/** Room for a time zone's name in the guest, its NUL included. */
const NAME_CAPACITY = 17;

/**
 * The two imports of Emscripten's time functions.
 *
 * @param memory The guest's memory.
 * @returns `_localtime_js` and `_tzset_js`.
 */
export function localTimeImports(
  memory: WebAssembly.Memory,
): Record<string, (...args: WasmValue[]) => HostResult> {
  const words = (pointer: number, values: readonly number[]) => {
    const view = new DataView(memory.buffer);
    values.forEach((value, i) => view.setInt32(pointer + i * 4, value, true));
  };
  return {
    _localtime_js: (seconds: bigint, tm: number) => {
      const date = new Date(Number(seconds) * 1000);
      const year = date.getFullYear();
      words(tm, [
        date.getSeconds(),
        date.getMinutes(),
        date.getHours(),
        date.getDate(),
        date.getMonth(),
        year - 1900,
        date.getDay(),
        (Date.UTC(year, date.getMonth(), date.getDate()) -
          Date.UTC(year, 0, 1)) / MS_A_DAY,
        Number(isSummerTime(date)),
        -date.getTimezoneOffset() * 60,
      ]);
    },
    _tzset_js: (
      timezone: number,
      daylight: number,
      standardName: number,
      summerName: number,
    ) => {
      const [winter, summer] = offsets(new Date().getFullYear());
      words(timezone, [Math.max(winter, summer) * 60]);
      words(daylight, [Number(winter !== summer)]);
      for (const name of [standardName, summerName]) {
        const bytes = new Uint8Array(memory.buffer, name, NAME_CAPACITY).fill(
          0,
        );
        new TextEncoder().encodeInto("local", bytes);
      }
    },
  };
}

/** Minutes behind UTC in January and July. */
function offsets(year: number): [number, number] {
  return [
    new Date(year, 0, 1).getTimezoneOffset(),
    new Date(year, 6, 1).getTimezoneOffset(),
  ];
}

function isSummerTime(date: Date): boolean {
  const [winter, summer] = offsets(date.getFullYear());
  return winter !== summer &&
    date.getTimezoneOffset() === Math.min(winter, summer);
}
