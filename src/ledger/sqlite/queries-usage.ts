import { and, eq, gte, inArray, lt, sql, sum, type SQL } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { UsageFilter, UsageGroup, UsageLine } from '../store.ts';
import { hourStart } from './periods.ts';

const { usageRollups: rollups, projects } = schema;

/** What each grouping is in SQL, and what the field of the answer is called. */
const GROUPS: Record<UsageGroup, { field: keyof UsageLine; of: SQL }> = {
  day: { field: 'dayMs', of: sql`${rollups.hourMs} - ${rollups.hourMs} % 86400000` },
  hour: { field: 'hourMs', of: sql`${rollups.hourMs}` },
  // A request with fallbacks is kept under all its models; people look for the one that they asked for.
  // `substr` ends a text at U+0000: a name without fallbacks is left whole.
  model: {
    field: 'model',
    of: sql`iif(instr(${rollups.model}, ',') = 0, ${rollups.model}, substr(${rollups.model}, 1, instr(${rollups.model}, ',') - 1))`,
  },
  project: { field: 'projectId', of: sql`${rollups.projectId}` },
  key: { field: 'keyId', of: sql`${rollups.keyId}` },
  reason: { field: 'reason', of: sql`${rollups.reason}` },
  country: { field: 'country', of: sql`${rollups.country}` },
  environment: { field: 'environment', of: sql`iif(${rollups.test}, 'test', 'live')` },
};

const total = (column: SQL | (typeof rollups)[(keyof typeof rollups & `${string}okens`) | 'requests' | 'costNanoUsd']) =>
  sum(column).mapWith(Number);

/** Sums of the rollups by the groups asked for. Times are rounded to the hour that they are in. */
export function usage(db: BunSQLiteDatabase, filter: UsageFilter): UsageLine[] {
  const groups = filter.groupBy.map((name) => GROUPS[name]);
  const fields = Object.fromEntries(groups.map(({ field, of }) => [field, of.as(field)]));
  return db
    .select({
      ...fields,
      requests: total(rollups.requests),
      inputTokens: total(rollups.inputTokens),
      cachedInputTokens: total(rollups.cachedInputTokens),
      outputTokens: total(rollups.outputTokens),
      costNanoUsd: total(rollups.costNanoUsd),
    })
    .from(rollups)
    .where(wantedUsage(db, filter))
    .groupBy(...groups.map(({ of }) => of))
    .orderBy(...groups.map(({ of }) => of))
    .all();
}

/** What a filter says of rollups. */
export function wantedUsage(db: BunSQLiteDatabase, filter: UsageFilter): SQL | undefined {
  const { fromMs, toMs, workspaceId, projectId, keyId, environment } = filter;
  const ofWorkspace = db
    .select({ id: projects.id })
    .from(projects)
    .where(eq(projects.workspaceId, workspaceId ?? 0));
  return and(
    fromMs === undefined ? undefined : gte(rollups.hourMs, hourStart(fromMs)),
    toMs === undefined ? undefined : lt(rollups.hourMs, toMs),
    workspaceId === undefined ? undefined : inArray(rollups.projectId, ofWorkspace),
    projectId === undefined ? undefined : eq(rollups.projectId, projectId),
    keyId === undefined ? undefined : eq(rollups.keyId, keyId),
    environment === undefined ? undefined : eq(rollups.test, environment === 'test' ? 1 : 0),
  );
}
