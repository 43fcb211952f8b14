import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { openForReading, openForWriting } from '../../src/ledger/sqlite/open.ts';
import { temporaryDirectory } from './harness.ts';

test('the writer survives a power cut, keeps references and wipes what it deletes; a reader cannot write', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'x.db');
  const writer = openForWriting(path);
  const pragma = (name: string) => Object.values(writer.query<Record<string, unknown>, []>(`PRAGMA ${name}`).get() ?? {})[0];
  expect(['journal_mode', 'synchronous', 'foreign_keys', 'secure_delete'].map(pragma)).toEqual(['wal', 2, 1, 1]);
  writer.run('CREATE TABLE a (id INTEGER)');
  const reader = openForReading(path);
  expect(() => reader.run('INSERT INTO a VALUES (1)')).toThrow('readonly');
  reader.close();
  writer.close();
});
