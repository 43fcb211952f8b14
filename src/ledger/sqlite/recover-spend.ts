import type { Database } from 'bun:sqlite';
import type { LedgerState } from '../state.ts';
import { dayStart, KEPT_MS } from './periods.ts';
import type { Checkpoint } from './protocol.ts';
import { recentSpend, type RecentSpend } from './recover-recent.ts';
import { restoreUserDays } from './recover-users.ts';
import { belongingOfRow, valuesOf, type BelongingRow, type Workspaces } from './recover-windows.ts';

const HOUR_MS = 3_600_000;

/** Sums of hours of one key. */
interface SumRow extends BelongingRow {
  readonly startMs: number;
  readonly label: string;
  readonly cost: number;
}

/**
 * Brings spend and volume back: what was settled lately from its rows, before it the sums of `usage_rollups` and `balances`.
 * What is in both is taken off the sums.
 */
export function restoreSpend(db: Database, memory: LedgerState, checkpoint: Checkpoint, workspaces: Workspaces, nowMs: number): void {
  const recent = recentSpend(db, checkpoint, workspaces, nowMs);
  restoreHours(db, memory, recent);
  restoreUserDays(db, memory, workspaces, recent);
  for (const spend of recent.keys.inOrder()) memory.restoreSpend(spend);
  for (const spend of recent.users.inOrder()) memory.restoreUserSpend(spend);
  for (const spend of recent.senders.inOrder()) memory.restoreSenderSpend(spend);
  memory.sendersKnownAfter(recent.earlierUntilMs);
  restoreVolumes(db, memory);
}

/** Hours in the order of time; those before the bound, which only matter to budgets over all time, in one sum for each key and label. */
const HOURS = `SELECT max(r.hour_ms) AS startMs, r.test, p.workspace_id AS workspaceId, r.project_id AS projectId, r.key_id AS keyId,
  NULL AS endUser, NULL AS ip, r.model AS label, sum(r.cost_nano_usd) AS cost
  FROM usage_rollups r JOIN projects p ON p.id = r.project_id WHERE r.cost_nano_usd > 0
  GROUP BY iif(r.hour_ms < ?, 0, r.hour_ms), r.test, r.project_id, r.key_id, r.model ORDER BY 1`;

/** Brings back what hours hold beyond the recent rows, at the latest moment at which it can have settled. */
function restoreHours(db: Database, memory: LedgerState, { keys, earlierUntilMs }: RecentSpend): void {
  const sums = db.prepare<SumRow, [number]>(HOURS);
  const rows = sums.all(dayStart(earlierUntilMs - KEPT_MS));
  sums.finalize();
  for (const row of rows) {
    const { startMs, label } = row;
    const who = belongingOfRow(row);
    const costNanoUsd = row.cost - keys.spentBetween(who, String(row.keyId), label, startMs, startMs + HOUR_MS);
    if (costNanoUsd > 0) memory.restoreSpend({ who, label, costNanoUsd, atMs: Math.min(startMs + HOUR_MS - 1, earlierUntilMs) });
  }
}

function restoreVolumes(db: Database, memory: LedgerState): void {
  const months = valuesOf<[test: number, workspaceId: number, startMs: number, requests: number, credits: number]>(
    db,
    `SELECT test, CAST(scope_id AS INTEGER), period_start_ms, requests, credits
     FROM balances WHERE scope = 'workspace' ORDER BY period_start_ms`,
  );
  for (const [test, workspaceId, monthStartMs, requests, credits] of months)
    memory.restoreVolume({
      environmentTest: test === 1,
      workspaceId,
      monthStartMs,
      includedRequests: requests - credits,
      creditRequests: credits,
    });
}
