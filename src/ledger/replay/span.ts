import type { Database } from 'bun:sqlite';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { decisions, settlements } from '../../../db/schema.ts';
import { firstSeqFrom } from '../sqlite/time-search.ts';

/** A stretch of the ledger: rows from `fromSeq` on and before `toSeq` are played, what is before `fromSeq` is only remembered. */
export interface Span {
  readonly fromSeq: number;
  /** Ledger time that the stretch begins with, milliseconds since 1970: no row before `fromSeq` is younger. */
  readonly fromMs: number;
  readonly toSeq: number;
  /** One past the last seq of the ledger when the replay began. */
  readonly endSeq: number;
}

/** The stretch between two moments, milliseconds since 1970. Ledger time never goes back along seq, over all tables. */
export function spanBetween(db: Database, fromMs: number, toMs: number): Span {
  const endSeq = (oneNumber(db, 'SELECT last_seq AS value FROM checkpoint', []) ?? 0) + 1;
  const fromSeq = Math.min(seqFrom(db, fromMs), endSeq);
  const toSeq = Math.max(fromSeq, Math.min(seqFrom(db, toMs), endSeq));
  const younger = 'SELECT 1 AS value FROM decisions WHERE seq >= ?1 UNION ALL SELECT 1 FROM settlements WHERE seq >= ?1 LIMIT 1';
  // What operators did after the last request belongs to the end.
  return { fromSeq, fromMs, toSeq: oneNumber(db, younger, [toSeq]) === null ? endSeq : toSeq, endSeq };
}

/** One past the last seq of a decision or settlement that is older than `fromMs`: what is before it is older, what comes after is not. */
export function seqFrom(db: Database, fromMs: number): number {
  return Math.max(pastOlder(db, 'decisions', fromMs), pastOlder(db, 'settlements', fromMs));
}

function pastOlder(db: Database, name: 'decisions' | 'settlements', fromMs: number): number {
  const seq = firstSeqFrom(drizzle(db), name === 'decisions' ? decisions : settlements, fromMs);
  const hasOlder = oneNumber(db, `SELECT 1 AS value FROM ${name} WHERE seq < ? LIMIT 1`, [seq]) !== null;
  return hasOlder ? seq : 0;
}

/** One number that a statement named `value` selects, or null. */
export function oneNumber(db: Database, sql: string, bindings: number[]): number | null {
  const statement = db.prepare<{ value: number | null }, number[]>(sql);
  const value = statement.get(...bindings)?.value ?? null;
  statement.finalize();
  return value;
}
