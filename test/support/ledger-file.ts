import { Database } from 'bun:sqlite';

/** What must hold for the rows of a ledger, whatever happened. One sentence for each thing that does not. */
export function ledgerDifferences(path: string): string[] {
  return reading(path, (db) => {
    const unsettled = numbers(
      db,
      `SELECT d.seq FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq
        WHERE d.reason IS NULL GROUP BY d.seq HAVING count(s.seq) <> 1`,
    );
    const denials = numbers(db, 'SELECT d.seq FROM decisions d JOIN settlements s ON s.decision_seq = d.seq WHERE d.reason IS NOT NULL');
    const damage = db.query<{ integrity_check: string }, []>('PRAGMA integrity_check').all();
    return [
      ...unsettled.map((seq) => `decision ${seq} does not have exactly one settlement`),
      ...denials.map((seq) => `denial ${seq} has a settlement`),
      ...damage.map(({ integrity_check: text }) => text).filter((text) => text !== 'ok'),
    ];
  });
}

/** Runs `work` on a read-only connection of its own. */
export function reading<Result>(path: string, work: (db: Database) => Result): Result {
  const db = new Database(path, { readonly: true });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function numbers(db: Database, sql: string): number[] {
  return db
    .query<{ seq: number }, []>(sql)
    .all()
    .map(({ seq }) => seq);
}
