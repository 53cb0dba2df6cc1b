/**
 * The same work twice: for one station, sum up its readings and write a report file of its own.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Database } from "../../src/sqlite/mod.ts";
import {
  type CallResult,
  CHECK_REPORT,
  CREATE_REPORT,
  HOTTEST,
  INSERT_REPORT,
  type Reading,
  type ReportCheck,
  SUMMARY,
  type Summary,
} from "./data.ts";

/** With the built-in, blocking SQLite: nothing else runs before it returns. */
export function blockingCall(
  source: string,
  target: string,
  station: number,
): CallResult {
  const readings = new DatabaseSync(source, { readOnly: true });
  const summary = readings.prepare(SUMMARY).get(station);
  const hottest = readings.prepare(HOTTEST).all(station);
  readings.close();
  const report = new DatabaseSync(target);
  report.exec(`BEGIN; ${CREATE_REPORT}`);
  const insert = report.prepare(INSERT_REPORT);
  for (const row of hottest) insert.run(row.station!, row.at!, row.celsius!);
  report.exec("COMMIT");
  const check = report.prepare(CHECK_REPORT).get();
  report.close();
  // The statements say what the rows are.
  return { summary, report: check } as unknown as CallResult;
}

/** With greenlets: the stock SQLite binary waits where it would block, and nobody else does. */
export async function greenletCall(
  source: string,
  target: string,
  station: number,
): Promise<CallResult> {
  await using readings = await Database.open(source, { readOnly: true });
  const [summary] = await readings.query<Summary>(SUMMARY, [station]);
  const hottest = await readings.query<Reading>(HOTTEST, [station]);
  await using report = await Database.open(target);
  await report.transaction(async (transaction) => {
    await transaction.execute(CREATE_REPORT);
    for (const { station, at, celsius } of hottest) {
      await transaction.execute(INSERT_REPORT, [station, at, celsius]);
    }
  });
  const [check] = await report.query<ReportCheck>(CHECK_REPORT);
  if (summary === undefined || check === undefined) {
    throw new Error(`Cannot sum up station ${station}: it has no readings`);
  }
  return { summary, report: check };
}
