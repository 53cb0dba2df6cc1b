/** The data that the demo works on: readings of weather stations. @module */

import { DatabaseSync } from "node:sqlite";

/** How many stations there are; the demo makes one call for each. */
export const STATIONS = 300;

/** How many readings each of them has. */
export const READINGS = 400;

/** Fills a database with `STATIONS * READINGS` readings. Always the same ones. */
export function createReadings(path: string): number {
  const database = new DatabaseSync(path);
  database.exec(`
    CREATE TABLE reading (
      station INTEGER, at INTEGER, celsius REAL, note TEXT,
      PRIMARY KEY (station, at)
    ) WITHOUT ROWID;
    BEGIN`);
  const insert = database.prepare(
    "INSERT INTO reading (station, at, celsius, note) VALUES (?, ?, ?, ?)",
  );
  for (let station = 0; station < STATIONS; station++) {
    for (let at = 0; at < READINGS; at++) {
      const celsius = 12 + 10 * Math.sin(at / 24 + station) +
        ((station * 7919 + at * 104729) % 1000) / 250;
      insert.run(station, at, celsius, at % 7 === 0 ? `checked ${at}` : null);
    }
  }
  database.exec("COMMIT");
  database.close();
  return STATIONS * READINGS;
}

/** What one call finds out about a station. */
export interface Summary {
  /** The station. */
  readonly station: number;
  /** How many readings it has. */
  readonly readings: number;
  /** Its mean temperature. */
  readonly mean: number;
  /** Its highest temperature. */
  readonly highest: number;
  /** How many readings were checked. */
  readonly checked: number;
}

/** Reads a station's readings and sums them up. */
export const SUMMARY = `
  SELECT station, count(*) AS readings, avg(celsius) AS mean,
    max(celsius) AS highest, count(note) AS checked
  FROM reading WHERE station = ? GROUP BY station`;

/** Makes a station's own report file. */
export const CREATE_REPORT =
  "CREATE TABLE report (station INTEGER, at INTEGER, celsius REAL)";

/** The readings that go into the report. */
export const HOTTEST =
  "SELECT station, at, celsius FROM reading WHERE station = ? ORDER BY celsius DESC LIMIT 20";

/** Writes one of them. */
export const INSERT_REPORT = "INSERT INTO report VALUES (?, ?, ?)";

/** What a report is compared by. */
export const CHECK_REPORT =
  "SELECT count(*) AS readings, sum(at) AS sum, total(celsius) AS total FROM report";

/** A row of {@linkcode HOTTEST}. */
export interface Reading {
  /** The station. */
  readonly station: number;
  /** When, in hours. */
  readonly at: number;
  /** How warm. */
  readonly celsius: number;
}

/** A row of {@linkcode CHECK_REPORT}. */
export interface ReportCheck {
  /** How many readings. */
  readonly readings: number;
  /** The sum of their times. */
  readonly sum: number;
  /** The sum of their temperatures. */
  readonly total: number;
}

/** What one call returns. */
export interface CallResult {
  /** What it read. */
  readonly summary: Summary;
  /** What it wrote, read again. */
  readonly report: ReportCheck;
}
