/** Lists that operators read, on a read-only connection. */
import { and, desc, eq, getTableColumns, gte, inArray, isNotNull, isNull, lt, sql, type SQL } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { CreditEntry, DecisionFilter, Owner, Page, PolicyVersion, RecordedDecision, StoredAuditEvent } from '../store.ts';
import { correctionsOf } from './corrections.ts';
import { decodeDecision, decodeSettlement, type DecisionRecord } from './decode.ts';
import { toAuditEvent } from './records.ts';
import { firstSeqFrom } from './time-search.ts';

const { decisions, settlements, projects, policies, auditEvents, creditEntries } = schema;

/** Every column that a decision is decoded from. A 64-bit fingerprint does not fit a number, so it comes as text. */
const decisionColumns = {
  ...getTableColumns(decisions),
  fingerprint: sql<string>`CAST(${decisions.fingerprint} AS TEXT)`,
  workspaceId: projects.workspaceId,
};

/** Decisions with how they ended, newest first. `where` may speak of decisions and settlements. */
export function recordedWhere(db: BunSQLiteDatabase, where: SQL | undefined, limit: number): RecordedDecision[] {
  const rows = db
    .select({ decision: decisionColumns, settlement: getTableColumns(settlements) })
    .from(decisions)
    .innerJoin(projects, eq(projects.id, decisions.projectId))
    .leftJoin(settlements, eq(settlements.decisionSeq, decisions.seq))
    .where(where)
    .orderBy(desc(decisions.seq))
    .limit(limit)
    .all();
  const corrections = correctionsOf(
    db,
    rows.map(({ decision }) => decision.seq),
  );
  return rows.map(({ decision, settlement }) => {
    const correction = corrections.get(decision.seq);
    return {
      decision: decodeDecision(decision satisfies DecisionRecord),
      count: decision.count,
      settlement: settlement === null ? null : { ...decodeSettlement(settlement), seq: settlement.seq, atMs: settlement.atMs },
      ...(correction === undefined ? {} : { correction }),
    };
  });
}

/** Newest first; one more than asked for is read, to know whether there is a next page. */
export function listDecisions(
  db: BunSQLiteDatabase,
  { filter, cursor, limit }: { filter: DecisionFilter; cursor: number | null; limit: number },
): Page<RecordedDecision> {
  const { workspaceId, projectId } = filter;
  const where = and(cursor === null ? undefined : lt(decisions.seq, cursor), wantedDecisions(db, filter));
  const seqOf = (item: RecordedDecision) => item.decision.seq;
  if (workspaceId === undefined) return page(recordedWhere(db, where, limit + 1), limit, seqOf);
  if (projectId !== undefined) return page(recordedWhere(db, and(where, eq(projects.workspaceId, workspaceId)), limit + 1), limit, seqOf);
  return page(recordedWhere(db, inArray(decisions.seq, newestOf(db, workspaceId, where, limit + 1)), limit + 1), limit, seqOf);
}

/** What a filter says of decisions, but for the workspace: that one belongs to their project. */
export function wantedDecisions(db: BunSQLiteDatabase, filter: DecisionFilter): SQL | undefined {
  const { projectId, keyId, allowed, reason, model, environment, observed, fromMs, toMs } = filter;
  return and(
    projectId === undefined ? undefined : eq(decisions.projectId, projectId),
    keyId === undefined ? undefined : eq(decisions.keyId, keyId),
    allowed === undefined ? undefined : allowed ? isNull(decisions.reason) : isNotNull(decisions.reason),
    reason === undefined ? undefined : eq(decisions.reason, reason),
    model === undefined ? undefined : eq(decisions.model, model),
    environment === undefined ? undefined : eq(decisions.test, environment === 'test' ? 1 : 0),
    observed === undefined ? undefined : observed ? isNotNull(decisions.observed) : isNull(decisions.observed),
    fromMs === undefined ? undefined : gte(decisions.seq, firstSeqFrom(db, decisions, fromMs)),
    toMs === undefined ? undefined : lt(decisions.seq, firstSeqFrom(db, decisions, toMs)),
  );
}

/** The newest seqs of a workspace. Project by project, each along its index: SQLite would sort all that the workspace ever asked. */
function newestOf(db: BunSQLiteDatabase, workspaceId: number, where: SQL | undefined, limit: number): number[] {
  const ofWorkspace = db.select({ id: projects.id }).from(projects).where(eq(projects.workspaceId, workspaceId)).all();
  const seqs = ofWorkspace.flatMap(({ id }) =>
    db
      .select({ seq: decisions.seq })
      .from(decisions)
      .where(and(eq(decisions.projectId, id), where))
      .orderBy(desc(decisions.seq))
      .limit(limit)
      .all()
      .map(({ seq }) => seq),
  );
  return seqs.toSorted((a, b) => b - a).slice(0, limit);
}

/** One decision, or null: also when it is of another workspace than the one asked for. */
export function getDecision(
  db: BunSQLiteDatabase,
  { seq, workspaceId }: { seq: number; workspaceId?: number | undefined },
): RecordedDecision | null {
  const inside = workspaceId === undefined ? undefined : eq(projects.workspaceId, workspaceId);
  return recordedWhere(db, and(eq(decisions.seq, seq), inside), 1)[0] ?? null;
}

/** The project that the newest settlement with this response id belongs to, or null. */
export function projectOfResponse(db: BunSQLiteDatabase, responseId: string): number | null {
  const row = db
    .select({ projectId: decisions.projectId })
    .from(settlements)
    .innerJoin(decisions, eq(decisions.seq, settlements.decisionSeq))
    .where(and(eq(settlements.responseId, responseId), isNotNull(settlements.responseId)))
    .orderBy(desc(settlements.seq))
    .get();
  return row?.projectId ?? null;
}

/** Newest first. */
export function listAudit(
  db: BunSQLiteDatabase,
  { cursor, limit, workspaceId }: { cursor: number | null; limit: number; workspaceId?: number | undefined },
): Page<StoredAuditEvent> {
  const where = and(
    cursor === null ? undefined : lt(auditEvents.seq, cursor),
    workspaceId === undefined ? undefined : eq(auditEvents.workspaceId, workspaceId),
  );
  const rows = db
    .select()
    .from(auditEvents)
    .where(where)
    .orderBy(desc(auditEvents.seq))
    .limit(limit + 1)
    .all();
  return page(rows.map(toAuditEvent), limit, (event) => event.seq);
}

/** Every version, newest first. */
export function listPolicies(db: BunSQLiteDatabase, owner: Owner): PolicyVersion[] {
  const where = 'workspaceId' in owner ? eq(policies.workspaceId, owner.workspaceId) : eq(policies.projectId, owner.projectId);
  return db.select().from(policies).where(where).orderBy(desc(policies.version)).all();
}

/** Newest first. */
export function listCredits(db: BunSQLiteDatabase, workspaceId: number): CreditEntry[] {
  return db.select().from(creditEntries).where(eq(creditEntries.workspaceId, workspaceId)).orderBy(desc(creditEntries.seq)).all();
}

/** A page of `limit` items, of a query that asked for one more. The cursor is the number of its last item. */
export function page<Item>(items: Item[], limit: number, numberOf: (item: Item) => number): Page<Item> {
  if (items.length <= limit) return { items, nextCursor: null };
  const shown = items.slice(0, limit);
  return { items: shown, nextCursor: numberOf(shown[shown.length - 1]!) };
}
