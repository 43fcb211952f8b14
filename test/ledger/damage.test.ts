import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync, openSync, readdirSync, readlinkSync, writeSync, closeSync } from 'node:fs';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { recover } from '../../src/ledger/sqlite/recover.ts';
import { readCheckpoint } from '../../src/ledger/sqlite/transactor.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const FILE_DESCRIPTORS = '/proc/self/fd';

async function usedLedger(dataDir: string): Promise<string> {
  const { ledger, close } = await openSeeded(dataDir);
  for (let index = 0; index < 3; index++) ledger.settle(settlement(await ledger.admit(candidate(), 1, always(allowed()))));
  await close();
  return ledgerPath(dataDir);
}

/** Makes the file as large as one that is not checked whole, and fills the first page of a table with nonsense. */
function damage(path: string, table: string, isLarge: boolean): void {
  const db = new Database(path);
  if (isLarge) db.run('CREATE TABLE filler (bytes BLOB)');
  if (isLarge) db.run('INSERT INTO filler VALUES (zeroblob(8000000))');
  if (isLarge) db.run('DROP TABLE filler');
  db.run('PRAGMA wal_checkpoint(TRUNCATE)');
  const { page } = db.query<{ page: number }, [string]>('SELECT rootpage AS page FROM sqlite_schema WHERE name = ?').get(table)!;
  db.close(true);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4_000, 0xee), 0, 4_000, (page - 1) * 4_096);
  closeSync(file);
}

describe('a damaged ledger does not start', () => {
  test.each([
    ['a small file', 'decisions', false],
    ['a small file', 'audit_events', false],
    ['a large file', 'balances', true],
    ['a large file', 'usage_rollups', true],
    ['a large file', 'sentry_switches', true],
  ])('%s, table %s', async (_, table, isLarge) => {
    using directory = temporaryDirectory();
    damage(await usedLedger(directory.path), table, isLarge);
    const ended = await openSeeded(directory.path).then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect(ended).toMatch(/damaged|malformed/);
  });
});

test.if(existsSync(FILE_DESCRIPTORS))('recovery lets go of the file at once', async () => {
  using directory = temporaryDirectory();
  const path = await usedLedger(directory.path);
  const db = new Database(path);
  const checkpoint = readCheckpoint(db);
  db.close(true);
  const { memory } = recover(path, checkpoint, checkpoint.lastAtMs);
  expect(
    memory.requestsWithin(
      'key',
      { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null },
      3_600_000,
      checkpoint.lastAtMs,
    ),
  ).toBe(3);
  expect(openFiles().filter((name) => name.startsWith(path))).toEqual([]);
});

function openFiles(): string[] {
  return readdirSync(FILE_DESCRIPTORS).flatMap((id) => {
    try {
      return [readlinkSync(`${FILE_DESCRIPTORS}/${id}`)];
    } catch {
      return [];
    }
  });
}
