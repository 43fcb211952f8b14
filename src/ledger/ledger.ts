import type { Candidate } from '../domain/candidate.ts';
import type { Decision, Settlement } from '../domain/decision.ts';
import type { StateView } from '../domain/state.ts';
import type { Verdict } from '../domain/verdict.ts';

/** Judges a candidate against a consistent state. Pure and synchronous. */
export type Decide = (state: StateView, candidate: Candidate, nowMs: number) => Verdict;

/** All that a ledger engine does on the hot path. The engine stores and locks; it never decides. */
export interface Ledger {
  /**
   * Runs `decide` against a consistent state, applies its hold, stores the decision.
   * An allow resolves once it is durable; a denial resolves at once.
   * Rejects with `LedgerUnavailable` when the decision cannot be committed, or not within the commit deadline.
   */
  admit(candidate: Candidate, policyVersion: number, decide: Decide): Promise<Decision>;
  /** Whether a request of this key was denied within the last second: then `denyAgain` may spare the next one's body. */
  deniedLately(keyId: number): boolean;
  /**
   * Judges what is known of a request before its body. When that is denied, as an equal request was within the last second, it is
   * counted in the row of that one, which is returned with the verdict of now. Null when `decide` lets it pass, or nothing equal was
   * denied.
   */
  denyAgain(candidate: Candidate, policyVersion: number, decide: Decide): Decision | null;
  /** Replaces the hold by what was used: in memory at once, on disk with the next batch. The same seq twice is one settlement. */
  settle(settlement: Settlement): void;
  /** Resolves when everything that was handed over is on disk. */
  drain(): Promise<void>;
  /** Whether a decision could be committed right now. */
  readonly available: boolean;
}

/** Thrown by `admit`: nothing may be forwarded. */
export class LedgerUnavailable extends Error {
  override readonly name = 'LedgerUnavailable';
  constructor(
    /** `clock_unconfirmed` after a jump of the clock that an operator has to confirm; `overloaded` when too many wait. */
    readonly reason: 'ledger_unavailable' | 'clock_unconfirmed' | 'overloaded' | 'shutting_down',
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}
