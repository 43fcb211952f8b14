import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { masterKeyHome } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { FirstStartResult } from '../../src/operator/first-start.ts';
import { parseMasterKey, SecretError } from '../../src/upstream/secrets.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { startOn, startScenario, type Scenario } from '../support/scenario.ts';
import { connectMock, openedBy, openedByFile, watch } from './master-key.ts';

let provider: MockProvider;
let scenario: Scenario | null = null;

beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider.close());
afterEach(async () => {
  await scenario?.close();
  scenario = null;
});

const live = (of: Scenario) => of.chat(of.made.liveKey, { max_tokens: 10 });

const keyFiles = ({ dataDir }: Scenario) => readdirSync(dataDir).filter((name) => name.startsWith('master.key'));

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Scenario> {
  scenario = await startScenario(undefined, environment);
  await connectMock(scenario, provider.baseUrl);
  await watch(scenario);
  return scenario;
}

describe('a key in the data directory', () => {
  test('is replaced: another file, everything sealed anew, one audit event, and the ledger is whole', async () => {
    const before = await start();
    const old = readFileSync(join(before.dataDir, 'master.key'), 'utf8');
    const answer = await before.operate('POST', '/master-key/rotate');
    expect([answer.status, answer.json]).toEqual([200, { source: 'file', resealed: 3, unreadable: 0 }]);
    expect(readFileSync(join(before.dataDir, 'master.key'), 'utf8')).not.toBe(old);
    expect([keyFiles(before), statSync(join(before.dataDir, 'master.key')).mode & 0o777]).toEqual([['master.key'], 0o600]);
    expect(await openedByFile(before)).toContain('sk-mock');
    expect(await openedBy(parseMasterKey(old), before.office).catch((error: unknown) => error)).toBeInstanceOf(SecretError);
    expect((await live(before)).status).toBe(200);
    const after = (scenario = await before.restart());
    expect((await live(after)).status).toBe(200);
    const [event] = (await after.operate('GET', '/audit')).json['data'] as Record<string, unknown>[];
    expect(event).toMatchObject({ action: 'master_key.rotate', subject: 'master-key', detail: { source: 'file', secrets: 3 } });
    expect((await after.operate('GET', '/ledger/verify')).json).toMatchObject({ ok: true, problems: [] });
    expect(after.failures).toEqual([]);
  });

  test('no request fails while it is replaced, and what is connected meanwhile opens afterwards', async () => {
    const running = await start();
    const open = { burst: { mode: 'off' }, abuse: { mode: 'off' }, loop_guard: { mode: 'off' }, budgets: [] };
    expect((await running.operate('PUT', '/projects/default/policy', open)).status).toBe(200);
    const rotation = { done: false };
    const statuses = new Map<number, number>();
    const client = async () => {
      for (let status = 200; !rotation.done && status === 200;) {
        ({ status } = await live(running));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const operators = async () => {
      for (let round = 0; !rotation.done && round < 100; round++) await connectMock(running, provider.baseUrl, `mock-${round}`);
      return (await running.operate('GET', '/projects/default/providers')).json['data'] as unknown[];
    };
    const clients = [client(), client(), client(), client()];
    const connecting = operators();
    const rotated: number[] = [];
    for (let round = 0; round < 3; round++) rotated.push((await running.operate('POST', '/master-key/rotate')).status);
    rotation.done = true;
    expect(rotated).toEqual([200, 200, 200]);
    const connections = await connecting;
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
    expect(connections.length).toBeGreaterThan(3);
    expect(await openedByFile(running)).toHaveLength(connections.length + 2);
    const after = (scenario = await running.restart());
    expect((await live(after)).status).toBe(200);
    expect(await after.problems()).toEqual([]);
    expect(after.failures).toEqual([]);
  });

  test('two who replace it at once take turns', async () => {
    const running = await start();
    const both = await Promise.all([1, 2].map(() => running.operate('POST', '/master-key/rotate')));
    expect(both.map(({ json }) => json['resealed'])).toEqual([3, 3]);
    expect(await openedByFile(running)).toHaveLength(3);
  });

  test('only owners of the installation replace it', async () => {
    const running = await start();
    const { json } = await running.operate('POST', '/operators', { name: 'o', role: 'owner', workspace_id: 'default' });
    expect((await running.operate('POST', '/master-key/rotate', undefined, { token: String(json['token']) })).status).toBe(403);
  });

  test.each(['begun', 'sealed', 'linked', 'swapped', 'done'])(
    'a kill when it is %s loses nothing: the next start ends it',
    async (step) => {
      const dataDir = mkdtempSync(join(tmpdir(), 'panicly-rotate-'));
      const child = Bun.spawn([process.execPath, join(import.meta.dir, 'workers/rotate-child.ts'), dataDir, provider.baseUrl, step], {
        stdout: 'inherit',
        stderr: 'inherit',
      });
      await child.exited;
      expect(child.signalCode).toBe('SIGKILL');
      expect(existsSync(join(dataDir, 'master.key.new')) || existsSync(join(dataDir, 'master.key.old'))).toBe(true);
      const made = JSON.parse(readFileSync(join(dataDir, 'made.json'), 'utf8')) as FirstStartResult;
      const after = (scenario = await startOn(dataDir, made));
      expect(keyFiles(after)).toEqual(['master.key']);
      expect(await openedByFile(after)).toHaveLength(3);
      expect((await live(after)).status).toBe(200);
      expect(await after.problems()).toEqual([]);
      const again = (scenario = await after.restart());
      expect((await live(again)).status).toBe(200);
    },
  );
});

describe('a key from the environment', () => {
  const [first, second] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];

  test('is replaced by starting with both, and then with the new one', async () => {
    const before = await start({ PANICLY_MASTER_KEY: first });
    const alone = await before.operate('POST', '/master-key/rotate');
    expect([alone.status, alone.text]).toEqual([409, expect.stringContaining('PANICLY_MASTER_KEY_NEW')]);
    const both = (scenario = await before.restart({ PANICLY_MASTER_KEY: first, PANICLY_MASTER_KEY_NEW: second }));
    expect((await live(both)).status).toBe(200);
    expect(await openedBy(parseMasterKey(second), both.office)).toHaveLength(3);
    await connectMock(both, provider.baseUrl, 'later');
    expect((await both.operate('POST', '/master-key/rotate')).json).toEqual({ source: 'environment', resealed: 0, unreadable: 0 });
    const after = (scenario = await both.restart({ PANICLY_MASTER_KEY: second }));
    expect(await openedBy(parseMasterKey(second), after.office)).toHaveLength(4);
    expect((await live(after)).status).toBe(200);
    expect(keyFiles(after)).toEqual([]);
    expect(after.failures).toEqual([]);
  });

  test.each([
    ['a new one without one', { PANICLY_MASTER_KEY_NEW: second }],
    ['a new one that is none', { PANICLY_MASTER_KEY: first, PANICLY_MASTER_KEY_NEW: 'x' }],
  ])('%s is refused in words', (_, environment) => {
    const config = loadConfig({ data: '/nowhere' }, environment);
    expect(() => masterKeyHome(config)).toThrow(/PANICLY_MASTER_KEY_NEW/);
  });
});

test('a value that no key opens stays as it is and is counted', async () => {
  const running = await start();
  const { store } = running.office;
  const bent = (await store.sealedValues()).map((value) => ({ ...value, resealed: Uint8Array.from(value.sealed).fill(7, 20) }));
  expect(await store.reseal({ values: bent, chainSeals: [] })).toBe(3);
  // Each is stored only where what was read still stands.
  expect(await store.reseal({ values: bent, chainSeals: [] })).toBe(0);
  await connectMock(running, provider.baseUrl, 'whole');
  expect((await running.operate('POST', '/master-key/rotate')).json).toEqual({ source: 'file', resealed: 1, unreadable: 3 });
});
