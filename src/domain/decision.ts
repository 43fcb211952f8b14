import type { Candidate } from './candidate.ts';
import type { NanoUsd } from './money.ts';
import type { Usage } from './usage.ts';
import type { Verdict } from './verdict.ts';

/** A recorded outcome. `seq` orders everything in the ledger; the public id is made from `seq` and `atMs`, see `ids.ts`. */
export interface Decision {
  readonly seq: number;
  /** Ledger time in milliseconds since 1970: never goes back, also across restarts. */
  readonly atMs: number;
  readonly candidate: Candidate;
  readonly policyVersion: number;
  readonly verdict: Verdict;
}

/** How an attempt ended. */
export type Outcome =
  /** The provider's terminal event arrived. */
  | 'completed'
  /** The provider answered with an error status: costs nothing unless it carries usage. */
  | 'upstream_error'
  /** Nothing was sent: commit unknown, connection refused, DNS, TLS. Costs nothing. */
  | 'not_sent'
  /** The client went away before the end. */
  | 'client_aborted'
  /** The provider's stream broke before its terminal event. */
  | 'upstream_interrupted'
  | 'upstream_timeout'
  | 'cut_sentry'
  | 'cut_revoked'
  | 'cut_shutdown'
  /** The process died while the request was in flight: charged in full. */
  | 'unknown';

/** How sure the cost is. */
export type CostBasis =
  /** From the provider's usage. */
  | 'reported'
  /** A bound made from what was delivered and how long it took. */
  | 'estimated'
  /** The whole hold. */
  | 'held'
  /** Nothing could have been billed. */
  | 'none';

/** Replaces a hold by what was used. One for every allowed decision. */
export interface Settlement {
  /** The decision's `seq`. */
  readonly decisionSeq: number;
  readonly outcome: Outcome;
  readonly basis: CostBasis;
  readonly costNanoUsd: NanoUsd;
  /** Null when the provider reported none. */
  readonly usage: Usage | null;
  /** True when the cost is more than the hold was. */
  readonly overrun: boolean;
  /** The provider's status, or 0 when there was no answer. */
  readonly upstreamStatus: number;
  /** Milliseconds from admission to the provider's headers, or null. */
  readonly firstByteMs: number | null;
  /** Milliseconds from admission to the end. */
  readonly durationMs: number;
  /** The provider's id of a stored response, so that only its project may refer to it; else null. */
  readonly responseId: string | null;
  /** False returns the volume that the request drew (a non-2xx answer without usage). */
  readonly countsVolume: boolean;
}
