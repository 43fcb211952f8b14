import { openForReading } from './open.ts';

/** How many rows a ledger has. */
export interface LedgerCounts {
  readonly decisions: number;
  readonly settlements: number;
}

/** Counts the rows of the ledger at `path`. */
export function countRows(path: string): LedgerCounts {
  const db = openForReading(path);
  try {
    const sql = 'SELECT (SELECT count(*) FROM decisions) AS decisions, (SELECT count(*) FROM settlements) AS settlements';
    return db.query<LedgerCounts, []>(sql).get()!;
  } finally {
    db.close();
  }
}
