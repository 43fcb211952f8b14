/** What alerts read, on a read-only connection. */
import { and, asc, count, desc, eq, gt, inArray, isNotNull, lt, lte, max, min, ne, notInArray, sql, type SQL } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { alertDeliveries } from '../../../db/schema-alerts.ts';
import { decisions, settlements } from '../../../db/schema.ts';
import type { DeliveryCounts, DeliveryFilter, DueDeliveries, LookBack, SeenUser, SettledDelivery, StoredDelivery } from '../alert-store.ts';
import type { Page, RecordedDecision } from '../store.ts';
import { page, recordedWhere } from './queries-lists.ts';

const BUDGET_REASONS = ['key_budget', 'user_budget', 'project_budget', 'workspace_budget'];
/** How far back a look without a beginning goes: far more than can have been unnoticed before a crash. */
const LOOK_BACK_ROWS = 5_000;
const MOST_ROWS = 1_000;

/** Pending deliveries whose time has come, oldest first, and when the next of the others is due. */
export function dueDeliveries(
  db: BunSQLiteDatabase,
  question: { nowMs: number; limit: number; busyAlertIds: readonly number[]; busyIds: readonly string[] },
): DueDeliveries {
  const { nowMs, limit, busyAlertIds, busyIds } = question;
  const free = and(
    eq(alertDeliveries.state, 'pending'),
    notInArray(alertDeliveries.alertId, [...busyAlertIds]),
    notInArray(alertDeliveries.publicId, [...busyIds]),
  );
  const rows = db
    .select()
    .from(alertDeliveries)
    .where(and(free, lte(alertDeliveries.nextAttemptAtMs, nowMs)))
    .orderBy(asc(alertDeliveries.nextAttemptAtMs), asc(alertDeliveries.id))
    .limit(limit)
    .all();
  const later = db
    .select({ atMs: min(alertDeliveries.nextAttemptAtMs) })
    .from(alertDeliveries)
    .where(and(eq(alertDeliveries.state, 'pending'), gt(alertDeliveries.nextAttemptAtMs, nowMs)))
    .get();
  return { rows, nextAtMs: rows.length === limit ? nowMs : (later?.atMs ?? null) };
}

/** Newest first. */
export function listDeliveries(
  db: BunSQLiteDatabase,
  { filter, cursor, limit }: { filter: DeliveryFilter; cursor: number | null; limit: number },
): Page<StoredDelivery> {
  const where = and(
    cursor === null ? undefined : lt(alertDeliveries.id, cursor),
    filter.alertIds === undefined ? undefined : inArray(alertDeliveries.alertId, [...filter.alertIds]),
    filter.state === undefined ? undefined : eq(alertDeliveries.state, filter.state),
  );
  const rows = db
    .select()
    .from(alertDeliveries)
    .where(where)
    .orderBy(desc(alertDeliveries.id))
    .limit(limit + 1)
    .all();
  return page(rows, limit, ({ id }) => id);
}

/** How many deliveries there are of each state. */
export function deliveryCounts(db: BunSQLiteDatabase): DeliveryCounts {
  const rows = db.select({ state: alertDeliveries.state, count: count() }).from(alertDeliveries).groupBy(alertDeliveries.state).all();
  return { pending: 0, delivered: 0, failed: 0, ...Object.fromEntries(rows.map((row) => [row.state, row.count])) };
}

/** Old rows of the outbox that wait for nothing. */
export function settledDeliveries(
  db: BunSQLiteDatabase,
  { beforeMs, afterId, limit }: { beforeMs: number; afterId: number; limit: number },
): SettledDelivery[] {
  const { id, alertId, type, dedupeKey, state, createdAtMs } = alertDeliveries;
  return db
    .select({ id, alertId, type, dedupeKey })
    .from(alertDeliveries)
    .where(and(gt(id, afterId), lt(createdAtMs, beforeMs), ne(state, 'pending')))
    .orderBy(asc(id))
    .limit(limit)
    .all();
}

/** What each alert said last of each subject, among these types. */
export function newestDeliveries(db: BunSQLiteDatabase, types: readonly string[]) {
  const newest = db
    .select({ id: max(alertDeliveries.id).as('newest') })
    .from(alertDeliveries)
    .where(inArray(alertDeliveries.type, [...types]))
    .groupBy(alertDeliveries.alertId, alertDeliveries.subject);
  const { alertId, subject, type, dedupeKey, createdAtMs } = alertDeliveries;
  return db
    .select({ alertId, subject, type, dedupeKey, createdAtMs })
    .from(alertDeliveries)
    .where(inArray(alertDeliveries.id, newest))
    .all();
}

/** What the last rows of the ledger tell: denials by a budget, overruns, end users. */
export function lookBack(db: BunSQLiteDatabase): LookBack {
  const lastSeq =
    db
      .select({ seq: max(decisions.seq) })
      .from(decisions)
      .get()?.seq ?? 0;
  const lately = and(gt(decisions.seq, lastSeq - LOOK_BACK_ROWS), eq(decisions.test, 0));
  return { denials: budgetDenials(db, lately), overruns: overruns(db, lately), users: usersSeen(db, lately) };
}

/** The newest of each project, key, reason and end user. */
function budgetDenials(db: BunSQLiteDatabase, lately: SQL | undefined): RecordedDecision[] {
  const newest = db
    .select({ seq: max(decisions.seq).as('newest') })
    .from(decisions)
    .where(and(lately, inArray(decisions.reason, BUDGET_REASONS)))
    .groupBy(decisions.projectId, decisions.keyId, decisions.reason, decisions.endUser);
  return recordedWhere(db, inArray(decisions.seq, newest), MOST_ROWS);
}

function overruns(db: BunSQLiteDatabase, lately: SQL | undefined): RecordedDecision[] {
  return recordedWhere(db, and(lately, eq(settlements.overrun, 1)), MOST_ROWS).toReversed();
}

function usersSeen(db: BunSQLiteDatabase, lately: SQL | undefined): SeenUser[] {
  return db
    .selectDistinct({ projectId: decisions.projectId, endUser: sql<string>`${decisions.endUser}` })
    .from(decisions)
    .where(and(lately, isNotNull(decisions.endUser)))
    .all();
}
