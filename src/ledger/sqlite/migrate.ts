import type { Database } from 'bun:sqlite';
import ledger from '../../../db/migrations/0000_ledger.sql' with { type: 'text' };
import operatorExpiry from '../../../db/migrations/0001_operator_expiry.sql' with { type: 'text' };
import operatorWorkspace from '../../../db/migrations/0002_operator_workspace.sql' with { type: 'text' };
import alerts from '../../../db/migrations/0003_alerts.sql' with { type: 'text' };
import chain from '../../../db/migrations/0004_chain.sql' with { type: 'text' };
import catalogues from '../../../db/migrations/0005_catalogues.sql' with { type: 'text' };
import archivedDoubts from '../../../db/migrations/0006_archived_doubts.sql' with { type: 'text' };

/** A migration as drizzle-kit made it. */
export interface Migration {
  readonly tag: string;
  readonly sql: string;
}

/** Every migration in order. A new file in `db/migrations` gets its line here, so that the binary carries it. */
export const MIGRATIONS: readonly Migration[] = [
  { tag: '0000_ledger', sql: ledger },
  { tag: '0001_operator_expiry', sql: operatorExpiry },
  { tag: '0002_operator_workspace', sql: operatorWorkspace },
  { tag: '0003_alerts', sql: alerts },
  { tag: '0004_chain', sql: chain },
  { tag: '0005_catalogues', sql: catalogues },
  { tag: '0006_archived_doubts', sql: archivedDoubts },
];

/**
 * Applies what is missing in one transaction, and returns how many that were. Safe when several processes start at once.
 * Throws when an applied migration was changed, or when the database knows one that this binary does not.
 */
export function migrate(db: Database, nowMs: number, migrations: readonly Migration[] = MIGRATIONS): number {
  db.run(
    'CREATE TABLE IF NOT EXISTS schema_migrations (tag TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
  );
  return db.transaction(() => applyMissing(db, nowMs, migrations)).immediate();
}

function applyMissing(db: Database, nowMs: number, migrations: readonly Migration[]): number {
  const rows = db.query<{ tag: string; sha256: string }, []>('SELECT tag, sha256 FROM schema_migrations').all();
  const applied = new Map(rows.map((row) => [row.tag, row.sha256]));
  let count = 0;
  for (const { tag, sql } of migrations) {
    const sha256 = new Bun.CryptoHasher('sha256').update(sql).digest('hex');
    const before = applied.get(tag);
    applied.delete(tag);
    if (before === sha256) continue;
    if (before !== undefined) throw new Error(`migration ${tag} was changed after it was applied`);
    for (const statement of sql.split('--> statement-breakpoint')) if (statement.trim()) db.run(statement);
    db.run('INSERT INTO schema_migrations VALUES (?, ?, ?)', [tag, sha256, nowMs]);
    count++;
  }
  const [newer] = applied.keys();
  if (newer !== undefined) throw new Error(`the database is newer than this binary: it has the migration ${newer}`);
  return count;
}

/** The one row of `checkpoint`, at the beginning of a ledger. */
export function makeCheckpoint(db: Database): void {
  db.run('INSERT INTO checkpoint VALUES (1, 0, 0, 0, 1, 0) ON CONFLICT DO NOTHING');
}
