import { expect, test } from 'bun:test';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { BudgetAccount } from '../../src/domain/state.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { dayStart } from '../../src/ledger/sqlite/periods.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, always, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A client chooses its end user and, where money is not limited, any model: one pair must never pass for another. */
test.each<[string, (dayMs: number) => readonly [endUser: string, model: string][]]>([
  [
    'spaces',
    () => [
      ['y', 'm x'],
      ['x y', 'm'],
    ],
  ],
  [
    'U+0000',
    (dayMs) => [
      ['u', `0\u0000${dayMs}\u0000m`],
      [`u\u00000\u0000${dayMs}`, 'm'],
    ],
  ],
])('end users and models that look alike when they are put together with %s are counted apart', async (_, pairs) => {
  using directory = temporaryDirectory();
  let laterMs = HOUR_MS + DAY_MS - (systemClock.nowMs() % DAY_MS);
  const clock: Clock = { nowMs: () => systemClock.nowMs() + laterMs, monotonicMs: () => systemClock.monotonicMs() + laterMs };
  let opened = await openSeeded(directory.path, { clock });
  const twins = pairs(dayStart(opened.ledger.nowMs()));
  for (let turn = 0; turn < 2; turn++) {
    const decisions = await Promise.all(
      twins.map(([endUser, model]) => opened.ledger.admit(candidate({ endUser, model, models: [model] }), 1, always(allowed()))),
    );
    for (const decision of decisions) opened.ledger.settle(settlement(decision, { costNanoUsd: 1_000 }));
    await opened.ledger.drain();
    // What is older than an hour comes back from sums, and what is younger from its rows.
    laterMs += turn === 0 ? 2 * HOUR_MS : 0;
  }
  const account: BudgetAccount = { scope: 'user', period: 'total', windowMs: 0, matches: null };
  const spent = () =>
    twins.map(([endUser]) => {
      const who = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser, sender: null };
      return opened.memory.balance(account, who, opened.ledger.nowMs()).settledNanoUsd;
    });
  expect(spent()).toEqual([2_000, 2_000]);
  await opened.close();
  expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  opened = await openSeeded(directory.path, { clock });
  expect(spent()).toEqual([2_000, 2_000]);
  await opened.close();
});

test('usage names models apart that begin alike before U+0000, and one with fallbacks by its first', async () => {
  using directory = temporaryDirectory();
  const opened = await openSeeded(directory.path);
  for (const models of [['m\u0000a'], ['m\u0000b'], ['m', 'n']]) {
    const decision = await opened.ledger.admit(candidate({ models, model: models[0]! }), 1, always(allowed()));
    opened.ledger.settle(settlement(decision, { costNanoUsd: 1_000 }));
  }
  await opened.ledger.drain();
  const lines = await opened.store.usage({ groupBy: ['model'] });
  expect(lines.map(({ model, costNanoUsd }) => [model, costNanoUsd])).toEqual([
    ['m', 1_000],
    ['m\u0000a', 1_000],
    ['m\u0000b', 1_000],
  ]);
  await opened.close();
});

test('names of models that are no text add up too, so that no client can make the ledger look touched', async () => {
  using directory = temporaryDirectory();
  const opened = await openSeeded(directory.path);
  for (const models of [['\ud800x', 'y'], ['\ud800'], ['a\u0000b', 'c'], ['', '']]) {
    const facts = candidate({ models, model: models[0]!, endUser: '\udc00' });
    opened.ledger.settle(settlement(await opened.ledger.admit(facts, 1, always(allowed()))));
    await opened.ledger.admit(facts, 1, always(denied()));
  }
  await opened.close();
  expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
});
