/** What exports read: page by page, each a statement of its own, so that no view of the file holds up the writer's log. */
import { and, asc, eq, gte, lt, max, min, type SQL } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { ExportPage, ProjectName, UsagePage } from '../archive-store.ts';
import type { DecisionFilter, UsageFilter } from '../store.ts';
import { dayStart, hourStart } from './periods.ts';
import { recordedWhere, wantedDecisions } from './queries-lists.ts';
import { usage, wantedUsage } from './queries-usage.ts';

const { checkpoint, decisions, projects, usageRollups: rollups } = schema;

/** Seqs in a page: about two thousandths of a second of reading, however few of them the filter wants. */
const PAGE_SEQS = 512;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The last seq that is on disk. */
export function lastSeq(db: BunSQLiteDatabase): number {
  return db.select({ seq: checkpoint.lastSeq }).from(checkpoint).get()?.seq ?? 0;
}

/** Decisions from `fromSeq` up to `lastSeq` that the filter wants, oldest first; a page may be empty before the end. */
export function exportDecisions(
  db: BunSQLiteDatabase,
  args: { readonly filter: DecisionFilter; readonly fromSeq: number; readonly lastSeq: number },
): ExportPage {
  const first = db
    .select({ seq: decisions.seq })
    .from(decisions)
    .where(gte(decisions.seq, args.fromSeq))
    .orderBy(asc(decisions.seq))
    .limit(1);
  const from = first.get()?.seq ?? Infinity;
  if (from > args.lastSeq) return { rows: [], nextSeq: null };
  const to = Math.min(from + PAGE_SEQS, args.lastSeq + 1);
  const { workspaceId } = args.filter;
  const where = and(
    gte(decisions.seq, from),
    lt(decisions.seq, to),
    wantedDecisions(db, args.filter),
    workspaceId === undefined ? undefined : eq(projects.workspaceId, workspaceId),
  );
  return { rows: recordedWhere(db, where, PAGE_SEQS).toReversed(), nextSeq: to > args.lastSeq ? null : to };
}

/**
 * The usage of the first hour or day (whichever it is grouped by) that has some, from `fromMs` on. Grouped by neither,
 * it is all one page.
 */
export function exportUsage(
  db: BunSQLiteDatabase,
  { filter, fromMs }: { readonly filter: UsageFilter; readonly fromMs: number },
): UsagePage {
  const byHour = filter.groupBy.includes('hour');
  if (!byHour && !filter.groupBy.includes('day')) return { lines: usage(db, filter), nextMs: null };
  const wanted = wantedUsage(db, { ...filter, fromMs: Math.max(fromMs, filter.fromMs ?? 0) });
  const first = edge(db, min(rollups.hourMs), wanted);
  const last = edge(db, max(rollups.hourMs), wanted);
  if (first === null || last === null) return { lines: [], nextMs: null };
  const nextMs = byHour ? hourStart(first) + HOUR_MS : dayStart(first) + DAY_MS;
  const lines = usage(db, { ...filter, fromMs: first, toMs: Math.min(nextMs, filter.toMs ?? nextMs) });
  return { lines, nextMs: last < nextMs ? null : nextMs };
}

function edge(db: BunSQLiteDatabase, of: SQL<number | null>, where: SQL | undefined): number | null {
  return db.select({ hourMs: of }).from(rollups).where(where).get()?.hourMs ?? null;
}

/** Every project that ever was. */
export function projectNames(db: BunSQLiteDatabase): ProjectName[] {
  const { id, publicId, workspaceId, name } = projects;
  return db.select({ id, publicId, workspaceId, name }).from(projects).orderBy(asc(id)).all();
}
