import type { Database } from 'bun:sqlite';
import type { Settlement } from '../../domain/decision.ts';
import { LedgerState } from '../state.ts';
import type { RestoredHold } from '../state/restore.ts';
import { openForReading } from './open.ts';
import type { Checkpoint } from './protocol.ts';
import { openHolds } from './recover-open.ts';
import { restoreSpend } from './recover-spend.ts';
import { restoreAdmissions, valuesOf, workspacesOfProjects } from './recover-windows.ts';

/** Files up to this many pages (4 MB) are checked whole at every start. Of larger ones only the tables that stay small: `ledger verify` checks all. */
const MAX_CHECKED_PAGES = 1_024;
/** Every table but those that grow with each request or operator's act, and that nothing is counted from at a start. */
const SMALL_TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN
  ('decisions', 'settlements', 'audit_events', 'chain_links', 'prunings', 'archived_rollups', 'archived_balances', 'archived_doubts',
  'alert_deliveries')`;

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
    const workspaces = workspacesOfProjects(db);
    restoreSwitches(db, memory);
    restoreSpend(db, memory, checkpoint, workspaces, nowMs);
    restoreAdmissions(db, memory, checkpoint, workspaces, nowMs);
    const holds = openHolds(db, checkpoint, workspaces);
    for (const hold of holds) memory.restoreOpen(hold);
    return { memory, open: holds.map((hold) => chargedInFull(hold, nowMs)) };
  } finally {
    // Every statement above is finalized, so that this frees the file at once, without a collection of garbage.
    db.close();
  }
}

function check(db: Database): void {
  const [[pages] = [0]] = valuesOf<[pages: number]>(db, 'PRAGMA page_count');
  if (pages <= MAX_CHECKED_PAGES) return checked(valuesOf<[string]>(db, 'PRAGMA quick_check(1)'));
  for (const [table] of valuesOf<[name: string]>(db, SMALL_TABLES)) checked(valuesOf<[string]>(db, `PRAGMA quick_check(${table})`));
}

function checked([found]: readonly [string][]): void {
  if (found?.[0] !== 'ok') throw new Error(`the ledger is damaged: ${found?.[0]}`);
}

function restoreSwitches(db: Database, memory: LedgerState): void {
  const switches = valuesOf<[workspaceId: number | null, projectId: number | null, enabled: number]>(
    db,
    'SELECT workspace_id, project_id, enabled FROM sentry_switches ORDER BY seq',
  );
  for (const [workspaceId, projectId, enabled] of switches)
    memory.setSentry(projectId === null ? { workspaceId: workspaceId ?? 0 } : { projectId }, enabled === 1);
  const credits = valuesOf<[workspaceId: number, requests: number]>(
    db,
    'SELECT workspace_id, sum(requests) FROM credit_entries GROUP BY workspace_id',
  );
  for (const [workspaceId, requests] of credits) memory.grantCredits(workspaceId, requests);
}

/** The provider may have billed what was in flight when the process died, so it costs its whole hold. */
function chargedInFull({ seq, atMs, holdNanoUsd }: RestoredHold, nowMs: number): Settlement {
  return {
    decisionSeq: seq,
    outcome: 'unknown',
    basis: 'held',
    costNanoUsd: holdNanoUsd,
    usage: null,
    overrun: false,
    upstreamStatus: 0,
    firstByteMs: null,
    durationMs: Math.max(0, nowMs - atMs),
    responseId: null,
    countsVolume: true,
  };
}
