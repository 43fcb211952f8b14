import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { hashSecret, newSecret } from '../../src/domain/key.ts';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';
import { inhabit } from '../support/two-workspaces.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let scenario: Scenario;

beforeEach(async () => {
  scenario = await startScenario();
});
afterEach(() => scenario.close());

const rows = (answer: Answer) => answer.json['data'] as Record<string, unknown>[];

/** When each key of the default project was last used, by name. */
async function lastUses(query = ''): Promise<Record<string, number | null>> {
  const keys = rows(await scenario.operate('GET', `/projects/default/keys${query}`));
  return Object.fromEntries(keys.map(({ name, last_used_at: at }) => [String(name), typeof at === 'string' ? Date.parse(at) : null]));
}

async function newKey(name: string): Promise<{ id: string; key: string }> {
  const { json } = await scenario.operate('POST', '/projects/default/keys', { name, environment: 'test' });
  return { id: String(json['id']), key: String(json['key']) };
}

describe('last used', () => {
  test('is exact while the program runs, for every key by itself, and nothing is written for it', async () => {
    const [one, two] = [await newKey('one'), await newKey('two')];
    expect(await lastUses()).toMatchObject({ one: null, two: null });
    await scenario.chat(one.key);
    const atMs = scenario.clock.nowMs();
    scenario.clock.pass(10 * 60_000);
    await scenario.chat(two.key, { model: 'sim-error-429' });
    const uses = await lastUses();
    expect(Math.abs(uses['one']! - atMs)).toBeLessThan(60_000);
    expect(uses['two']! - uses['one']!).toBeGreaterThanOrEqual(9 * 60_000);
    const before = (await scenario.operate('GET', '/audit')).text;
    await scenario.send(
      new Request('http://panicly.test/v1/models', { headers: { host: 'panicly.test', authorization: `Bearer ${one.key}` } }),
    );
    expect((await lastUses())['one']!).toBeGreaterThanOrEqual(uses['two']!);
    expect((await scenario.operate('GET', '/audit')).text).toBe(before);
  });

  test('a refused key is not a used one', async () => {
    const { id, key } = await newKey('gone');
    await scenario.chat(key);
    const before = (await lastUses())['gone'];
    await scenario.operate('POST', `/keys/${id}/revoke`);
    scenario.clock.pass(HOUR_MS);
    expect((await scenario.chat(key)).status).toBe(401);
    expect((await lastUses())['gone']).toEqual(before);
  });

  test('is known to the hour after a restart, also of keys that were replaced', async () => {
    const { id, key } = await newKey('line');
    await newKey('never');
    await scenario.chat(key);
    const atMs = scenario.clock.nowMs();
    scenario.clock.pass(3 * HOUR_MS);
    const rotated = await scenario.operate('POST', `/keys/${id}/rotate`);
    scenario.clock.pass(3 * HOUR_MS);
    await scenario.chat(String(rotated.json['key']));
    const laterMs = scenario.clock.nowMs();
    await scenario.ledger.ledger.drain();
    scenario = await scenario.restart();
    expect(await lastUses()).toMatchObject({ never: null });
    const uses = rows(await scenario.operate('GET', '/projects/default/keys')).filter(({ name }) => name === 'line');
    const [old, fresh] = uses.map(({ last_used_at }) => Date.parse(String(last_used_at)));
    expect(atMs - old!).toBeLessThan(HOUR_MS);
    expect(old!).toBeLessThanOrEqual(atMs);
    expect(laterMs - fresh!).toBeLessThan(HOUR_MS);
    await scenario.chat(String(rotated.json['key']));
    expect(rows(await scenario.operate('GET', '/projects/default/keys')).at(-1)!['last_used_at']).not.toBe(uses.at(-1)!['last_used_at']);
  });

  test('what nobody has used for so long is found, and what does not work is left out', async () => {
    const [idle, busy, gone] = [await newKey('idle'), await newKey('busy'), await newKey('gone')];
    await scenario.chat(idle.key);
    scenario.clock.pass(31 * DAY_MS);
    await scenario.operate('POST', '/ledger/confirm-clock');
    await scenario.chat(busy.key);
    await newKey('new');
    await scenario.operate('POST', `/keys/${gone.id}/revoke`);
    const names = async (stretch: string) => Object.keys(await lastUses(`?unused_for=${stretch}`)).toSorted();
    expect(await names('30d')).toEqual(['default live key', 'default test key', 'idle']);
    expect(await names('5w')).toEqual([]);
    for (const bad of ['30', '-1d', '1y', 'd', '99999d'])
      expect((await scenario.operate('GET', `/projects/default/keys?unused_for=${bad}`)).status).toBe(400);
  });
});

describe('lookup', () => {
  const ask = async (hashes: readonly string[], token?: string) =>
    rows(await scenario.operate('POST', '/keys/lookup', { sha256: hashes }, token === undefined ? {} : { token }));

  test('knows keys and operators by their hash, in their own workspace only', async () => {
    const beta = await inhabit(scenario, 'beta');
    const gamma = await inhabit(scenario, 'gamma');
    const hashes = [beta.secret, beta.owner, gamma.secret, gamma.owner, scenario.made.operatorToken, newSecret('pk_live_')].map(hashSecret);
    const statuses = async (token?: string) => (await ask(hashes, token)).map(({ kind, status }) => `${String(kind)} ${String(status)}`);
    expect(await statuses()).toEqual(['key active', 'operator active', 'key active', 'operator active', 'operator active', 'null unknown']);
    const unknown = Array<string>(4).fill('null unknown');
    expect(await statuses(beta.viewer)).toEqual(['key active', 'operator active', ...unknown]);
    expect((await ask([hashes[0]!]))[0]).toMatchObject({ id: beta.key, name: 'beta', project_id: beta.project });
  });

  test('tells what no longer works', async () => {
    const expires_at = new Date(scenario.clock.nowMs() + HOUR_MS).toISOString();
    const { json } = await scenario.operate('POST', '/projects/default/keys', { name: 'k', expires_at });
    const other = await newKey('other');
    await scenario.operate('POST', `/keys/${other.id}/revoke`);
    scenario.clock.pass(2 * HOUR_MS);
    const found = await ask([String(json['key']), other.key].map(hashSecret));
    expect(found.map(({ status }) => status)).toEqual(['expired', 'revoked']);
  });

  test.each([[[]], [['x']], [[newSecret('pk_live_')]], [Array<string>(1001).fill('a'.repeat(64))], [['A'.repeat(64)]]])(
    '%j is refused',
    async (sha256) => {
      const answer = await scenario.operate('POST', '/keys/lookup', { sha256 });
      expect(answer.status).toBe(400);
      for (const text of sha256) if (text.startsWith('pk_')) expect(answer.text).not.toContain(text);
    },
  );
});
