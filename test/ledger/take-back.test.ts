import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerUnavailable } from '../../src/ledger/ledger.ts';
import { openSeeded, temporaryDirectory } from './harness.ts';

const writerUrl = new URL('./workers/faulty-writer.ts', import.meta.url).href;
const WHO = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };

test('credits that are taken back are gone before that is on disk: nothing is admitted on them meanwhile', async () => {
  using directory = temporaryDirectory();
  const { ledger, memory, store, close } = await openSeeded(directory.path, { writerUrl });
  const left = () => memory.volume(WHO, ledger.nowMs()).creditsLeft;
  const granting = store.grantCredits(1, 5, 'five', 'opr_1');
  expect(left()).toBe(0);
  await granting;
  expect(left()).toBe(5);
  const taking = store.grantCredits(1, -5, 'back', 'opr_1');
  expect(left()).toBe(0);
  await taking;
  expect(left()).toBe(0);
  await close();
});

test('credits whose taking back was not written are there again', async () => {
  using directory = temporaryDirectory();
  const { ledger, memory, store, close } = await openSeeded(directory.path, { writerUrl });
  const left = () => memory.volume(WHO, ledger.nowMs()).creditsLeft;
  await store.grantCredits(1, 5, 'five', 'opr_1');
  writeFileSync(join(directory.path, 'fault'), 'die');
  const failed = await store.grantCredits(1, -5, 'back', 'opr_1').catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(LedgerUnavailable);
  expect(left()).toBe(5);
  await close();
});
