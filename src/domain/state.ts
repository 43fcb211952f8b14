import type { NanoUsd } from './money.ts';

/** Whose money or requests are counted. */
export type BudgetScope = 'request' | 'key' | 'user' | 'project' | 'workspace';

/** The stretch of time that a budget counts over; calendar periods are UTC, weeks begin on Monday. */
export type BudgetPeriod = 'day' | 'week' | 'month' | 'total' | 'rolling';

/** What a budget counts in: made once when a policy is compiled, so that the state may key its accounts by identity. */
export interface BudgetAccount {
  readonly scope: Exclude<BudgetScope, 'request'>;
  readonly period: BudgetPeriod;
  /** Only for `rolling`, else 0. */
  readonly windowMs: number;
  /** Which models count, by catalogue name; null counts all. */
  readonly matches: ((model: string) => boolean) | null;
  /** For scope `user`: counts the end user over all projects of the workspace, not only in this one. */
  readonly acrossProjects?: true;
}

/** Who a request belongs to: the ids that every account and window is found by. */
export interface Belonging {
  readonly environmentTest: boolean;
  readonly workspaceId: number;
  readonly projectId: number;
  readonly keyId: number;
  readonly endUser: string | null;
  /** The sender's group (IPv4 address, IPv6 /64), or null. */
  readonly sender: string | null;
}

/** Money of an account in its current period. */
export interface Balance {
  readonly settledNanoUsd: NanoUsd;
  readonly heldNanoUsd: NanoUsd;
  /** When the period ends (or, for rolling, when the oldest part leaves), milliseconds since 1970; null for `total`. */
  readonly resetsAtMs: number | null;
}

/** Volume of a workspace in the current month. */
export interface Volume {
  /** Requests of this month that were settled or are in flight. */
  readonly usedRequests: number;
  /** Credits that are left, those of requests in flight taken off. */
  readonly creditsLeft: number;
}

/**
 * What policy may read. Every method is synchronous and changes nothing that a later reading could see.
 * Times are ledger time in milliseconds.
 */
export interface StateView {
  balance(account: BudgetAccount, who: Belonging, nowMs: number): Balance;
  /** Requests admitted within the last `windowMs`, both edges exact: an admission exactly `windowMs` ago no longer counts. */
  requestsWithin(scope: 'project' | 'key', who: Belonging, windowMs: number, nowMs: number): number;
  /** When the next request may be admitted under `limit` for the window, in milliseconds since 1970. */
  roomAtMs(scope: 'project' | 'key', who: Belonging, windowMs: number, limit: number, nowMs: number): number;
  /** Money settled within the last `windowMs`, and all that is held, of a key, project or sender. */
  spentWithin(scope: 'project' | 'key' | 'sender' | 'user', who: Belonging, windowMs: number, nowMs: number): NanoUsd;
  /** Money of a key, project, sender or end user that is held by requests in flight. */
  heldNow(scope: 'project' | 'key' | 'sender' | 'user', who: Belonging): NanoUsd;
  /** How often this fingerprint was admitted for the project within the last `windowMs`. */
  repeatsWithin(fingerprint: bigint, who: Belonging, windowMs: number, nowMs: number): number;
  /** Requests in flight. */
  inFlight(scope: 'project' | 'key', who: Belonging): number;
  volume(who: Belonging, nowMs: number): Volume;
  /** Who switched Sentry Mode on for this project, or null when it is off. */
  sentry(who: Belonging): 'project' | 'workspace' | null;
}
