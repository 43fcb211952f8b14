import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { prepareDataDirectory } from './open.ts';

/** Another process (or another part of this one) serves from this data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
  constructor(readonly dataDir: string) {
    super(`the data directory ${dataDir} is used by another panicly process`);
  }
}

/** A held lock. The system releases it when the process dies. */
export interface DirectoryLock {
  release(): void;
}

// A collected handle would free the lock, so the module keeps every one of them.
const held = new Set<Database>();

/**
 * Takes the data directory for this process: an exclusive transaction on a small database of its own, left open.
 * Throws `DataDirectoryInUse` when somebody else has it, and SQLite's error when the directory cannot be written.
 */
export function lockDataDirectory(dataDir: string): DirectoryLock {
  prepareDataDirectory(dataDir);
  const db = new Database(join(dataDir, 'panicly.lock'), { create: true, readwrite: true });
  try {
    db.run('PRAGMA busy_timeout=0');
    db.run('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) throw new DataDirectoryInUse(dataDir);
    throw error;
  }
  held.add(db);
  return {
    release() {
      if (held.delete(db)) db.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY');
}
