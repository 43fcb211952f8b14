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
  const boundMs = dayStart(fromMs - KEPT_MS);
  for (const spend of remainders(hours(db, boundMs), HOUR_MS, hoursOf(spends), fromMs)) memory.restoreSpend(spend);
  for (const spend of remainders(userDays(db, workspaces, boundMs), DAY_MS, userDaysOf(spends), fromMs)) memory.restoreUserSpend(spend);
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

function hours(db: Database, boundMs: number): SumRow[] {
  const sums = db.prepare<SumRow, [number]>(HOURS);
  const rows = sums.all(boundMs);
  sums.finalize();
  return rows;
}

/**
 * The same for days of end users; their balance is kept under `project:user`. There may be very many on one day: a day is one row for each
 * already, so only those before the bound are summed, and nothing is joined or sorted by SQLite.
 */
const USER_DAYS = [
  `SELECT max(period_start_ms), test, scope_id, model, sum(settled_nano_usd) FROM balances
   WHERE scope = 'user' AND settled_nano_usd > 0 AND period_start_ms < ? GROUP BY scope_id, test, model`,
  `SELECT period_start_ms, test, scope_id, model, settled_nano_usd FROM balances
   WHERE scope = 'user' AND settled_nano_usd > 0 AND period_start_ms >= ?`,
];

type UserDay = [startMs: number, test: number, scopeId: string, label: string, cost: number];

function* userDays(db: Database, workspaces: Workspaces, boundMs: number): IterableIterator<SumRow> {
  const days = USER_DAYS.flatMap((sql) => valuesOf<UserDay>(db, sql, boundMs));
  for (const [startMs, test, scopeId, label, cost] of days.sort(([a], [b]) => a - b)) {
    const projectId = Number(scopeId.slice(0, scopeId.indexOf(':')));
    const workspaceId = workspaces.get(projectId);
    if (workspaceId !== undefined) yield { startMs, test, workspaceId, projectId, keyId: 0, scopeId, ip: null, label, cost };
  }
}

/** What the sums hold beyond the recent rows, at the latest moment at which it can have settled. */
function* remainders(
  rows: Iterable<SumRow>,
  lengthMs: number,
  recent: Map<string, number>,
  recentFromMs: number,
): IterableIterator<RestoredSpend> {
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
