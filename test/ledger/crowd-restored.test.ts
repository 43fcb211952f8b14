import { describe, expect, test } from 'bun:test';
import type { BudgetAccount } from '../../src/domain/state.ts';
import { Crowd } from '../../src/ledger/state/crowd.ts';
import type { RestoredSpend } from '../../src/ledger/state/restore.ts';
import { SpendBook } from '../../src/ledger/state/spend-book.ts';
import { KEPT_MS } from '../../src/ledger/state/spend-log.ts';

const NOON_MS = Date.UTC(2026, 10, 22, 12);
const DAY_MS = 24 * 3_600_000;
const ACCOUNTS: BudgetAccount[] = [
  { scope: 'user', period: 'total', windowMs: 0, matches: null },
  { scope: 'user', period: 'total', windowMs: 0, matches: (model) => model === 'n' },
  { scope: 'user', period: 'day', windowMs: 0, matches: null },
  { scope: 'user', period: 'rolling', windowMs: 3_600_000, matches: null },
];

function spend(costNanoUsd: number, atMs = NOON_MS, label = 'm'): RestoredSpend {
  const who = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };
  return { who, label, costNanoUsd, atMs };
}

function spentIn(book: SpendBook, atMs: number): number[] {
  return ACCOUNTS.map((account) => book.balance(account, atMs).settledNanoUsd);
}

describe('what a start brought back of somebody', () => {
  test('is there when it is asked for, and is counted on from there', () => {
    const crowd = new Crowd(10);
    crowd.restore(1, 'ann', spend(5));
    crowd.restore(1, 'ann', spend(7, NOON_MS + 1, 'n'));
    const book = crowd.findOrMake(1, 'ann', NOON_MS);
    expect(spentIn(book, NOON_MS + 2)).toEqual([12, 7, 12, 12]);
    crowd.restore(1, 'ann', spend(-4, NOON_MS));
    book.spend(book.labelFor('n'), 1, NOON_MS + 3);
    expect(crowd.find(1, 'ann')).toBe(book);
    expect(spentIn(book, NOON_MS + 4)).toEqual([9, 8, 9, 9]);
    expect(crowd.find(2, 'ann')).toBeNull();
  });

  test('takes the room of one, and when there is none it is counted together', () => {
    const crowd = new Crowd(2);
    for (const name of ['ann', 'bob', 'eve', 'dan']) crowd.restore(1, name, spend(5));
    expect([crowd.size, crowd.sharedUses]).toEqual([2, 2]);
    expect([...crowd.entries()].map(([, name, book]) => [name, spentIn(book, NOON_MS)[0]])).toEqual([
      ['ann', 5],
      ['bob', 5],
      [null, 10],
    ]);
  });

  test('is forgotten when nobody can ask for it any more, and not before', () => {
    const crowd = new Crowd(1);
    crowd.restore(1, 'ann', spend(5));
    crowd.findOrMake(1, 'bob', NOON_MS + KEPT_MS);
    expect(crowd.find(1, 'ann')?.totalsByLabel()).toEqual({ m: 5 });
    const later = new Crowd(1);
    later.restore(1, 'ann', spend(5));
    later.findOrMake(1, 'bob', NOON_MS + KEPT_MS + 1);
    expect([...later.entries()].map(([, name]) => name)).toEqual(['bob']);
  });

  test('is never forgotten where a budget counts over all time', () => {
    const crowd = new Crowd(1);
    crowd.rememberTotals();
    crowd.restore(1, 'ann', spend(5));
    crowd.findOrMake(1, 'bob', NOON_MS + 2 * KEPT_MS);
    expect(crowd.find(1, 'ann')?.totalsByLabel()).toEqual({ m: 5 });
  });

  test('is the same however late it is asked for, for any number of amounts in any order', () => {
    for (let amounts = 1; amounts <= 40; amounts++) {
      const crowd = new Crowd(10);
      const book = new SpendBook();
      for (let index = 0; index < amounts; index++) {
        const known = spend(index % 7 === 6 ? -1 : 10 + index, NOON_MS + ((index * 37) % 90) * DAY_MS, index % 3 === 0 ? 'n' : 'm');
        crowd.restore(1, 'ann', known);
        book.restore(known);
      }
      for (const day of [0, 45, 90]) {
        const atMs = NOON_MS + day * DAY_MS;
        expect(spentIn(crowd.find(1, 'ann')!, atMs)).toEqual(spentIn(book, atMs));
      }
    }
  });
});
