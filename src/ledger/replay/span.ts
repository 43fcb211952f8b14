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
  return { fromSeq, fromMs, toSeq: Math.max(fromSeq, Math.min(seqFrom(db, toMs), endSeq)), endSeq };
}

/** A seq with no younger row before it and no older row after it. */
export function seqFrom(db: Database, fromMs: number): number {
  const orm = drizzle(db);
  const past = (oneNumber(db, 'SELECT last_seq AS value FROM checkpoint', []) ?? 0) + 1;
  const ofTable = (table: typeof decisions | typeof settlements): number => {
    const seq = firstSeqFrom(orm, table, fromMs);
    const isThere = oneNumber(db, `SELECT seq AS value FROM ${table === decisions ? 'decisions' : 'settlements'} WHERE seq >= ? LIMIT 1`, [seq]);
    return isThere === null ? past : seq;
  };
  return Math.min(ofTable(decisions), ofTable(settlements));
}

/** One number that a statement named `value` selects, or null. */
export function oneNumber(db: Database, sql: string, bindings: number[]): number | null {
  const statement = db.prepare<{ value: number | null }, number[]>(sql);
  const value = statement.get(...bindings)?.value ?? null;
  statement.finalize();
  return value;
}
