import { describe, expect, test } from 'bun:test';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { StoreConflict, type AuditEvent } from '../../src/ledger/store.ts';
import { allowed, always, candidate, FIRST_START, open, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const AUDIT: AuditEvent = { actor: 'opr_1', action: 'key.create', subject: 'key_9', ip: null, detail: { name: 'nine' } };
const NEW_KEY = { ...FIRST_START.keys[0]!, publicId: 'key_9', sha256: 'd'.repeat(64), projectId: 1, lineageId: null };

describe('the store', () => {
  test('a first start is there as a whole after a restart', async () => {
    using directory = temporaryDirectory();
    const first = await openSeeded(directory.path);
    const before = await first.store.loadDirectory();
    await first.close();
    const second = await openSeeded(directory.path);
    expect(await second.store.loadDirectory()).toEqual(before);
    expect(before).toMatchObject({
      workspaces: [{ id: 1, name: 'default' }],
      projects: [{ id: 1, workspaceId: 1 }],
      keys: [
        { id: 1, environment: 'live' },
        { id: 2, environment: 'test' },
      ],
      connections: [{ connection: { models: ['*'] }, secret: { kind: 'encrypted', ciphertext: new Uint8Array([1, 2, 3]) } }],
      policies: [
        { workspaceId: 1, version: 1 },
        { projectId: 1, version: 1 },
      ],
      operators: [{ role: 'owner' }],
    });
    await second.close();
  });

  test('a first start that fails in its middle leaves nothing', async () => {
    using directory = temporaryDirectory();
    const { store, close } = await open(directory.path);
    const twice = { ...FIRST_START, keys: [FIRST_START.keys[0]!, FIRST_START.keys[0]!] };
    expect(await store.firstStart(twice).catch((error: unknown) => error)).toBeInstanceOf(StoreConflict);
    expect((await store.loadDirectory()).workspaces).toEqual([]);
    await close();
  });

  test('a write that is at fault itself rejects alone, with its audit event, and the ledger stays well', async () => {
    using directory = temporaryDirectory();
    const { ledger, store, close } = await openSeeded(directory.path);
    const writes = [store.createKey(NEW_KEY, AUDIT), store.createKey(NEW_KEY, AUDIT), store.updateConnection(1, {}, AUDIT)];
    const admission = ledger.admit(candidate(), 1, always(allowed()));
    const [first, second, third] = await Promise.allSettled(writes);
    expect(first).toMatchObject({ status: 'fulfilled', value: { id: 3, publicId: 'key_9' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { name: 'StoreConflict' } });
    expect(third?.status).toBe('rejected');
    expect((await admission).seq).toBeGreaterThan(0);
    expect(ledger.available).toBe(true);
    expect((await store.listAudit(null, 10)).items).toMatchObject([AUDIT]);
    await close();
  });

  test('policies count their versions for each owner', async () => {
    using directory = temporaryDirectory();
    const { store, close } = await openSeeded(directory.path);
    expect((await store.savePolicy({ projectId: 1 }, '{"budgets":[1]}', 'opr_1')).version).toBe(2);
    expect((await store.savePolicy({ workspaceId: 1 }, '{}', 'opr_1')).version).toBe(2);
    expect((await store.savePolicy({ projectId: 1 }, '{"budgets":[2]}', 'opr_1')).version).toBe(3);
    expect((await store.listPolicies({ projectId: 1 })).map(({ version }) => version)).toEqual([3, 2, 1]);
    const current = (await store.loadDirectory()).policies.map(({ version, document }) => [version, document]);
    expect(current).toEqual([
      [2, '{}'],
      [3, '{"budgets":[2]}'],
    ]);
    await close();
  });

  test('a deleted project is gone with its keys, and its secrets are wiped from the file', async () => {
    using directory = temporaryDirectory();
    const secret = new TextEncoder().encode('a-ciphertext-that-can-be-found');
    const { store, close } = await openSeeded(directory.path);
    const connection = { ...FIRST_START.connections[0]!, publicId: 'con_2', name: 'second', projectId: 1 };
    await store.createConnection({ ...connection, secret: { kind: 'encrypted', ciphertext: secret, nonce: new Uint8Array([9]) } });
    await store.deleteProject(1);
    const { projects, keys, connections } = await store.loadDirectory();
    expect([projects, keys, connections]).toEqual([[], [], []]);
    await close();
    expect(Buffer.from(await Bun.file(ledgerPath(directory.path)).bytes()).includes(secret)).toBe(false);
  });

  test('revoking twice keeps the first moment, and an unknown key is null', async () => {
    using directory = temporaryDirectory();
    const { store, close } = await openSeeded(directory.path);
    const first = await store.revokeKey(1);
    expect(first?.revokedAtMs).toBeGreaterThan(0);
    expect(await store.revokeKey(1)).toEqual(first);
    expect(await store.revokeKey(99)).toBeNull();
    await close();
  });

  test('usage is summed by what is asked for, live and test apart', async () => {
    using directory = temporaryDirectory();
    const { ledger, store, close } = await openSeeded(directory.path);
    const requests = [
      candidate(),
      candidate({ models: ['gpt-4.1-mini', 'o4-mini'] }),
      candidate({ environment: 'test', keyId: 2, connectionId: 0 }),
    ];
    for (const request of requests) ledger.settle(settlement(await ledger.admit(request, 1, always(allowed()))));
    expect(await store.usage({ groupBy: ['environment', 'model'] })).toEqual([
      {
        environment: 'live',
        model: 'gpt-4.1-mini',
        requests: 2,
        inputTokens: 996,
        cachedInputTokens: 256,
        outputTokens: 642,
        costNanoUsd: 2_469_134,
      },
      {
        environment: 'test',
        model: 'gpt-4.1-mini',
        requests: 1,
        inputTokens: 498,
        cachedInputTokens: 128,
        outputTokens: 321,
        costNanoUsd: 1_234_567,
      },
    ]);
    expect(await store.usage({ groupBy: [], workspaceId: 1, environment: 'test' })).toMatchObject([{ requests: 1 }]);
    expect(await store.usage({ groupBy: ['day'], workspaceId: 2 })).toEqual([]);
    await close();
  });
});
