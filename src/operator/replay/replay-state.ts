import { belongingOf } from '../../domain/belonging.ts';
import type { Reason } from '../../domain/errors.ts';
import type { Belonging } from '../../domain/state.ts';
import type { RecordedRequest } from '../../ledger/replay/pages.ts';
import { LedgerState } from '../../ledger/state.ts';

/** A grant is in force a moment after its row was written; no later than this, in milliseconds. */
const IN_FORCE_MS = 10_000;

/** Reasons of controls that speak before Sentry Mode: their denials tell nothing of it. */
const BEFORE_SENTRY: ReadonlySet<Reason> = new Set([
  'included_volume_used',
  'credits_exhausted',
  'network_blocked',
  'region_blocked',
  'model_blocked',
  'model_unpriced',
]);

interface PendingGrant {
  readonly atMs: number;
  readonly requests: number;
}

/**
 * The state of a replay. What operators turn and grant has a row, but is in force only once that row is on disk: in between, requests were
 * judged by what was before. Their own recorded outcome proves which it was.
 */
export class ReplayState extends LedgerState {
  #proof: 'on' | 'off' | null = null;
  #pending: PendingGrant[] = [];

  constructor(readonly workspaceId: number) {
    super();
  }

  /** A grant whose row comes here in the order of the ledger. */
  pendGrant(grant: PendingGrant): void {
    this.#pending.push(grant);
  }

  /**
   * Takes what the record of a request proves of the moment at which it was judged. Call it before judging that request.
   * `includedRequests` is the volume of the plan, null without limit.
   */
  believe(record: RecordedRequest, includedRequests: number | null): void {
    const { reason } = record;
    if (reason === 'sentry_mode') this.#proof = 'on';
    else this.#proof = reason !== null && BEFORE_SENTRY.has(reason) ? null : 'off';
    if (this.#pending.length > 0) this.#believeGrants(record, includedRequests);
  }

  override sentry(who: Belonging): 'project' | 'workspace' | null {
    if (this.#proof === 'off') return null;
    return super.sentry(who) ?? (this.#proof === 'on' ? 'project' : null);
  }

  #believeGrants({ candidate, reason, atMs }: RecordedRequest, includedRequests: number | null): void {
    const { usedRequests, creditsLeft } = this.volume(belongingOf(candidate), atMs);
    const hasVolume = includedRequests === null || usedRequests < includedRequests || creditsLeft > 0;
    // A request that had volume where we see none had the new credits; one that had none where we see some had lost the old ones.
    const isProven = hasVolume === (reason === 'credits_exhausted');
    const inForce = this.#pending.filter((grant) => isProven || atMs >= grant.atMs + IN_FORCE_MS);
    for (const { requests } of inForce) this.grantCredits(this.workspaceId, requests);
    this.#pending = this.#pending.slice(inForce.length);
  }
}
