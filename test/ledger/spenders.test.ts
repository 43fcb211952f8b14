import { expect, test } from 'bun:test';
import { Spenders } from '../../src/ledger/sqlite/spenders.ts';

const MINUTE_MS = 60_000;
const FROM_MS = Date.UTC(2026, 10, 22, 12);
const WHO = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };

test('amounts of one spender with equal models become one within a minute, at the latest moment, unless they are exact', () => {
  const spenders = new Spenders();
  const add = (atMs: number, isExact: boolean, name = 'ann', label = 'm', projectId = 1) =>
    spenders.add({ who: { ...WHO, projectId }, label, costNanoUsd: 10, atMs: FROM_MS + atMs }, name, isExact);
  add(0, false);
  add(30_000, false, 'bob');
  add(40_000, false, 'ann', 'n');
  add(45_000, false, 'ann', 'm', 2);
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
  expect(spenders.spentBetween(WHO, 'ann', 'm', FROM_MS, FROM_MS + MINUTE_MS)).toBe(20);
  expect(spenders.spentBetween(WHO, 'ann', 'm', FROM_MS + MINUTE_MS, FROM_MS + 2 * MINUTE_MS)).toBe(30);
  expect(spenders.spentBetween(WHO, 'eve', 'm', FROM_MS, FROM_MS + MINUTE_MS)).toBe(0);
});

test('what was handed over is not changed by what comes after it', () => {
  const spenders = new Spenders();
  const first = { who: WHO, label: 'm', costNanoUsd: 10, atMs: FROM_MS };
  spenders.add(first, '', false);
  spenders.add({ ...first, atMs: FROM_MS + 1 }, '', false);
  expect(first).toEqual({ who: WHO, label: 'm', costNanoUsd: 10, atMs: FROM_MS });
});

test('a name is somebody else in each project, live and test', () => {
  const spenders = new Spenders();
  const all = [1, 2].flatMap((projectId) => [false, true].map((environmentTest) => ({ ...WHO, projectId, environmentTest })));
  for (const [index, who] of all.entries()) spenders.add({ who, label: 'm', costNanoUsd: 10 + index, atMs: FROM_MS }, 'ann', false);
  expect(all.map((who) => spenders.spentBetween(who, 'ann', 'm', FROM_MS, FROM_MS + 1))).toEqual([10, 11, 12, 13]);
  expect(spenders.inOrder().map(({ who }) => who)).toEqual(all);
});
