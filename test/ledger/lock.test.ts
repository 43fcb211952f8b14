import { expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirectoryInUse, lockDataDirectory } from '../../src/ledger/sqlite/lock.ts';
import { openSeeded, temporaryDirectory } from './harness.ts';

async function otherProcess(dataDir: string): Promise<string> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'workers/lock-child.ts'), dataDir]);
  return new Response(child.stdout).text();
}

test('a data directory belongs to one process, until that lets go', async () => {
  using directory = temporaryDirectory();
  const lock = lockDataDirectory(directory.path);
  Bun.gc(true);
  expect(await otherProcess(directory.path)).toBe(`the data directory ${directory.path} is used by another panicly process`);
  expect(() => lockDataDirectory(directory.path)).toThrow(DataDirectoryInUse);
  lock.release();
  expect(await otherProcess(directory.path)).toBe('free');
});

test('a second ledger on the same directory is refused, and the first one goes on', async () => {
  using directory = temporaryDirectory();
  const { store, close } = await openSeeded(directory.path);
  expect(openSeeded(directory.path)).rejects.toBeInstanceOf(DataDirectoryInUse);
  expect((await store.loadDirectory()).projects).toHaveLength(1);
  await close();
});

test('the directory and every file in it are closed to others', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'data');
  const { close } = await openSeeded(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const file of ['panicly.db', 'panicly.db-wal', 'panicly.db-shm', 'panicly.lock']) {
    expect([file, statSync(join(path, file)).mode & 0o777]).toEqual([file, 0o600]);
  }
  await close();
});
