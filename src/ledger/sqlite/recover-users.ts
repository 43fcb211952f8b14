import type { Database } from 'bun:sqlite';
import type { LedgerState } from '../state.ts';
import { dayStart, KEPT_MS } from './periods.ts';
import type { RecentSpend } from './recover-recent.ts';
import { endUserOf, valuesOf, type Workspaces } from './recover-windows.ts';

const DAY_MS = 86_400_000;

/**
 * Days of end users; their balance is kept under `project:user`. There may be very many on one day: a day is one row for each already, so
 * only those before the bound are summed, and nothing is joined or sorted by SQLite.
 */
const BEFORE = `SELECT max(period_start_ms), test, scope_id, model, sum(settled_nano_usd) FROM balances
  WHERE scope = 'user' AND settled_nano_usd > 0 AND period_start_ms < ? GROUP BY scope_id, test, model`;
const SINCE = `SELECT period_start_ms, test, scope_id, model, settled_nano_usd FROM balances
  WHERE scope = 'user' AND settled_nano_usd > 0 AND period_start_ms >= ?`;

/** A budget of end users over all time, in a policy that is in force. */
const OVER_ALL_TIME = `SELECT 1 FROM policies p, json_each(p.document, '$.budgets') b
  WHERE p.seq IN (SELECT max(seq) FROM policies GROUP BY workspace_id, project_id)
  AND b.value ->> 'scope' = 'user' AND coalesce(b.value ->> 'period', 'total') = 'total' LIMIT 1`;

type UserDay = [startMs: number, test: number, scopeId: string, label: string, cost: number];

/** Brings back what end users spent in days, less what is among the recent spends. */
export function restoreUserDays(db: Database, memory: LedgerState, workspaces: Workspaces, recent: RecentSpend): void {
  const days = daysIn(db, memory, dayStart(recent.earlierUntilMs - KEPT_MS));
  const recentFromMs = dayStart(recent.earlierUntilMs);
  for (const [startMs, test, scopeId, label, cost] of days.sort((a, b) => a[0] - b[0])) {
    const projectId = Number(scopeId.slice(0, scopeId.indexOf(':')));
    const workspaceId = workspaces.get(projectId);
    if (workspaceId === undefined) continue;
    const endUser = endUserOf(scopeId);
    const who = { environmentTest: test === 1, workspaceId, projectId, keyId: 0, endUser, sender: null };
    const counted = startMs < recentFromMs ? 0 : recent.users.spentBetween(who, endUser, label, startMs, startMs + DAY_MS);
    const costNanoUsd = cost - counted;
    const atMs = Math.min(startMs + DAY_MS - 1, recent.earlierUntilMs);
    if (costNanoUsd > 0) memory.restoreUserSpend({ who, label, costNanoUsd, atMs });
  }
}

/**
 * What is before the bound only matters to budgets over all time. Where there is one, nobody is forgotten from now on; where there is
 * none, those of long ago must not take the room of those who matter.
 */
function daysIn(db: Database, memory: LedgerState, boundMs: number): UserDay[] {
  const before = valuesOf<UserDay>(db, BEFORE, boundMs);
  const since = valuesOf<UserDay>(db, SINCE, boundMs);
  const matters = valuesOf(db, OVER_ALL_TIME).length > 0;
  if (matters) memory.rememberUsers();
  if (before.length === 0) return since;
  const all = before.concat(since);
  return matters || new Set(all.map(([, , scopeId]) => scopeId)).size <= memory.userCapacity ? all : since;
}
