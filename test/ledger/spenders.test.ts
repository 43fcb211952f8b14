import { expect, test } from 'bun:test';
import { spaceOf, Spenders } from '../../src/ledger/sqlite/spenders.ts';

const MINUTE_MS = 60_000;
const FROM_MS = Date.UTC(2026, 10, 22, 12);
const WHO = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };

test('amounts of one spender with equal models become one within a minute, at the latest moment, unless they are exact', () => {
  const spenders = new Spenders();
  const add = (atMs: number, isExact: boolean, name = 'ann', label = 'm', space = 2) =>
    spenders.add({ who: WHO, label, costNanoUsd: 10, atMs: FROM_MS + atMs }, space, name, isExact);
  add(0, false);
  add(30_000, false, 'bob');
  add(40_000, false, 'ann', 'n');
  add(45_000, false, 'ann', 'm', 3);
  add(59_999, false);
  add(MINUTE_MS, false);
  add(MINUTE_MS + 1, true);
  add(MINUTE_MS + 2, true);
  expect(spenders.inOrder().map(({ atMs, costNanoUsd, label }) => [atMs - FROM_MS, costNanoUsd, label])).toEqual([
    [30_000, 10, 'm'],
    [40_000, 10, 'n'],
    [45_000, 10, 'm'],
    [59_999, 20, 'm'],
    [MINUTE_MS, 10, 'm'],
    [MINUTE_MS + 1, 10, 'm'],
    [MINUTE_MS + 2, 10, 'm'],
  ]);
  expect(spenders.spentBetween('m', 2, 'ann', FROM_MS, FROM_MS + MINUTE_MS)).toBe(20);
  expect(spenders.spentBetween('m', 2, 'ann', FROM_MS + MINUTE_MS, FROM_MS + 2 * MINUTE_MS)).toBe(30);
  expect(spenders.spentBetween('m', 2, 'eve', FROM_MS, FROM_MS + MINUTE_MS)).toBe(0);
});

test('what was handed over is not changed by what comes after it', () => {
  const spenders = new Spenders();
  const first = { who: WHO, label: 'm', costNanoUsd: 10, atMs: FROM_MS };
  spenders.add(first, 2, '', false);
  spenders.add({ ...first, atMs: FROM_MS + 1 }, 2, '', false);
  expect(first).toEqual({ who: WHO, label: 'm', costNanoUsd: 10, atMs: FROM_MS });
});

test('live and test traffic of equal ids are apart', () => {
  expect(new Set([spaceOf(1, 0), spaceOf(1, 1), spaceOf(2, 0), spaceOf(2, 1)]).size).toBe(4);
});
