import type { Candidate } from '../../domain/candidate.ts';
import type { Settlement } from '../../domain/decision.ts';
import type { NanoUsd } from '../../domain/money.ts';
import type { BudgetScope } from '../../domain/state.ts';
import type { Attempt } from '../../gateway/attempt.ts';
import type { Call } from '../../gateway/call.ts';
import type { PathObserver } from '../../gateway/observer.ts';
import type { Refused } from '../../gateway/refused.ts';
import { FailureWindow } from './failure-window.ts';

/** Whose balances may have moved. */
export interface Touched {
  readonly workspaceId: number;
  readonly projectId: number;
  /** The first key of its line. */
  readonly keyId: number;
  readonly endUser: string | null;
}

/** A refusal by a budget that no waiting would have helped. */
export interface BudgetDenial extends Touched {
  readonly scope: BudgetScope;
}

/** A request that cost more than was held for it. */
export interface Overrun {
  readonly workspaceId: number;
  readonly projectId: number;
  readonly decisionId: string;
  readonly connectionId: number | null;
  readonly model: string;
  readonly holdNanoUsd: NanoUsd;
  readonly costNanoUsd: NanoUsd;
  /** Ledger time of the decision. */
  readonly atMs: number;
}

/** Bounds of what is noted between two looks, a second apart. What is too much shows up with a later look at all balances. */
const MAX_TOUCHED = 10_000;
const MAX_OVERRUNS = 1_000;

/** Statuses by which a provider, or our account there, is in trouble; other 4xx are the client's own. */
const TROUBLE_STATUSES = new Set([401, 402, 403, 408, 429]);

/** The budget that a reason names, or null. */
export function scopeOfReason(reason: string): BudgetScope | null {
  const scope = /^(key|user|project|workspace)_budget$/.exec(reason)?.[1];
  return (scope as BudgetScope | undefined) ?? null;
}

/**
 * Looks on at the path, and only notes down: live traffic, while there are alerts. Somebody else looks at the notes once a second,
 * off the path.
 */
export class Witness implements PathObserver {
  touched = new Map<string, Touched>();
  denials = new Map<string, BudgetDenial>();
  overruns: Overrun[] = [];
  readonly connections = new Map<number, FailureWindow>();

  constructor(
    /** Whether anybody wants to know. */
    readonly isNeeded: () => boolean,
    readonly monotonicMs: () => number,
  ) {}

  ended(attempt: Attempt): void {
    const { settlement, priced, decision } = attempt;
    const { candidate } = priced;
    if (settlement === null || candidate.environment === 'test' || !this.isNeeded()) return;
    this.#touch(candidate);
    if (priced.connection !== null) this.#count(priced.connection.id, settlement);
    if (!settlement.overrun || this.overruns.length >= MAX_OVERRUNS) return;
    this.overruns.push({
      workspaceId: candidate.workspaceId,
      projectId: candidate.projectId,
      decisionId: attempt.id,
      connectionId: priced.connection?.id ?? null,
      model: candidate.model,
      holdNanoUsd: attempt.verdict.holdNanoUsd,
      costNanoUsd: settlement.costNanoUsd,
      atMs: decision.atMs,
    });
  }

  refused(_call: Call, { refusal, denied }: Refused): void {
    if (denied === null || denied.candidate.environment === 'test' || !this.isNeeded()) return;
    const scope = scopeOfReason(refusal.reason);
    // Where only requests in flight fill the budget, nothing is used up.
    if (scope === null || refusal.retryable) return;
    const touched = touchedBy(denied.candidate);
    if (this.denials.size < MAX_TOUCHED) this.denials.set(`${scope} ${nameOf(touched)}`, { ...touched, scope });
  }

  /** Hands over what was noted, and begins anew. */
  takeNotes(): { touched: Touched[]; denials: BudgetDenial[]; overruns: Overrun[] } {
    const notes = { touched: [...this.touched.values()], denials: [...this.denials.values()], overruns: this.overruns };
    this.touched = new Map();
    this.denials = new Map();
    this.overruns = [];
    return notes;
  }

  #touch(candidate: Candidate): void {
    if (this.touched.size >= MAX_TOUCHED) return;
    const touched = touchedBy(candidate);
    this.touched.set(nameOf(touched), touched);
  }

  #count(connectionId: number, settlement: Settlement): void {
    const failed = isFailure(settlement);
    if (failed === null) return;
    let window = this.connections.get(connectionId);
    if (window === undefined) this.connections.set(connectionId, (window = new FailureWindow()));
    window.add(failed, this.monotonicMs());
  }
}

/** Whether the provider failed; null when the ending says nothing of it: the client went away, or we cut it. */
export function isFailure({ outcome, upstreamStatus }: Pick<Settlement, 'outcome' | 'upstreamStatus'>): boolean | null {
  switch (outcome) {
    case 'completed':
      return false;
    case 'upstream_error':
      return upstreamStatus < 400 || upstreamStatus >= 500 || TROUBLE_STATUSES.has(upstreamStatus);
    case 'not_sent':
    case 'upstream_interrupted':
    case 'upstream_timeout':
      return true;
    default:
      return null;
  }
}

function touchedBy({ workspaceId, projectId, keyId, endUser }: Candidate): Touched {
  return { workspaceId, projectId, keyId, endUser };
}

function nameOf({ projectId, keyId, endUser }: Touched): string {
  return endUser === null ? `${projectId} ${keyId}` : `${projectId} ${keyId} ${endUser}`;
}
