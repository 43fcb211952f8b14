import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import type { CopyFacts } from '../archive-store.ts';
import { checkLedgerFile, copyLedger } from './copy.ts';

/** Copies the ledger at `from`, on a connection of its own: the one long view must not outlive the answer. */
export function writeCopy(_db: BunSQLiteDatabase, { from, to }: { readonly from: string; readonly to: string }): null {
  copyLedger(from, to);
  return null;
}

/** Checks a copy, on connections of its own. `sealKeys` are what may open the key of its chain. */
export function checkCopy(
  _db: BunSQLiteDatabase,
  { path, sealKeys }: { readonly path: string; readonly sealKeys: readonly Uint8Array[] },
): CopyFacts {
  return checkLedgerFile(path, sealKeys);
}
