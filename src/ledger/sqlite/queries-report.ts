/** What a monthly report is made of. All of live keys only: test keys spend nothing. */
import { and, asc, countDistinct, eq, gte, lt, sql, sum } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { CorrectionLine, DoubtLine, DoubtPage, Span, SpendLine } from '../archive-store.ts';
import { BASES, codeOf, UNSURE, valueOf } from './codes.ts';
import { usage } from './queries-usage.ts';
import { firstSeqFrom } from './time-search.ts';

const { archivedDoubts, corrections, decisions, settlements } = schema;

/** Seqs of settlements that are looked through at once: a few thousandths of a second. */
const PAGE_SEQS = 8_192;

/** What was used and denied in a span of whole hours, by project, model and how it ended. */
export function spend(db: BunSQLiteDatabase, span: Span): SpendLine[] {
  const lines = usage(db, { ...span, groupBy: ['project', 'model', 'reason'], environment: 'live' });
  return lines.map(({ projectId, model, reason, ...sums }) => ({ projectId: projectId!, model: model!, reason: reason!, ...sums }));
}

/** Settlements without the provider's own figures that nobody corrected, from a part of the span of whole hours. Pruned ones come first. */
export function doubts(db: BunSQLiteDatabase, { fromMs, toMs, fromSeq }: Span & { readonly fromSeq: number }): DoubtPage {
  const pruned = fromSeq === 0 ? UNSURE.flatMap((basis) => archived(db, { fromMs, toMs }, basis).map((sum) => ({ ...sum, basis }))) : [];
  const from = fromSeq === 0 ? firstSeqFrom(db, settlements, fromMs) : fromSeq;
  const end = firstSeqFrom(db, settlements, toMs);
  if (from >= end) return { lines: pruned, nextSeq: null };
  const to = Math.min(from + PAGE_SEQS, end);
  return { lines: [...pruned, ...doubtsBetween(db, from, to)], nextSeq: to === end ? null : to };
}

/** What was pruned of a kind, by project. */
function archived(db: BunSQLiteDatabase, { fromMs, toMs }: Span, kind: (typeof archivedDoubts.kind.enumValues)[number]) {
  const { projectId, hourMs, requests, costNanoUsd } = archivedDoubts;
  return db
    .select({ projectId, requests: sum(requests).mapWith(Number), costNanoUsd: sum(costNanoUsd).mapWith(Number) })
    .from(archivedDoubts)
    .where(and(eq(archivedDoubts.kind, kind), gte(hourMs, fromMs), lt(hourMs, toMs)))
    .groupBy(projectId)
    .all();
}

function doubtsBetween(db: BunSQLiteDatabase, from: number, to: number): DoubtLine[] {
  const unsure = UNSURE.map((basis) => codeOf(BASES, basis));
  const rows = db
    .select({
      projectId: decisions.projectId,
      basis: settlements.basis,
      requests: sql<number>`count(*)`,
      costNanoUsd: sum(settlements.costNanoUsd).mapWith(Number),
    })
    .from(settlements)
    .innerJoin(decisions, eq(decisions.seq, settlements.decisionSeq))
    .where(
      and(
        gte(settlements.seq, from),
        lt(settlements.seq, to),
        sql`+${settlements.basis} IN ${unsure}`,
        eq(decisions.test, 0),
        sql`NOT EXISTS (SELECT 1 FROM ${corrections} WHERE ${corrections.decisionSeq} = ${settlements.decisionSeq})`,
      ),
    )
    .groupBy(decisions.projectId, settlements.basis)
    .all();
  return rows.map((row) => ({ ...row, basis: valueOf(BASES, row.basis) }));
}

/** Corrections of what settled in a span of whole hours: the newest of each decision, against what it settled at. */
export function correctionsIn(db: BunSQLiteDatabase, span: Span): CorrectionLine[] {
  const pruned = archived(db, span, 'corrected').map(({ projectId, requests, costNanoUsd }) => ({
    projectId,
    corrections: requests,
    differenceNanoUsd: costNanoUsd,
  }));
  return [...pruned, ...standingCorrections(db, span)];
}

function standingCorrections(db: BunSQLiteDatabase, { fromMs, toMs }: Span): CorrectionLine[] {
  return db
    .select({
      projectId: decisions.projectId,
      corrections: countDistinct(corrections.decisionSeq),
      differenceNanoUsd: sum(sql`${corrections.costNanoUsd} - ${settlements.costNanoUsd}`).mapWith(Number),
    })
    .from(corrections)
    .innerJoin(settlements, eq(settlements.decisionSeq, corrections.decisionSeq))
    .innerJoin(decisions, eq(decisions.seq, corrections.decisionSeq))
    .where(
      and(
        gte(settlements.atMs, fromMs),
        lt(settlements.atMs, toMs),
        eq(decisions.test, 0),
        sql`${corrections.seq} = (SELECT max(c.seq) FROM ${corrections} c WHERE c.decision_seq = ${corrections.decisionSeq})`,
      ),
    )
    .groupBy(decisions.projectId)
    .orderBy(asc(decisions.projectId))
    .all();
}
