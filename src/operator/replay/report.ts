import type { Reason } from '../../domain/errors.ts';
import type { NanoUsd } from '../../domain/money.ts';

/** A decision that would have been another. */
export interface ChangedExample {
  readonly seq: number;
  readonly atMs: number;
  readonly keyId: number;
  readonly model: string;
  readonly endUser: string | null;
  /** How many equal requests the row stands for that change. */
  readonly requests: number;
  /** Null is an allow. */
  readonly before: Reason | null;
  readonly after: Reason | null;
  /** Of a new denial: what spoke and why. */
  readonly rule: string | null;
  readonly limit: string | null;
  readonly observed: string | null;
  /** What a newly denied request had cost (null while it is in flight), or what a newly allowed one is taken to cost. */
  readonly costNanoUsd: NanoUsd | null;
}

/** Requests that change in one way. */
export interface Changed {
  requests: number;
  /** What they had cost, or are taken to cost. */
  costNanoUsd: NanoUsd;
  /** The first of them. */
  readonly examples: ChangedExample[];
}

/** Changes of one reason, model, key or day. */
export interface ChangedGroup {
  newlyDenied: number;
  newlyAllowed: number;
  notSpentNanoUsd: NanoUsd;
  newlySpentNanoUsd: NanoUsd;
}

/** Requests and money on one side of the comparison. */
export interface Side {
  allowed: number;
  denied: number;
  /** Requests against which a control in observe mode spoke. */
  observed: number;
  costNanoUsd: NanoUsd;
}

/** What a replay found. Requests are counted one by one: a row that stands for many counts as many. */
export interface ReplayReport {
  /** Rows that were judged. */
  rows: number;
  readonly before: Side;
  readonly after: Side;
  readonly newlyDenied: Changed;
  readonly newlyAllowed: Changed;
  /** Denied before and after, for different reasons. */
  otherReason: number;
  /** Allowed before and after, with different holds; the money is what a lower output cap would have kept. */
  readonly otherHold: { requests: number; notSpentNanoUsd: NanoUsd };
  /** Allowed before and after, but controls in observe mode say something else. */
  otherObserved: number;
  /** By the reason of the denial that comes or goes. */
  readonly byReason: Map<string, ChangedGroup>;
  readonly byModel: Map<string, ChangedGroup>;
  /** By the key's id. */
  readonly byKey: Map<string, ChangedGroup>;
  /** By the UTC day of the decision, `2026-11-22`. */
  readonly byDay: Map<string, ChangedGroup>;
}

/** A report of nothing, to count in. */
export function emptyReport(): ReplayReport {
  const side = (): Side => ({ allowed: 0, denied: 0, observed: 0, costNanoUsd: 0 });
  const changed = (): Changed => ({ requests: 0, costNanoUsd: 0, examples: [] });
  return {
    rows: 0,
    before: side(),
    after: side(),
    newlyDenied: changed(),
    newlyAllowed: changed(),
    otherReason: 0,
    otherHold: { requests: 0, notSpentNanoUsd: 0 },
    otherObserved: 0,
    byReason: new Map(),
    byModel: new Map(),
    byKey: new Map(),
    byDay: new Map(),
  };
}
