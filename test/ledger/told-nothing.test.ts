import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NewKey, Store } from '../../src/ledger/store.ts';
import { openSeeded, temporaryDirectory } from './harness.ts';

const writerUrl = new URL('./workers/faulty-writer.ts', import.meta.url).href;

const KEY: NewKey = {
  publicId: 'key_3',
  projectId: 1,
  lineageId: 1,
  name: 'third',
  environment: 'live',
  prefix: 'pk_live_cccc',
  sha256: 'd'.repeat(64),
  expiresAtMs: null,
};

/** Operators' writes that take something away or bring it into force by what they return. */
const WRITES: readonly { readonly name: string; readonly write: (store: Store) => Promise<unknown>; readonly told: object }[] = [
  { name: 'revokeKey', write: (store) => store.revokeKey(1), told: { id: 1, revokedAtMs: expect.any(Number) } },
  { name: 'createKey', write: (store) => store.createKey(KEY), told: { publicId: 'key_3', name: 'third' } },
  {
    name: 'rotateKey',
    write: (store) => store.rotateKey(1, KEY, null),
    told: { old: { id: 1, revokedAtMs: expect.any(Number) }, fresh: { publicId: 'key_3' } },
  },
  {
    name: 'updateWorkspace',
    write: (store) => store.updateWorkspace(1, { plan: 'custom', includedRequests: 7 }),
    told: { id: 1, includedRequests: 7 },
  },
  {
    name: 'savePolicy',
    write: (store) => store.savePolicy({ projectId: 1 }, '{"budgets":[1]}', 'opr_1'),
    told: { projectId: 1, version: 2, document: '{"budgets":[1]}' },
  },
  {
    name: 'savePolicy of a workspace',
    write: (store) => store.savePolicy({ workspaceId: 1 }, '{"budgets":[2]}', 'opr_1'),
    told: { workspaceId: 1, version: 2, document: '{"budgets":[2]}' },
  },
  {
    name: 'setSentry',
    write: (store) => store.setSentry({ projectId: 1 }, true, 'opr_1'),
    told: { projectId: 1, enabled: true, author: 'opr_1' },
  },
  {
    name: 'grantCredits',
    write: (store) => store.grantCredits(1, 5, 'five', 'opr_1'),
    told: { workspaceId: 1, requests: 5, note: 'five' },
  },
  {
    name: 'updateConnection',
    write: (store) => store.updateConnection(1, { models: ['gpt-*'] }),
    told: { connection: { models: ['gpt-*'] } },
  },
];

test.each(WRITES)('$name tells what stands in the file when the writer died after its commit', async ({ write, told }) => {
  using directory = temporaryDirectory();
  const { store, close } = await openSeeded(directory.path, { writerUrl });
  writeFileSync(join(directory.path, 'fault'), 'late');
  expect(await write(store)).toMatchObject(told);
  await close();
});
