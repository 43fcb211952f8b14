import type { Database } from 'bun:sqlite';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { MIGRATIONS } from '../../ledger/sqlite/migrate.ts';
import { closeFully, ledgerPath, openForReading } from '../../ledger/sqlite/open.ts';
import { loadDirectory } from '../../ledger/sqlite/queries-directory.ts';
import { KeyFiles } from '../../upstream/key-files.ts';
import { parseMasterKey, SecretError, type MasterKey } from '../../upstream/secrets.ts';
import { VERSION } from '../../version.ts';
import { credentialOf } from '../credentials.ts';
import { fail, warn, well, type Finding } from './finding.ts';
import { listed } from './people.ts';

/** The ledger's clock never goes back: a wall clock behind it by more than this is wrong, or was. */
const BEHIND_MS = 60_000;

/** What can be told of the ledger's file and of the master key without a server. Reads only. */
export function databaseOf(config: Config, nowMs: number): Finding[] {
  const path = ledgerPath(config.dataDir);
  if (!existsSync(path)) return [warn('database', `there is no ledger at ${path}`, 'the first start makes it: panicly serve')];
  try {
    const db = openForReading(path);
    try {
      return [...schemaOf(db), clockOf(db, nowMs), ...keyOf(db, config)];
    } finally {
      closeFully(db);
    }
  } catch (error) {
    return [
      fail(
        'database',
        `it cannot be read (${codeOf(error)})`,
        'run this as the user of the server; if that does not help, restore a backup',
      ),
    ];
  }
}

function appliedTo(db: Database): ReadonlySet<string> {
  return new Set(
    db
      .query<{ tag: string }, []>('SELECT tag FROM schema_migrations')
      .all()
      .map(({ tag }) => tag),
  );
}

function isCurrent(db: Database): boolean {
  const applied = appliedTo(db);
  return applied.size === MIGRATIONS.length && MIGRATIONS.every(({ tag }) => applied.has(tag));
}

function schemaOf(db: Database): Finding[] {
  const known = new Set(MIGRATIONS.map(({ tag }) => tag));
  const applied = appliedTo(db);
  const newer = [...applied].filter((tag) => !known.has(tag));
  if (newer.length > 0)
    return [
      fail(
        'database',
        `it was made by a newer version than this one (${VERSION})`,
        'use the newer binary, or restore a backup from before',
      ),
    ];
  const missing = [...known].filter((tag) => !applied.has(tag));
  if (missing.length === 0) return [well('database', `it fits this version (${VERSION})`)];
  return [
    warn(
      'database',
      `it is of an older version; the next start brings ${missing.length} changes to its tables`,
      'make a backup first: panicly backup',
    ),
  ];
}

function clockOf(db: Database, nowMs: number): Finding {
  const lastAtMs = db.query<{ at: number }, []>('SELECT last_at_ms AS at FROM checkpoint').get()?.at ?? 0;
  if (nowMs >= lastAtMs - BEHIND_MS) return well('clock of this machine', 'is not behind the last row of the ledger');
  const minutes = Math.ceil((lastAtMs - nowMs) / 60_000);
  return fail(
    'clock of this machine',
    `is ${minutes} minutes behind the last row of the ledger`,
    'set the clock, and keep it right with a time service',
  );
}

/** The master key, and whether it opens what was stored with it. */
function keyOf(db: Database, config: Config): Finding[] {
  const stored = isCurrent(db) ? loadDirectory(drizzle(db)).connections.filter(({ secret }) => secret.kind === 'encrypted') : [];
  let masterKey: MasterKey | null;
  try {
    masterKey = masterKeyHere(config);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return [fail('master key', error.message, 'give PANICLY_MASTER_KEY 32 bytes in base64, or bring master.key back with mode 600')];
  }
  if (masterKey === null) {
    if (stored.length === 0) return [well('master key', 'none yet; the first start makes one')];
    return [
      warn(
        'master key',
        'neither PANICLY_MASTER_KEY nor master.key is here, so stored keys could not be tried',
        'run this with the environment of the server',
      ),
    ];
  }
  const closed = stored.filter((each) => !opens(each, masterKey)).map(({ connection }) => connection.name);
  if (closed.length === 0) return [well('master key', `opens every stored key (${stored.length})`)];
  return [
    fail(
      'master key',
      `does not open the keys of ${listed(closed)}`,
      'bring back the key that they were stored with, or store them again: panicly providers update ID --api-key -',
    ),
  ];
}

/** Never makes one, as a start would. Throws `SecretError`. */
function masterKeyHere({ masterKey, dataDir }: Config): MasterKey | null {
  if (masterKey !== null) return parseMasterKey(masterKey);
  return existsSync(join(dataDir, 'master.key')) ? new KeyFiles(dataDir).load() : null;
}

function opens(stored: Parameters<typeof credentialOf>[0], masterKey: MasterKey): boolean {
  try {
    return credentialOf(stored, masterKey).reveal() !== null;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message).split('\n')[0]!;
}
