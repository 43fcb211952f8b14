import { afterEach, describe, expect, test } from 'bun:test';
import type { Clock } from '../../src/clock.ts';
import { listModels, oneModel } from '../../src/gateway/models.ts';
import { jsonAnswer, PROVIDER_SECRET, refusalOf, responseOf, World, type WorldOptions } from '../support/gateway.ts';
import { NOTHING } from '../support/policies.ts';

let world: World;
afterEach(() => world.close());

async function open(options: WorldOptions): Promise<World> {
  world = await World.open(options);
  return world;
}

const ask = (key: string): Request => new Request('http://x/', { headers: { authorization: `Bearer ${key}` } });
const list = (key = world.liveKey) => listModels(world.gateway, ask(key), '203.0.113.5');

async function names(key?: string): Promise<string[]> {
  const { data } = (await responseOf(await list(key)).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

const served = (...ids: readonly string[]) => jsonAnswer(200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });

/** A clock that a test moves. */
function movable(gateway: World['gateway']): { forward(ms: number): void } {
  let aheadMs = 0;
  const { clock } = gateway;
  const moved: Clock = { nowMs: () => clock.nowMs(), monotonicMs: () => clock.monotonicMs() + aheadMs };
  Object.assign(gateway, { clock: moved });
  return { forward: (ms) => (aheadMs += ms) };
}

describe('the list', () => {
  test('of a connection that declares its models', async () => {
    await open({ kind: 'custom', models: ['llama-9', 'mixtral'] });
    expect(await names()).toEqual(['llama-9', 'mixtral']);
    expect(world.upstream.arrived).toHaveLength(0);
  });

  test('of one with patterns is what the catalogue knows', async () => {
    await open({ kind: 'openai', models: ['gpt-4.1*', 'my-own'] });
    expect(await names()).toEqual(expect.arrayContaining(['my-own', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano']));
    expect((await names()).filter((name) => !name.startsWith('gpt-4.1'))).toEqual(['my-own']);
  });

  test('of a server that the catalogue does not know is its own, remembered for a minute', async () => {
    await open({ kind: 'custom', models: ['*'] });
    const clock = movable(world.gateway);
    world.upstream.reply = () => served('a', 'b');
    expect(await names()).toEqual(['a', 'b']);
    expect(world.upstream.arrived[0]).toMatchObject({ method: 'GET', url: 'https://provider.test/v1/models', body: null });
    expect(world.upstream.arrived[0]!.headers['authorization']).toBe(`Bearer ${PROVIDER_SECRET}`);
    world.upstream.reply = () => served('c');
    clock.forward(59_000);
    expect(await names()).toEqual(['a', 'b']);
    expect(world.upstream.arrived).toHaveLength(1);
    clock.forward(2_000);
    expect(await names()).toEqual(['c']);
    expect(world.upstream.arrived).toHaveLength(2);
  });

  test('is asked for once, however many want it', async () => {
    await open({ kind: 'custom', models: ['*'] });
    const gate = Promise.withResolvers<void>();
    world.upstream.reply = async () => {
      await gate.promise;
      return served('a');
    };
    const lists = Array.from({ length: 50 }, () => names());
    gate.resolve();
    expect(new Set((await Promise.all(lists)).flat())).toEqual(new Set(['a']));
    expect(world.upstream.arrived).toHaveLength(1);
  });

  test.each<[string, () => ReturnType<typeof served> | { kind: 'unreachable'; code: string; mayHaveBilled: false }]>([
    ['cannot be reached', () => ({ kind: 'unreachable', code: 'ECONNREFUSED', mayHaveBilled: false })],
    ['answers with an error', () => jsonAnswer(401, { error: { message: PROVIDER_SECRET } })],
    ['answers no JSON', () => jsonAnswer(200, '<html>')],
    ['answers something else', () => jsonAnswer(200, { data: 'x' })],
    ['answers null', () => jsonAnswer(200, 'null')],
    ['names things that are no names', () => jsonAnswer(200, { data: [null, 1, {}, { id: 5 }] })],
    ['breaks off', () => jsonAnswer(200, '{').breakOff()],
    ['answers more than 4 MB', () => jsonAnswer(200, 'x'.repeat(5 * 1024 * 1024))],
  ])('is empty when the server %s, and the last one stays', async (_, reply) => {
    await open({ kind: 'custom', models: ['*'] });
    const clock = movable(world.gateway);
    world.upstream.reply = reply;
    expect(await names()).toEqual([]);
    clock.forward(61_000);
    world.upstream.reply = () => served('a');
    expect(await names()).toEqual(['a']);
    clock.forward(61_000);
    world.upstream.reply = reply;
    const stays = await names();
    expect([['a'], []]).toContainEqual(stays);
  });

  test('leaves out what the model rules forbid', async () => {
    await open({
      kind: 'custom',
      models: ['llama-9', 'llama-9-big', 'gpt-4.1'],
      policy: { ...NOTHING, models: { allow: ['llama-*'], block: ['*-big'] } },
    });
    expect(await names()).toEqual(['llama-9']);
  });

  test('of a test key is the simulator', async () => {
    await open({ kind: 'custom', models: ['llama-9'] });
    expect(await names(world.testKey)).toContain('sim-slow');
    expect(await names(world.testKey)).not.toContain('llama-9');
  });
});

describe('who may see it', () => {
  test('nobody without a key', async () => {
    await open({});
    expect(refusalOf(await listModels(world.gateway, new Request('http://x/'), null)).reason).toBe('missing_key');
  });

  test.each<[string, object, string]>([
    ['network', { network: { block: ['203.0.113.0/24'] } }, 'network_blocked'],
    ['region', { region: { allow: ['DE'] } }, 'region_blocked'],
  ])('judged by %s', async (_, policy, reason) => {
    await open({ policy: { ...NOTHING, ...policy } });
    expect(refusalOf(await list()).reason).toBe(reason);
  });

  test('judged by Sentry Mode; it makes no row and holds nothing', async () => {
    await open({ kind: 'custom', models: ['a'] });
    expect(await names()).toEqual(['a']);
    world.opened.memory.setSentry({ projectId: 1 }, true);
    expect(refusalOf(await list()).reason).toBe('sentry_mode');
    await world.opened.ledger.drain();
    expect((await world.opened.store.listDecisions({}, null, 10)).items).toEqual([]);
    expect(world.openHolds).toBe(0);
  });
});

describe('one model', () => {
  test('by its name in any letter case', async () => {
    await open({ kind: 'custom', models: ['Llama-9'] });
    const answer = await oneModel(world.gateway, ask(world.liveKey), null, 'lLAMA-9');
    expect(await responseOf(answer).json()).toEqual({ id: 'Llama-9', object: 'model', created: 0, owned_by: 'main' });
  });

  test.each(['nothing', '', '../etc', 'x'.repeat(5_000), '__proto__'])('%s is none', async (name) => {
    await open({ kind: 'custom', models: ['a'] });
    const refusal = refusalOf(await oneModel(world.gateway, ask(world.liveKey), null, name));
    expect(refusal).toMatchObject({ reason: 'unknown_model', status: 404 });
    expect(refusal.message.length).toBeLessThan(300);
  });
});
