/** What the reader answers about the chain and about old rows. */
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { gte, max, min } from 'drizzle-orm';
import { checkpoint, decisions, settlements } from '../../../db/schema.ts';
import type { EarlierHead, LedgerReport } from '../keep-store.ts';
import { printHead } from './chain/head.ts';
import { endOfChain } from './chain/links.ts';
import { openForReading } from './open.ts';
import { firstSeqFrom as firstOf } from './time-search.ts';
import { reportOn } from './verify.ts';

/** What to verify, and with what. */
export interface VerifyRequest {
  readonly path: string;
  readonly sealKeys: readonly Uint8Array[];
  readonly earlier: EarlierHead | null;
}

/** Looks through the file at `path`, on connections of its own: the one long view must not outlive the answer. */
export function verify(_db: BunSQLiteDatabase, { path, sealKeys, earlier }: VerifyRequest): LedgerReport {
  return reportOn(path, { sealKeys, head: earlier });
}

/** The end of the chain of the file at `path` as a line. */
export function chainHead(_db: BunSQLiteDatabase, path: string): string {
  const file = openForReading(path);
  try {
    const end = endOfChain(file);
    if (end === null) throw new Error('the ledger has no chain');
    return printHead(end);
  } finally {
    file.close();
  }
}

/** The first seq of a decision or settlement that is not older than `atMs`; past the last seq when all are older. */
export function firstSeqFrom(db: BunSQLiteDatabase, atMs: number): number {
  const after =
    (db
      .select({ seq: max(checkpoint.lastSeq) })
      .from(checkpoint)
      .get()?.seq ?? 0) + 1;
  return Math.min(...[decisions, settlements].map((table) => firstOrAfter(db, table, atMs, after)));
}

/** The row itself: what is found by halving may be a seq between an older row and the first that is young enough. */
function firstOrAfter(db: BunSQLiteDatabase, table: typeof decisions | typeof settlements, atMs: number, after: number): number {
  const row = db
    .select({ seq: min(table.seq) })
    .from(table)
    .where(gte(table.seq, firstOf(db, table, atMs)))
    .get();
  return row?.seq ?? after;
}
