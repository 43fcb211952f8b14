import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BudgetAccount } from '../../src/domain/state.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const writerUrl = new URL('./workers/faulty-writer.ts', import.meta.url).href;
const WHO = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };

test('a correction whose writer died after the commit counts in memory as in the file', async () => {
  using directory = temporaryDirectory();
  const opened = await openSeeded(directory.path, { writerUrl });
  const { ledger, memory, store } = opened;
  const account: BudgetAccount = { scope: 'project', period: 'total', windowMs: 0, matches: null };
  const spent = () => memory.balance(account, WHO, ledger.nowMs()).settledNanoUsd;
  const decision = await ledger.admit(candidate(), 1, always(allowed()));
  ledger.settle(settlement(decision, { costNanoUsd: 1_000 }));
  await ledger.drain();
  const first = (await store.getDecision(decision.seq))!;
  await store.correct(first, 3_000, 'too low', 'opr_1');
  writeFileSync(join(directory.path, 'fault'), 'late');
  const recorded = (await store.getDecision(decision.seq))!;
  expect(await store.correct(recorded, 5_000, 'still too low', 'opr_1')).toMatchObject({ costNanoUsd: 5_000, note: 'still too low' });
  expect(spent()).toBe(5_000);
  const denied = { ...recorded, decision: { ...recorded.decision, seq: 999 } };
  expect(await store.correct(denied, 1, 'of nothing', 'opr_1')).toBeNull();
  expect(spent()).toBe(5_000);
  await opened.close();
  expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
});
