import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { copyFileSync } from 'node:fs';
import type { Decision } from '../../src/domain/decision.ts';
import { ledgerPath, openForReading } from '../../src/ledger/sqlite/open.ts';
import { decisionRow, settlementRow, type Row } from '../../src/ledger/sqlite/rows.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { WriterService, type WriterHooks } from '../../src/ledger/sqlite/writer-service.ts';
import { allowed, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';

const AT_MS = Date.UTC(2028, 1, 29);
const FIRST_SEQ = 1_000;

const allow = (seq: number, keyId = 1): Decision => ({
  seq,
  atMs: AT_MS,
  candidate: candidate({ keyId }),
  policyVersion: 1,
  verdict: allowed(),
});
const one = (db: Database, sql: string): number => Object.values(db.query<Record<string, number>, []>(sql).get() ?? {})[0]!;

/** A writer on a ledger that was begun, with the next transaction's number and a reader that stays open, as in the program. */
async function writerOn(dataDir: string, hooks: WriterHooks) {
  await (await openSeeded(dataDir)).close();
  const path = ledgerPath(dataDir);
  const service = new WriterService(hooks);
  const opened = await service.handle({ kind: 'open', path, nowMs: AT_MS, sealKeys: TEST_SEAL_KEYS });
  if (opened.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(opened)}`);
  const reader = openForReading(path);
  one(reader, 'SELECT count(*) FROM decisions');
  let { batch } = opened.checkpoint;
  const write = (rows: readonly Row[]) => service.handle({ kind: 'batch', batch: ++batch, lastSeq: FIRST_SEQ + 99, lastAtMs: AT_MS, rows });
  const close = async () => {
    reader.close();
    await service.handle({ kind: 'close' });
  };
  return { path, reader, write, close };
}

test('a commit in doubt that the file has is synced into it before anybody is promised', async () => {
  using directory = temporaryDirectory();
  using elsewhere = temporaryDirectory();
  const writer = await writerOn(directory.path, {
    ended: (ending) =>
      ending.kind === 'committed' ? { kind: 'uncertain', error: new Error('disk I/O error'), value: ending.value } : ending,
  });
  expect(await writer.write([decisionRow(allow(FIRST_SEQ), 1)])).toMatchObject({ kind: 'committed' });
  // A file without its log has only what was moved into it and synced.
  const alone = ledgerPath(elsewhere.path);
  copyFileSync(writer.path, alone);
  const db = new Database(alone);
  expect(one(db, `SELECT count(*) FROM decisions WHERE seq = ${FIRST_SEQ}`)).toBe(1);
  db.close();
  expect(await writer.write([settlementRow(FIRST_SEQ + 1, AT_MS, settlement(allow(FIRST_SEQ)))])).toMatchObject({ kind: 'committed' });
  await writer.close();
  expect(verifyLedger(writer.path, { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
});

test('a commit in doubt that the file does not have is written over, so that it never comes back', async () => {
  using directory = temporaryDirectory();
  let isLost = false;
  const writer = await writerOn(directory.path, {
    before: (db) => {
      if (isLost) db.run(`PRAGMA max_page_count=${one(db, 'PRAGMA page_count')}`);
    },
    ended: (ending) => (isLost ? { kind: 'uncertain', error: new Error('disk I/O error'), value: null } : ending),
  });
  const before = one(writer.reader, 'SELECT probes FROM checkpoint');
  isLost = true;
  const long = { ...allow(FIRST_SEQ), candidate: candidate({ requestedModel: 'x'.repeat(40_000) }) };
  expect(await writer.write([decisionRow(long, 1)])).toMatchObject({ kind: 'failed' });
  expect(one(writer.reader, 'SELECT count(*) FROM decisions')).toBe(0);
  expect(one(writer.reader, 'SELECT probes FROM checkpoint')).toBe(before + 1);
  isLost = false;
  expect(await writer.write([decisionRow(allow(FIRST_SEQ + 1), 1)])).toMatchObject({ kind: 'committed' });
  await writer.close();
  expect(verifyLedger(writer.path, { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
});

test('rows that go in singly after a bad one are counted once', async () => {
  using directory = temporaryDirectory();
  const writer = await writerOn(directory.path, {});
  const denial: Decision = { ...allow(FIRST_SEQ + 1), verdict: denied() };
  const rows = [
    decisionRow(allow(FIRST_SEQ), 1),
    decisionRow(denial, 3),
    settlementRow(FIRST_SEQ + 2, AT_MS, settlement(allow(FIRST_SEQ))),
    decisionRow(allow(FIRST_SEQ + 3, 999), 1),
  ];
  expect(await writer.write(rows)).toMatchObject({ kind: 'committed', refused: [{ index: 3 }] });
  expect(one(writer.reader, 'SELECT sum(requests) FROM usage_rollups')).toBe(4);
  await writer.close();
  expect(verifyLedger(writer.path, { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
});
