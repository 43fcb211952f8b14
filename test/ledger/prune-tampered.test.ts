import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENTRY_BYTES, entryAt, entryCount } from '../../src/ledger/sqlite/chain/entries.ts';
import { parseHead } from '../../src/ledger/sqlite/chain/head.ts';
import { CHAINED_TABLES } from '../../src/ledger/sqlite/chain/tables.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyFile } from '../../src/ledger/sqlite/verify.ts';
import { someRequests } from '../support/full-ledger.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { openSeeded, temporaryDirectory } from './harness.ts';

const AUDIT = { actor: 'opr_1', action: 'test.act', subject: 'prj_1', ip: null, detail: {} };

const directory = temporaryDirectory();
const whole = join(directory.path, 'whole');
let beforeSeq = 0;
let head = '';
let copies = 0;

/** Requests, a correction with its audit event in one link, an act of its own, more requests; nothing is pruned yet. */
beforeAll(async () => {
  mkdirSync(whole);
  const opened = await openSeeded(whole);
  const { store } = opened;
  await someRequests(opened, 8);
  const { items } = await store.listDecisions({ allowed: true }, null, 1);
  await store.correct(items[0]!, 5, 'note', 'opr_1', AUDIT);
  await store.setSentry({ projectId: 1 }, true, 'opr_1', AUDIT);
  await someRequests(opened, 8);
  beforeSeq = (await store.lastSeq()) + 1;
  await someRequests(opened, 4);
  head = await store.chainHead();
  await opened.close();
});
afterAll(() => directory[Symbol.dispose]());

const verify = (dataDir: string, anchor: string | null = null) =>
  verifyFile(ledgerPath(dataDir), { sealKeys: TEST_SEAL_KEYS, head: anchor === null ? null : parseHead(anchor) });

const chainFindings = (dataDir: string) => verify(dataDir).findings.filter(({ kind }) => kind === 'row' || kind === 'chain');

/** A data directory with a copy of the ledger that somebody has edited who has the file and no master key. */
function edited(edit: (db: Database) => void): string {
  const dataDir = join(directory.path, `copy-${++copies}`);
  mkdirSync(dataDir);
  copyFileSync(ledgerPath(whole), ledgerPath(dataDir));
  const db = new Database(ledgerPath(dataDir));
  edit(db);
  db.close();
  return dataDir;
}

/** Prunes all that is old in a data directory. Returns why that was refused; null when it was not. */
async function pruned(dataDir: string): Promise<string | null> {
  const opened = await openSeeded(dataDir);
  try {
    await opened.store.prune({ beforeSeq, from: null, maxRows: 1_000 });
    return null;
  } catch (error) {
    return String(error);
  } finally {
    await opened.close();
  }
}

/** A link with a row of `table`. */
function linkWith(db: Database, table: (typeof CHAINED_TABLES)[number], turn: 'first' | 'last' = 'first') {
  const links = db.query<{ link: number; entries: Uint8Array }, []>('SELECT link, entries FROM chain_links ORDER BY link').all();
  const tableOf = (entries: Uint8Array) =>
    Array.from({ length: entryCount(entries) }, (_, index) => CHAINED_TABLES[entryAt(entries, index).table]);
  const found = links.filter(({ entries }) => tableOf(entries).includes(table));
  const { link, entries } = found.at(turn === 'first' ? 0 : -1)!;
  const rows = Array.from({ length: entryCount(entries) }, (_, index) => ({ index, ...entryAt(entries, index) }));
  return { link, entries, rows, at: rows.find((row) => CHAINED_TABLES[row.table] === table)! };
}

/** Removes a link with the rows that it names. */
function removeLink(db: Database, link: number): { lastSeq: number; mac: Uint8Array } {
  const { entries, ...rest } = db
    .query<{ entries: Uint8Array; lastSeq: number; mac: Uint8Array }, [number]>(
      'SELECT entries, last_seq AS lastSeq, mac FROM chain_links WHERE link = ?',
    )
    .get(link)!;
  for (let index = 0; index < entries.length / ENTRY_BYTES; index++) {
    const { table, seq } = entryAt(entries, index);
    db.run(`DELETE FROM ${CHAINED_TABLES[table]!} WHERE seq = ?`, [seq]);
  }
  db.run('DELETE FROM chain_links WHERE link = ?', [link]);
  return rest;
}

test('an untouched ledger is pruned and is whole afterwards', async () => {
  const dataDir = edited(() => undefined);
  expect(await pruned(dataDir)).toBeNull();
  expect(verify(dataDir, head).findings).toEqual([]);
});

describe('pruning signs nothing that it has not proven, so that it cannot make good what somebody changed', () => {
  test.each<[string, (db: Database) => void]>([
    [
      'a cost that was lowered, with the sums that follow from it',
      (db) => {
        const { cost, decision } = db
          .query<{ cost: number; decision: number }, []>(
            'SELECT cost_nano_usd AS cost, decision_seq AS decision FROM settlements s WHERE NOT EXISTS (SELECT 1 FROM corrections c WHERE c.decision_seq = s.decision_seq) ORDER BY seq LIMIT 1',
          )
          .get()!;
        const less = cost - 1;
        db.run(`UPDATE settlements SET cost_nano_usd = cost_nano_usd - ? WHERE decision_seq = ?`, [less, decision]);
        const label = `(SELECT iif(models IS NULL, model, (SELECT group_concat(value, ',') FROM json_each(models))) FROM decisions WHERE seq = ${decision})`;
        const user = `(SELECT project_id || ':' || coalesce(end_user, '') FROM decisions WHERE seq = ${decision})`;
        db.run(`UPDATE usage_rollups SET cost_nano_usd = cost_nano_usd - ? WHERE model = ${label} AND reason = 'completed'`, [less]);
        db.run(`UPDATE balances SET settled_nano_usd = settled_nano_usd - ? WHERE scope_id = ${user} AND model = ${label}`, [less]);
      },
    ],
    [
      'an audit event that was removed and marked as pruned, beside a correction that is pruned',
      (db) => {
        const { link, rows } = linkWith(db, 'corrections');
        const event = rows.find(({ table }) => CHAINED_TABLES[table] === 'audit_events')!;
        const marks = new Uint8Array(Math.ceil(rows.length / 8));
        marks[event.index >>> 3]! |= 1 << (event.index & 7);
        db.run('DELETE FROM audit_events WHERE seq = ?', [event.seq]);
        db.run('UPDATE chain_links SET pruned = ?, pruned_mac = ? WHERE link = ?', [marks, new Uint8Array(32), link]);
      },
    ],
    [
      'an entry that was taken out of a link with its row',
      (db) => {
        const { link, entries, rows } = linkWith(db, 'corrections');
        const event = rows.find(({ table }) => CHAINED_TABLES[table] === 'audit_events')!;
        const left = rows.filter(({ index }) => index !== event.index);
        const bytes = Buffer.concat(left.map(({ index }) => entries.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES)));
        db.run('DELETE FROM audit_events WHERE seq = ?', [event.seq]);
        db.run('UPDATE chain_links SET entries = ? WHERE link = ?', [bytes, link]);
      },
    ],
    [
      'links that were replaced by an anchor',
      (db) => {
        const { link } = linkWith(db, 'sentry_switches');
        const { mac: before } = db.query<{ mac: Uint8Array }, [number]>('SELECT mac FROM chain_links WHERE link = ?').get(link - 1)!;
        const { lastSeq, mac } = removeLink(db, link);
        db.run('INSERT INTO chain_anchors VALUES (?, ?, ?, 1, ?, ?, ?)', [link, link, lastSeq, before, mac, new Uint8Array(32)]);
      },
    ],
  ])('%s', async (_, edit) => {
    const dataDir = edited(edit);
    const before = chainFindings(dataDir);
    expect(before).not.toEqual([]);
    expect(await pruned(dataDir)).toMatch(/nothing is pruned .* ledger verify/);
    expect(chainFindings(dataDir)).toEqual(before);
  });
});

test('the check of a backup proves the links, and not only that the rows fit them', async () => {
  const dataDir = edited((db) => db.run('UPDATE chain_links SET at_ms = at_ms + 1 WHERE link = 3'));
  const opened = await openSeeded(dataDir);
  const copy = join(dataDir, 'copy.db');
  writeFileSync(copy, '');
  await opened.store.writeCopy(copy);
  expect(await opened.store.checkCopy(copy)).toMatchObject({ problems: ['chain: link 3 was changed'], notes: [] });
  await opened.close();
});

test('a file without a chain is not what an anchor says that there was', () => {
  const dataDir = edited((db) => {
    for (const table of ['chain_keys', 'chain_links', 'chain_anchors']) db.run(`DROP TABLE ${table}`);
  });
  expect(verify(dataDir, head).findings).toMatchObject([{ kind: 'chain' }]);
});
