import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import type { LedgerReport } from '../store.ts';
import { countRows } from './counts.ts';
import { verifyLedger } from './verify.ts';

/** Recomputes the file at `path`, on connections of its own: the one long view must not outlive the answer. */
export function verify(_db: BunSQLiteDatabase, path: string): LedgerReport {
  const problems = verifyLedger(path).map(({ kind, detail }) => `${kind}: ${detail}`);
  return { ...countRows(path), problems };
}
