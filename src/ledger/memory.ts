import type { Decision, Settlement } from '../domain/decision.ts';
import type { Belonging, StateView } from '../domain/state.ts';
import type { RestoredSpend } from './state/restore.ts';
import type { Owner } from './store.ts';

/** What an engine does to the state in memory. */
export interface LedgerMemory extends StateView {
  /** Places the hold of an allow and counts it in every window. */
  open(decision: Decision, who: Belonging): void;
  /** Takes an allow back as if it had never been. False when its seq is not open. */
  undo(seq: number): boolean;
  /** Replaces the hold by the cost. False when the decision has no open hold: it was settled before. */
  settle(settlement: Settlement, atMs: number): boolean;
  /** Adds to the spend of a settled request, below 0 takes off, in the periods that it settled in. */
  correct(correction: RestoredSpend): void;
  /** Turns Sentry Mode of a project or workspace. */
  setSentry(owner: Owner, enabled: boolean): void;
  /** Adds credits to a workspace; a count below 0 takes some back. */
  grantCredits(workspaceId: number, requests: number): void;
}
