import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHead } from '../../src/ledger/sqlite/chain/head.ts';
import { chainedColumns, CHAINED_TABLES, type ChainedTable } from '../../src/ledger/sqlite/chain/tables.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyFile } from '../../src/ledger/sqlite/verify.ts';
import { fullLedger } from '../support/full-ledger.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { diceOf } from '../torture/kit/dice.ts';
import { temporaryDirectory } from './harness.ts';

const directory = temporaryDirectory();
const whole = ledgerPath(directory.path);
let edits = 0;

beforeAll(() => fullLedger(directory.path));
afterAll(() => directory[Symbol.dispose]());

const verify = (path: string, anchor: string | null = null) =>
  verifyFile(path, { sealKeys: TEST_SEAL_KEYS, head: anchor === null ? null : parseHead(anchor) });

/** Edits a copy of the ledger with a connection of its own, as somebody with the file would, and verifies it. */
function edited(edit: (db: Database) => void, anchor: string | null = null) {
  const path = join(directory.path, `edit-${++edits}.db`);
  copyFileSync(whole, path);
  const db = new Database(path);
  for (const setting of ['ignore_check_constraints=ON', 'synchronous=OFF', 'journal_mode=MEMORY']) db.run(`PRAGMA ${setting}`);
  edit(db);
  db.close();
  return verify(path, anchor);
}

function seqsOf(table: ChainedTable): number[] {
  const db = new Database(whole, { readonly: true });
  const rows = db.query<{ seq: number }, []>(`SELECT seq FROM ${table} ORDER BY seq`).all();
  db.close();
  return rows.map(({ seq }) => seq);
}

/** Another value of the same kind, that the column takes. */
function otherValue(db: Database, table: string, column: string, type: string, seq: number): number | string {
  const row = db
    .query<{ value: number | string | null }, [number]>(`SELECT CAST(${column} AS TEXT) AS value FROM ${table} WHERE seq = ?`)
    .get(seq);
  if (type === 'INTEGER') return (BigInt(row?.value ?? 0) + 1_000_003n).toString();
  return `${row?.value ?? ''}x`;
}

test('the ledger before any edit is whole, with rows in every table that has a seq', () => {
  expect(verify(whole)).toMatchObject({ findings: [], firstBadRow: null, notes: [] });
  const db = new Database(whole, { readonly: true });
  const withSeq = db.query<{ name: string }, []>(
    "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'seq' AND c.pk = 1",
  );
  expect(
    withSeq
      .all()
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...CHAINED_TABLES].sort());
  db.close();
  expect(CHAINED_TABLES.filter((table) => seqsOf(table).length < 2)).toEqual([]);
});

describe('a value that is changed is named', () => {
  const pick = pickerOf(1);
  for (const table of CHAINED_TABLES) {
    test(table, () => {
      const file = new Database(whole, { readonly: true });
      const columns = chainedColumns(file, table);
      file.close();
      const seqs = seqsOf(table);
      expect(seqs.length).toBeGreaterThan(0);
      for (const { name, type } of columns) {
        const seq = pick(seqs);
        const { firstBadRow } = edited((copy) =>
          copy.run(`UPDATE ${table} SET ${name} = ? WHERE seq = ?`, [otherValue(copy, table, name, type, seq), seq]),
        );
        expect({ column: name, ...firstBadRow }).toEqual({ column: name, table, seq, change: 'changed' });
      }
    });
  }
});

describe('a row that is removed, inserted or moved is named', () => {
  const pick = pickerOf(2);
  for (const table of CHAINED_TABLES) {
    test(table, () => {
      const seqs = seqsOf(table);
      for (let turn = 0; turn < 3; turn++) {
        const seq = pick(seqs);
        expect(edited((db) => db.run(`DELETE FROM ${table} WHERE seq = ?`, [seq])).firstBadRow).toEqual({ table, seq, change: 'removed' });
        const from = pick(seqs);
        const to = turn === 0 ? 1_000_000 : freeSeq(seqs);
        expect(edited((db) => copyRow(db, table, from, to)).firstBadRow).toEqual({ table, seq: to, change: 'inserted' });
      }
      if (seqs.length < 2) return;
      const [low, high] = [seqs[0]!, seqs[seqs.length - 1]!];
      const { firstBadRow } = edited((db) => swap(db, table, low, high));
      expect(firstBadRow).toEqual({ table, seq: low, change: 'reordered' });
    });
  }
});

describe('a chain that is cut or written anew is seen', () => {
  const CHAIN = ['chain_links', 'chain_anchors', 'chain_keys', 'archived_rollups', 'archived_balances', 'archived_doubts'];
  const found = (edit: (db: Database) => void, anchor: string | null = null) =>
    edited(edit, anchor)
      .findings.filter(({ kind }) => kind === 'chain' || kind === 'archive')
      .map(({ detail }) => detail);

  test('every column of its own tables', () => {
    const db = new Database(whole, { readonly: true });
    const columns = db.query<{ name: string; type: string }, [string]>('SELECT name, type FROM pragma_table_info(?)');
    for (const table of CHAIN)
      for (const { name, type } of columns.all(table)) {
        if (table === 'chain_keys' && name !== 'sealed') continue;
        const text = name === 'kind' ? `iif(kind = 'held', 'estimated', 'held')` : `${name} || 'x'`;
        const value = type === 'BLOB' ? `x'${'00'.repeat(32)}'` : type === 'INTEGER' ? `${name} + 70` : text;
        const row = `rowid = (SELECT max(rowid) FROM ${table} WHERE ${name} IS NOT NULL)`;
        const where = table.startsWith('archived') ? `pruning_seq = (SELECT max(pruning_seq) FROM ${table})` : row;
        expect([table, name, found((copy) => copy.run(`UPDATE ${table} SET ${name} = ${value} WHERE ${where}`)).length > 0]).toEqual([
          table,
          name,
          true,
        ]);
      }
    db.close();
  });

  test('a link that is gone, at the end only against an anchor', () => {
    const end = verify(whole);
    const links = end.links;
    expect(found((db) => db.run('DELETE FROM chain_links WHERE link = ?', [links - 3]))).toEqual([
      `links ${links - 3} to ${links - 3} were removed`,
    ]);
    expect(found(cutTail)).toEqual([]);
    expect(edited(cutTail).findings.map(({ kind }) => kind)).not.toContain('row');
    expect(found(cutTail, end.head)).toEqual([`the ledger ends at link ${links - 1}, but had link ${links} before: its tail was cut`]);
    expect(verify(whole, end.head).findings).toEqual([]);
    const other = end.head!.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    expect(verify(whole, other).findings).toMatchObject([{ detail: `link ${links} is not the one that it was before` }]);
  });

  test('an anchor of what was pruned since, and a key that is not the ledger’s', () => {
    const pruned = verify(whole, `head-2-20-20261122T000000.000Z-${'0'.repeat(64)}`);
    expect(pruned).toMatchObject({ findings: [], notes: [expect.stringContaining('was pruned')] });
    expect(verifyFile(whole).notes).toEqual([expect.stringContaining('master key')]);
    const wrong = verifyFile(whole, { sealKeys: [new Uint8Array(32)] });
    expect(wrong.findings).toMatchObject([{ kind: 'chain', detail: expect.stringContaining('cannot be opened') }]);
  });
});

test('a flipped byte elsewhere in the file is found: in an index, in a page’s header, in what is derived', () => {
  const dice = diceOf(3);
  const bytes = readFileSync(whole);
  const db = new Database(whole, { readonly: true });
  const pages = db
    .query<{ at: number }, []>("SELECT (pageno - 1) * 4096 AS at FROM dbstat WHERE pagetype <> 'overflow' AND pageno > 1")
    .all();
  db.close();
  // An id stands in its row, or in the index of ids.
  const places = [
    ...pages.map(({ at }) => at),
    ...[...bytes.toString('latin1').matchAll(/resp_|upstream_error|completed/g)].map(({ index }) => index),
  ];
  for (let turn = 0; turn < 20; turn++) {
    const at = places[Math.floor(dice() * places.length)]!;
    const path = join(directory.path, 'flipped.db');
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << Math.floor(dice() * 8);
    writeFileSync(path, flipped);
    expect([at, verify(path).findings.length > 0]).toEqual([at, true]);
  }
});

/** Takes the last transaction out without a trace in the rest. */
function cutTail(db: Database): void {
  const { link } = db.query<{ link: number }, []>('SELECT max(link) AS link FROM chain_links').get()!;
  const { lastSeq } = db.query<{ lastSeq: number }, [number]>('SELECT last_seq AS lastSeq FROM chain_links WHERE link = ?').get(link - 1)!;
  for (const table of CHAINED_TABLES) db.run(`DELETE FROM ${table} WHERE seq > ?`, [lastSeq]);
  db.run('DELETE FROM chain_links WHERE link = ?', [link]);
}

function freeSeq(seqs: readonly number[]): number {
  const taken = new Set(seqs);
  for (let seq = seqs[0]!; ; seq++) if (!taken.has(seq)) return seq;
}

/** A copy of a row at another seq; what must be unique is made so. */
function copyRow(db: Database, table: ChainedTable, from: number, to: number): void {
  const columns = chainedColumns(db, table).map(({ name }) => name);
  const unique: Partial<Record<string, string>> = { public_id: `'copy'`, version: 'version + 1000', decision_seq: '-1' };
  const values = columns.map((name) => (table === 'corrections' && name === 'decision_seq' ? name : (unique[name] ?? name)));
  db.run(`INSERT INTO ${table} (seq, ${columns.join(', ')}) SELECT ${to}, ${values.join(', ')} FROM ${table} WHERE seq = ${from}`);
}

function swap(db: Database, table: ChainedTable, a: number, b: number): void {
  for (const [from, to] of [
    [a, -1],
    [b, a],
    [-1, b],
  ])
    db.run(`UPDATE ${table} SET seq = ? WHERE seq = ?`, [to!, from!]);
}

/** Picks from lists, the same in each run. */
function pickerOf(seed: number): <Item>(items: readonly Item[]) => Item {
  const dice = diceOf(seed);
  return (items) => items[Math.floor(dice() * items.length)]!;
}
