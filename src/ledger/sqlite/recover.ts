import type { Database } from 'bun:sqlite';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { belongingOf, spendLabel } from '../../domain/belonging.ts';
import type { Decision, Settlement } from '../../domain/decision.ts';
import { LedgerState } from '../state.ts';
import { closeFully, openForReading } from './open.ts';
import type { Checkpoint } from './protocol.ts';
import { openDecisions } from './queries-lists.ts';
import { restoreSpend } from './recover-spend.ts';
import { restoreAdmissions } from './recover-windows.ts';

/** Files up to this many pages (32 MB) are checked at every start; larger ones would make the start wait, `ledger verify` checks them. */
const MAX_CHECKED_PAGES = 8_192;

/** A state as it was before, and how to settle what was in flight when the process ended. */
export interface Recovered {
  readonly memory: LedgerState;
  readonly open: readonly Settlement[];
}

/** Builds the state from derived tables, recent rows and open holds. Throws when the file is damaged. Times are ledger time. */
export function recover(path: string, checkpoint: Checkpoint, nowMs: number): Recovered {
  const db = openForReading(path);
  try {
    check(db);
    const memory = new LedgerState();
    restoreSwitches(db, memory);
    restoreSpend(db, memory, checkpoint, nowMs);
    restoreAdmissions(db, memory, checkpoint, nowMs);
    const open = openDecisions(drizzle(db), checkpoint.lowestOpenSeq);
    for (const decision of open) restoreOpen(memory, decision);
    return { memory, open: open.map((decision) => chargedInFull(decision, nowMs)) };
  } finally {
    closeFully(db);
  }
}

function check(db: Database): void {
  const pages = db.query<{ page_count: number }, []>('PRAGMA page_count').get()?.page_count ?? 0;
  if (pages > MAX_CHECKED_PAGES) return;
  const result = db.query<{ quick_check: string }, []>('PRAGMA quick_check(1)').get()?.quick_check;
  if (result !== 'ok') throw new Error(`the ledger is damaged: ${result}`);
}

function restoreSwitches(db: Database, memory: LedgerState): void {
  const switches = db.query<{ workspaceId: number | null; projectId: number | null; enabled: number }, []>(
    'SELECT workspace_id AS workspaceId, project_id AS projectId, enabled FROM sentry_switches ORDER BY seq',
  );
  for (const { workspaceId, projectId, enabled } of switches.all()) {
    memory.setSentry(projectId === null ? { workspaceId: workspaceId ?? 0 } : { projectId }, enabled === 1);
  }
  const credits = db.query<{ workspaceId: number; requests: number }, []>(
    'SELECT workspace_id AS workspaceId, sum(requests) AS requests FROM credit_entries GROUP BY workspace_id',
  );
  for (const { workspaceId, requests } of credits.all()) memory.grantCredits(workspaceId, requests);
}

function restoreOpen(memory: LedgerState, { seq, atMs, candidate, verdict }: Decision): void {
  if (!verdict.allow) return;
  const { holdNanoUsd, draws } = verdict;
  const { fingerprint, models } = candidate;
  memory.restoreOpen({ seq, who: belongingOf(candidate), label: spendLabel(models), fingerprint, holdNanoUsd, draws, atMs });
}

/** The provider may have billed what was in flight when the process died, so it costs its whole hold. */
function chargedInFull(decision: Decision, nowMs: number): Settlement {
  return {
    decisionSeq: decision.seq,
    outcome: 'unknown',
    basis: 'held',
    costNanoUsd: decision.verdict.allow ? decision.verdict.holdNanoUsd : 0,
    usage: null,
    overrun: false,
    upstreamStatus: 0,
    firstByteMs: null,
    durationMs: Math.max(0, nowMs - decision.atMs),
    responseId: null,
    countsVolume: true,
  };
}
