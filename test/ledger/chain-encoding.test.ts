import { Database } from 'bun:sqlite';
import { afterAll, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { canonicalText, tagOf } from '../../src/ledger/sqlite/chain/digest.ts';
import { EntryList, entryAt, entryCount, tagAt } from '../../src/ledger/sqlite/chain/entries.ts';
import { readChainKey } from '../../src/ledger/sqlite/chain/key.ts';
import { StoredRows } from '../../src/ledger/sqlite/chain/stored-rows.ts';
import { ledgerPath, openForWriting } from '../../src/ledger/sqlite/open.ts';
import { decodeBatch, encodeBatch } from '../../src/ledger/sqlite/protocol.ts';
import { decisionRow, settlementRow, type Row } from '../../src/ledger/sqlite/rows.ts';
import { Transactor } from '../../src/ledger/sqlite/transactor.ts';
import { verifyFile } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const directory = temporaryDirectory();
const path = ledgerPath(directory.path);
afterAll(() => directory[Symbol.dispose]());

/** Any text: signs beyond 16 bits, halves of them, U+0000, quotes, backslashes, what looks like JSON. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udc00', '\u0000', '"', '\\', 'ud8', ',null', '\ufffd', 'é', '\u2028') }),
);
/** Whole numbers that a double holds exactly, past 2^53 too. */
const anyCount = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.tuple(fc.nat(0xffff), fc.integer({ min: 38, max: 46 })).map(([low, shift]) => low * 2 ** shift),
);

const anyRows = fc
  .record({
    text: anyText,
    other: fc.option(anyText),
    fingerprint: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    count: anyCount,
    isDenied: fc.boolean(),
  })
  .map(({ text, other, fingerprint, count, isDenied }) => {
    const quote = { ...candidate().quote, inputTokenBound: count, modelOutputLimit: count, unpricedFeature: other };
    const facts = candidate({
      requestedModel: text,
      model: `${text}m`,
      models: [text, 'b'],
      ip: other,
      endUser: other,
      fingerprint,
      quote,
    });
    const verdict = isDenied ? denied({ observed: [{ ...denied().finding, message: text }] }) : allowed({ remainingNanoUsd: count });
    return (seq: number): Row[] => {
      const decision = { seq, atMs: 1, candidate: facts, policyVersion: 1, verdict };
      const usage = { ...settlement(decision).usage!, providerCostNanoUsd: count, flags: [text] };
      const row = settlementRow(seq + 1, 1, settlement(decision, { usage, responseId: other }));
      return [decisionRow(decision, isDenied ? 3 : 1), ...(isDenied ? [] : [row])];
    };
  });

test('a row has the same digest in the message to the writer and as it is stored', async () => {
  await (await openSeeded(directory.path)).close();
  const db = openForWriting(path);
  db.run('PRAGMA synchronous=OFF');
  const transactor = new Transactor(db, readChainKey(db, TEST_SEAL_KEYS)!);
  const stored = [new StoredRows(db, 0), new StoredRows(db, 1)];
  let { lastSeq, batch } = transactor.checkpoint();
  const property = fc.property(anyRows, (make) => {
    const made = make(lastSeq + 1);
    lastSeq += 2;
    const {
      rows,
      texts,
      kind: _kind,
      ...stamp
    } = decodeBatch(encodeBatch({ kind: 'batch', batch: ++batch, lastSeq, lastAtMs: 1, rows: made }));
    expect(rows).toEqual(JSON.parse(JSON.stringify(made)));
    expect(texts).toHaveLength(rows.length);
    expect(transactor.batch(stamp, rows, texts)).toMatchObject({ kind: 'committed', value: [] });
    for (const row of rows) {
      const seq = row[1] as number;
      const sent = tagOf(row[0], row).slice();
      const found: Uint8Array[] = [];
      stored[row[0]]!.visit(seq, seq, (_, tag) => void found.push(tag.slice()));
      expect(found).toEqual([sent]);
    }
  });
  fc.assert(property, { numRuns: 300 });
  for (const rows of stored) rows.finalize();
  transactor.close();
  expect(verifyFile(path, { sealKeys: TEST_SEAL_KEYS }).findings.filter(({ kind }) => kind === 'row' || kind === 'chain')).toEqual([]);
});

test('a number that only 64 bits hold, and bytes that are no text, are not what they look like', () => {
  const db = new Database(':memory:');
  db.run('CREATE TABLE credit_entries (seq INTEGER PRIMARY KEY, workspace_id INTEGER, requests INTEGER, note TEXT) STRICT');
  const rows = new StoredRows(db, 5);
  const tag = (requests: string, note: string): string => {
    db.run(`INSERT OR REPLACE INTO credit_entries VALUES (1, 1, ${requests}, ${note})`);
    let found = '';
    rows.visit(1, 1, (_, bytes) => (found = Buffer.from(bytes).toString('hex')));
    return found;
  };
  const sent = Buffer.from(tagOf(5, [0, 1, 1, 2 ** 60, '\ufffd'])).toString('hex');
  expect(tag('1152921504606846976', `'\ufffd'`)).toBe(sent);
  const others = [
    tag('1152921504606846977', `'\ufffd'`),
    tag('1152921504606846976', `CAST(x'ff' AS TEXT)`),
    tag('1152921504606846976', 'NULL'),
  ];
  expect(new Set([sent, ...others]).size).toBe(4);
  rows.finalize();
});

test('a column that is added later leaves the digest of earlier rows as it was', () => {
  expect(canonicalText(2, [0, 7, 'a', null])).toBe(canonicalText(2, [0, 7, 'a']));
  expect(canonicalText(2, [0, 7, 'a', null, 1])).not.toBe(canonicalText(2, [0, 7, 'a', 1]));
  expect(canonicalText(2, [0, 7, 'a,null'])).not.toBe(canonicalText(2, [0, 7, 'a']));
  expect(canonicalText(2, [0, 7, 'a'])).not.toBe(canonicalText(3, [0, 7, 'a']));
  // Where a row stands is not part of its digest, so that one that was moved is known again.
  expect(canonicalText(2, [0, 7, 'a'])).toBe(canonicalText(2, [0, 12_345, 'a']));
});

test('entries hold every seq and table', () => {
  const list = new EntryList();
  const seqs = [1, 255, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER];
  const tags = seqs.map((_, index) => new Uint8Array(16).fill(index + 1));
  for (let turn = 0; turn < 100; turn++) for (const [index, seq] of seqs.entries()) list.add(index, seq, tags[index]!);
  const bytes = list.bytes.slice();
  expect(entryCount(bytes)).toBe(600);
  for (const [index, seq] of seqs.entries()) {
    expect(entryAt(bytes, 594 + index)).toEqual({ table: index, seq });
    expect(tagAt(bytes, 594 + index)).toEqual(tags[index]!);
  }
});
