/** What stands in a hub's ready queue. @module */

/** Something that the hub runs when its turn comes: a greenlet's start or its resumption. */
export interface Runnable {
  /** Runs at its turn; must not throw and must not block. */
  run(): void;
}
