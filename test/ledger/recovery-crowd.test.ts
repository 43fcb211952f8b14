import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Belonging, BudgetAccount } from '../../src/domain/state.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { FIRST_START, open, openSeeded, temporaryDirectory } from './harness.ts';

const DAY_MS = 24 * 3_600_000;
/** As many end users as memory tells apart. */
const CAPACITY = 50_000;
const OVER_ALL_TIME: BudgetAccount = { scope: 'user', period: 'total', windowMs: 0, matches: null };
const OF_A_DAY: BudgetAccount = { scope: 'user', period: 'day', windowMs: 0, matches: null };

let directory: ReturnType<typeof temporaryDirectory>;
let today = 0;
beforeEach(() => (directory = temporaryDirectory()));
afterEach(() => directory[Symbol.dispose]());

function who(endUser: string): Belonging {
  return { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser, sender: null };
}

/** Days of end users, as requests of long ago have left them. */
async function ledgerWith(
  days: readonly { readonly endUser: string; readonly daysAgo: number }[],
  budgets: readonly object[],
): Promise<void> {
  const opened = await open(directory.path);
  await opened.store.firstStart({ ...FIRST_START, projectPolicy: JSON.stringify({ budgets }) });
  today = opened.ledger.nowMs() - (opened.ledger.nowMs() % DAY_MS);
  await opened.close();
  const db = new Database(ledgerPath(directory.path));
  const insert = db.prepare(`INSERT INTO balances VALUES ('user', '1:' || ?, 0, ?, 'gpt-4.1-mini', 1000, 1, 0)`);
  db.transaction(() => {
    for (const { endUser, daysAgo } of days) insert.run(endUser, today - daysAgo * DAY_MS);
  })();
  insert.finalize();
  db.close();
}

const many = (count: number, daysAgo: number) => Array.from({ length: count }, (_, index) => ({ endUser: `user-${index}`, daysAgo }));

describe('a start with more end users than memory tells apart', () => {
  test('forgets nobody where a budget over all time asks for them', async () => {
    const budgets = [{ scope: 'user', period: 'total', limit_usd: '1.00', mode: 'enforce' }];
    await ledgerWith([{ endUser: 'ann', daysAgo: 200 }, ...many(CAPACITY, 100)], budgets);
    const { memory, ledger, close } = await openSeeded(directory.path);
    expect(memory.balance(OVER_ALL_TIME, who('ann'), ledger.nowMs()).settledNanoUsd).toBe(1_000);
    expect(memory.balance(OVER_ALL_TIME, who('user-7'), ledger.nowMs()).settledNanoUsd).toBe(1_000);
    await close();
  });

  test('counts nobody together with those whose spend no budget reaches any more', async () => {
    const lately = [
      { endUser: 'ann', daysAgo: 20 },
      { endUser: 'ann', daysAgo: 0 },
      { endUser: 'bob', daysAgo: 0 },
    ];
    await ledgerWith([...many(CAPACITY, 40), ...lately], [{ scope: 'user', period: 'day', limit_usd: '1.00', mode: 'enforce' }]);
    const { memory, ledger, close } = await openSeeded(directory.path);
    expect(memory.balance(OF_A_DAY, who('ann'), today).settledNanoUsd).toBe(1_000);
    expect(memory.balance(OF_A_DAY, who('eve'), ledger.nowMs()).settledNanoUsd).toBe(0);
    expect(memory.pressure.usersShared).toBe(0);
    await close();
  });
});
