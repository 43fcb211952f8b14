/** What operators say that requests cost in truth: append-only, the newest of a decision counts. */
import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { Correction, RecordedDecision } from '../store.ts';
import { OUTCOMES, valueOf } from './codes.ts';
import type { CommandContext } from './commands.ts';
import { labelOf } from './label.ts';
import { dayStart, hourStart } from './periods.ts';

const { corrections, decisions, settlements, usageRollups, balances } = schema;

/** What a settlement `s` counts for: SQL for who sums costs. */
export const COST_IN_FORCE = `coalesce((SELECT c.cost_nano_usd FROM corrections c WHERE c.decision_seq = s.decision_seq
  ORDER BY c.seq DESC LIMIT 1), s.cost_nano_usd)`;

/** A correction with what it changes, and where. */
export interface MadeCorrection extends Correction {
  /** New cost less the cost that counted before. */
  readonly deltaNanoUsd: number;
  /** When the decision settled: its periods take the difference. */
  readonly settledAtMs: number;
}

/** Stores a correction and moves the derived tables by the difference. Null for what is not settled. */
export function correct(
  { db, seq, atMs }: CommandContext,
  args: { decisionSeq: number; costNanoUsd: number; note: string; author: string },
): MadeCorrection | null {
  const { decisionSeq, costNanoUsd } = args;
  const settled = db
    .select({ decision: decisions, settlement: settlements })
    .from(settlements)
    .innerJoin(decisions, eq(decisions.seq, settlements.decisionSeq))
    .where(eq(settlements.decisionSeq, decisionSeq))
    .get();
  if (!settled) return null;
  const before = db.select().from(corrections).where(eq(corrections.decisionSeq, decisionSeq)).orderBy(desc(corrections.seq)).get();
  const deltaNanoUsd = costNanoUsd - (before?.costNanoUsd ?? settled.settlement.costNanoUsd);
  const made = db
    .insert(corrections)
    .values({ seq, ...args, atMs })
    .returning()
    .get();
  moveSums(db, settled, deltaNanoUsd);
  return { ...made, deltaNanoUsd, settledAtMs: settled.settlement.atMs };
}

/** The correction that `now` has and `before` had not, as `correct` would have told it; null when there is none. */
export function correctionSince(before: RecordedDecision, now: RecordedDecision | null): MadeCorrection | null {
  if (now?.settlement == null || now.correction === undefined || now.correction.seq === before.correction?.seq) return null;
  const costBefore = before.correction?.costNanoUsd ?? now.settlement.costNanoUsd;
  return { ...now.correction, deltaNanoUsd: now.correction.costNanoUsd - costBefore, settledAtMs: now.settlement.atMs };
}

interface Settled {
  readonly decision: typeof decisions.$inferSelect;
  readonly settlement: typeof settlements.$inferSelect;
}

function moveSums(db: BunSQLiteDatabase, { decision, settlement }: Settled, deltaNanoUsd: number): void {
  const { projectId, keyId, test } = decision;
  const model = labelOf(decision);
  db.update(usageRollups)
    .set({ costNanoUsd: sql`${usageRollups.costNanoUsd} + ${deltaNanoUsd}` })
    .where(
      and(
        eq(usageRollups.hourMs, hourStart(settlement.atMs)),
        eq(usageRollups.projectId, projectId),
        eq(usageRollups.keyId, keyId),
        eq(usageRollups.test, test),
        eq(usageRollups.model, model),
        eq(usageRollups.country, decision.country ?? ''),
        eq(usageRollups.reason, valueOf(OUTCOMES, settlement.outcome)),
      ),
    )
    .run();
  db.update(balances)
    .set({ settledNanoUsd: sql`${balances.settledNanoUsd} + ${deltaNanoUsd}` })
    .where(
      and(
        eq(balances.scope, 'user'),
        eq(balances.scopeId, `${projectId}:${decision.endUser ?? ''}`),
        eq(balances.test, test),
        eq(balances.periodStartMs, dayStart(settlement.atMs)),
        eq(balances.model, model),
      ),
    )
    .run();
}

/** The newest correction of each of these decisions, by seq of the decision. */
export function correctionsOf(db: BunSQLiteDatabase, decisionSeqs: readonly number[]): Map<number, Correction> {
  if (decisionSeqs.length === 0) return new Map();
  const rows = db
    .select()
    .from(corrections)
    .where(inArray(corrections.decisionSeq, [...decisionSeqs]))
    .orderBy(corrections.seq)
    .all();
  return new Map(rows.map((row) => [row.decisionSeq, row]));
}
