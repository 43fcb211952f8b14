import { Database } from 'bun:sqlite';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The ledger's file inside a data directory. */
export function ledgerPath(dataDir: string): string {
  return join(dataDir, 'panicly.db');
}

/** Makes the data directory if need be, and closes it to everyone else. */
export function prepareDataDirectory(dataDir: string): void {
  process.umask(0o077);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
}

/**
 * The one writable connection. `synchronous=FULL`: a commit that returned survives a power cut.
 * `secure_delete`: a deleted ciphertext leaves nothing in the file.
 */
export function openForWriting(path: string): Database {
  const db = new Database(path, { create: true, readwrite: true, strict: true });
  db.run('PRAGMA busy_timeout=5000');
  db.run('PRAGMA journal_mode=WAL');
  db.run('PRAGMA synchronous=FULL');
  db.run('PRAGMA foreign_keys=ON');
  db.run('PRAGMA secure_delete=ON');
  db.run('PRAGMA cache_size=-32000');
  db.run('PRAGMA journal_size_limit=67108864');
  return db;
}

/** Closes a connection for good: drizzle leaves statements behind that would keep it, its files and its locks until they are collected. */
export function closeFully(db: Database): void {
  db.close();
  Bun.gc(true);
}

/** A connection that cannot write. The file must exist. */
export function openForReading(path: string): Database {
  const db = new Database(path, { readonly: true, strict: true });
  db.run('PRAGMA busy_timeout=5000');
  db.run('PRAGMA query_only=ON');
  db.run('PRAGMA cache_size=-16000');
  return db;
}
