import { asc, desc, gte } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { decisions, settlements } from '../../../db/schema.ts';

/**
 * The first seq whose row is not older than `fromMs`; one past the last when all are older.
 * Ledger time never goes back along seq, so this needs no index on time: it halves the range of seqs.
 */
export function firstSeqFrom(db: BunSQLiteDatabase, table: typeof decisions | typeof settlements, fromMs: number): number {
  const { seq, atMs } = table;
  const from = (least: number) => db.select({ seq, atMs }).from(table).where(gte(seq, least)).orderBy(asc(seq)).limit(1).get();
  let low = from(0)?.seq ?? 0;
  let high = (db.select({ seq }).from(table).orderBy(desc(seq)).limit(1).get()?.seq ?? 0) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = from(middle);
    if (row && row.atMs < fromMs) low = row.seq + 1;
    else high = middle;
  }
  return low;
}
