import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { MIGRATIONS } from '../../src/ledger/sqlite/migrate.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyFile } from '../../src/ledger/sqlite/verify.ts';
import { fullLedger, someRequests } from '../support/full-ledger.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const AUDIT = { actor: 'opr_1', action: 'ledger.prune', subject: 'prj_1', ip: null, detail: {} };
const HOUR_MS = 3_600_000;

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => (directory = temporaryDirectory()));
afterEach(() => directory[Symbol.dispose]());

const findings = (): readonly object[] => verifyFile(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS }).findings;

function edit(work: (db: Database) => void): void {
  const db = new Database(ledgerPath(directory.path));
  work(db);
  db.close();
}

/** Takes what the migrations from `tag` on have added out of the file. */
function undoMigrations(tag: string): void {
  const undone = MIGRATIONS.slice(MIGRATIONS.findIndex((migration) => migration.tag === tag));
  edit((db) => {
    for (const { tag: name, sql } of undone) {
      for (const [, table] of sql.matchAll(/CREATE TABLE `(\w+)`/g)) db.run(`DROP TABLE ${table}`);
      db.run('DELETE FROM schema_migrations WHERE tag = ?', [name]);
    }
  });
}

describe.each(['0005_catalogues', '0006_archived_doubts'])('a file of before %s with requests in it', (tag) => {
  test('verifies before and after a server has opened it, and loses no sum when it is pruned', async () => {
    const first = await openSeeded(directory.path);
    await someRequests(first, 12);
    for (const basis of ['held', 'estimated'] as const)
      first.ledger.settle(settlement(await first.ledger.admit(candidate(), 1, always(allowed())), { basis, costNanoUsd: 5_000_001 }));
    await first.close();
    undoMigrations(tag);
    expect(findings()).toEqual([]);

    const { ledger, store, close } = await openSeeded(directory.path);
    expect(findings()).toEqual([]);
    const span = { fromMs: 0, toMs: ledger.nowMs() + HOUR_MS };
    const report = async () => [await store.spend(span), (await store.doubts(span, 0)).lines, await store.correctionsIn(span)];
    const before = await report();
    expect(before.map(({ length }) => length > 0)).toEqual([true, true, true]);
    const step = await store.prune({ beforeSeq: (await store.lastSeq()) + 1, from: null, maxRows: 500 }, AUDIT);
    expect(step).toMatchObject({ decisions: 12, settlements: 11, corrections: 2 });
    expect(await report()).toEqual(before.map((lines) => expect.arrayContaining([...lines])));
    await close();
    expect(findings()).toEqual([]);
  });
});

test('a table that a newer server has made and somebody has dropped is missed', async () => {
  await fullLedger(directory.path);
  expect(findings()).toEqual([]);
  edit((db) => db.run('DROP TABLE archived_doubts'));
  expect(findings()).toContainEqual({ kind: 'archive', detail: expect.stringMatching(/^the archived sums of pruning \d+ were changed$/) });
  edit((db) => db.run('DROP TABLE price_catalogues'));
  expect(findings()).toContainEqual(expect.objectContaining({ kind: 'integrity' }));
});
