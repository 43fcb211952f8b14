import type { Database } from 'bun:sqlite';
import type { Belonging } from '../../domain/state.ts';
import type { LedgerState } from '../state.ts';
import type { RestoredSpend } from '../state/restore.ts';
import { dayStart, hourStart, KEPT_MS } from './periods.ts';
import type { Checkpoint } from './protocol.ts';
import { recentSpend } from './recover-recent.ts';
import { belongingOfRow, endUserOf, valuesOf, type BelongingRow, type Workspaces } from './recover-windows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Sums of the table of an hour or a day, under the key that recent rows are taken off by. */
interface SumRow extends Omit<BelongingRow, 'endUser'> {
  readonly startMs: number;
  /** `project:user`, or null where no user is meant. */
  readonly scopeId: string | null;
  readonly label: string;
  readonly cost: number;
}

/**
 * Brings spend and volume back: what was settled lately from its rows, before it the sums of `usage_rollups` and `balances`.
 * What is in both is taken off the sums.
 */
export function restoreSpend(db: Database, memory: LedgerState, checkpoint: Checkpoint, workspaces: Workspaces, nowMs: number): void {
  const { fromMs, spends } = recentSpend(db, checkpoint, workspaces, nowMs);
  for (const spend of remainders(db, HOURS, HOUR_MS, hoursOf(spends), fromMs)) memory.restoreSpend(spend);
  for (const spend of remainders(db, USER_DAYS, DAY_MS, userDaysOf(spends), fromMs)) memory.restoreUserSpend(spend);
  for (const spend of spends) {
    memory.restoreSettled(spend);
    memory.restoreUserSpend(spend);
  }
  restoreVolumes(db, memory);
}

/** Hours in the order of time; those before the bound, which only matter to budgets over all time, in one sum for each key and label. */
const HOURS = `SELECT max(r.hour_ms) AS startMs, r.test, p.workspace_id AS workspaceId, r.project_id AS projectId, r.key_id AS keyId,
  NULL AS scopeId, NULL AS ip, r.model AS label, sum(r.cost_nano_usd) AS cost
  FROM usage_rollups r JOIN projects p ON p.id = r.project_id WHERE r.cost_nano_usd > 0
  GROUP BY iif(r.hour_ms < ?, 0, r.hour_ms), r.test, r.project_id, r.key_id, r.model ORDER BY 1`;

/** The same for days of end users; their balance is kept under `project:user`. */
const USER_DAYS = `SELECT max(b.period_start_ms) AS startMs, b.test, p.workspace_id AS workspaceId, p.id AS projectId, 0 AS keyId,
  b.scope_id AS scopeId, NULL AS ip, b.model AS label, sum(b.settled_nano_usd) AS cost
  FROM balances b JOIN projects p ON p.id = CAST(substr(b.scope_id, 1, instr(b.scope_id, ':') - 1) AS INTEGER)
  WHERE b.scope = 'user' AND b.settled_nano_usd > 0
  GROUP BY iif(b.period_start_ms < ?, 0, b.period_start_ms), b.test, b.scope_id, b.model ORDER BY 1`;

/** What the sums hold beyond the recent rows, at the latest moment at which it can have settled. */
function* remainders(
  db: Database,
  sql: string,
  lengthMs: number,
  recent: Map<string, number>,
  recentFromMs: number,
): IterableIterator<RestoredSpend> {
  const boundMs = dayStart(recentFromMs - KEPT_MS);
  const sums = db.prepare<SumRow, [number]>(sql);
  const rows = sums.all(boundMs);
  sums.finalize();
  for (const row of rows) {
    const who = belongingOfRow({ ...row, endUser: row.scopeId && endUserOf(row.scopeId) });
    const costNanoUsd = row.cost - (recent.get(nameOf(row.startMs, who, row.label)) ?? 0);
    if (costNanoUsd > 0) yield { who, label: row.label, costNanoUsd, atMs: Math.min(row.startMs + lengthMs - 1, recentFromMs) };
  }
}

function hoursOf(spends: readonly RestoredSpend[]): Map<string, number> {
  return summed(spends, ({ who, label, atMs }) => nameOf(hourStart(atMs), { ...who, endUser: null }, label));
}

function userDaysOf(spends: readonly RestoredSpend[]): Map<string, number> {
  return summed(spends, ({ who, label, atMs }) => nameOf(dayStart(atMs), { ...who, keyId: 0, endUser: who.endUser ?? '' }, label));
}

function summed(spends: readonly RestoredSpend[], name: (spend: RestoredSpend) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const spend of spends) {
    const key = name(spend);
    sums.set(key, (sums.get(key) ?? 0) + spend.costNanoUsd);
  }
  return sums;
}

function nameOf(startMs: number, who: Belonging, label: string): string {
  // Both ends are free texts: without the length one pair could pass for another.
  return `${startMs} ${who.environmentTest} ${who.projectId} ${who.keyId} ${label.length} ${label} ${who.endUser ?? ''}`;
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
