/** The only place that asks the machine for the time. Everything else takes a `Clock`, or `now` as an argument. */
export interface Clock {
  /** Wall-clock milliseconds since 1970, whole. May jump in both directions: the ledger's own time is made from both readings. */
  nowMs(): number;
  /** Milliseconds since some fixed moment of this process, with fractions. Never goes back. */
  monotonicMs(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
