import { afterEach, describe, expect, test } from 'bun:test';
import { Refused } from '../../src/gateway/refused.ts';
import {
  chatBody,
  completion,
  jsonAnswer,
  refusalOf,
  responseOf,
  World,
  type FakeUpstream,
  type WorldOptions,
} from '../support/gateway.ts';
import { NOTHING } from '../support/policies.ts';

let world: World;
afterEach(() => world.close());

const BUDGET = { ...NOTHING, budgets: [{ scope: 'project', period: 'day', limit_usd: '0.20' }] };
const CAP = 'max_completion_tokens';

async function open(options: WorldOptions = {}): Promise<World> {
  world = await World.open({ policy: BUDGET, ...options });
  return world;
}

/** A provider that refuses a body with this member. */
function refuses(field: string, error: object, upstream: FakeUpstream): void {
  upstream.reply = ({ body }) => {
    const has = Object.hasOwn(JSON.parse(new TextDecoder().decode(body!)) as object, field);
    return has ? jsonAnswer(400, error) : jsonAnswer(200, completion());
  };
}

const uncapped = (change: object = {}) => chatBody({ max_tokens: undefined, ...change });
const named = (field: string) => ({
  error: { message: `Unsupported parameter: '${field}'.`, param: field, code: 'unsupported_parameter' },
});
const decisions = async () => (await world.opened.store.listDecisions({}, null, 10)).items.toReversed();

describe('a provider that refuses a field that we put in', () => {
  test('is asked again without it: a second decision with its own hold and settlement, and the connection remembers', async () => {
    const { upstream } = await open();
    refuses(CAP, named(CAP), upstream);
    expect(responseOf(await world.call(uncapped())).status).toBe(200);
    await world.opened.ledger.drain();
    const [first, second] = await decisions();
    expect(first!.settlement).toMatchObject({ outcome: 'upstream_error', costNanoUsd: 0, countsVolume: false });
    expect(second!.settlement).toMatchObject({ outcome: 'completed', basis: 'reported' });
    const holds = [first, second].map((row) => row!.decision.verdict.allow && row!.decision.verdict.holdNanoUsd);
    // Without a cap the model's own limit is what may come: 32,768 tokens at 1.60 USD a million, and the input.
    expect(holds[1]).toBeGreaterThan(52_428_800);
    expect([upstream.body(0)[CAP] !== undefined, upstream.body(1)[CAP]]).toEqual([true, undefined]);

    expect(responseOf(await world.call(uncapped())).status).toBe(200);
    expect(upstream.arrived).toHaveLength(3);
    expect(world.settlements).toHaveLength(3);
    expect(world.openHolds).toBe(0);
  });

  test('gets all of a large body a second time', async () => {
    const { upstream } = await open({ policy: NOTHING });
    refuses('stream_options', named('stream_options'), upstream);
    const messages = [{ role: 'user', content: 'x'.repeat(400_000) }];
    expect(responseOf(await world.call(chatBody({ messages, stream: true }))).status).toBe(200);
    expect([upstream.arrived.length, upstream.body(1)['messages']]).toEqual([2, messages]);
    expect(world.gateway.bodies.takenBytes).toBe(0);
  });

  test('is not asked again when the second hold has no room', async () => {
    const { upstream } = await open({ policy: { ...NOTHING, budgets: [{ scope: 'project', period: 'day', limit_usd: '0.05' }] } });
    refuses(CAP, named(CAP), upstream);
    expect(refusalOf(await world.call(uncapped())).reason).toBe('project_budget');
    expect(upstream.arrived).toHaveLength(1);
    expect(world.openHolds).toBe(0);
  });

  test.each<[string, object]>([
    ['in the sentence', { error: `unknown field "${CAP}"` }],
    ['in a location', { detail: [{ loc: ['body', CAP], msg: 'Extra inputs are not permitted' }] }],
    ['in param', { error: { message: 'Unsupported parameter', param: CAP } }],
  ])('names it %s', async (_, error) => {
    const { upstream } = await open();
    refuses(CAP, error, upstream);
    expect(responseOf(await world.call(uncapped())).status).toBe(200);
    expect([...world.connection.refusedFields]).toEqual([CAP]);
  });

  test.each<[string, string, () => void]>([
    ['the policy', 'model_blocked', () => world.setPolicy({ ...BUDGET, models: { block: ['gpt-4.1*'] } })],
    ['the key', 'revoked_key', () => world.changeKey(world.liveKey, { revokedAtMs: 1 })],
    ['the project', 'invalid_key', () => world.gateway.directory.dropProject(1)],
    ['the process', 'shutting_down', () => Object.assign(world.gateway, { stopping: true })],
  ])('is not asked again by what %s was while it answered', async (_name, reason, change) => {
    const { upstream } = await open();
    upstream.reply = () => {
      change();
      return jsonAnswer(400, named(CAP));
    };
    expect(refusalOf(await world.call(uncapped())).reason).toBe(reason);
    expect([upstream.arrived.length, world.settlements.length, world.openHolds]).toEqual([1, 1, 0]);
  });

  test('refuses usage of a stream: asked again without it', async () => {
    const { upstream } = await open({ policy: NOTHING });
    refuses('stream_options', named('stream_options.include_usage'), upstream);
    expect(responseOf(await world.call(chatBody({ stream: true }))).status).toBe(200);
    expect(upstream.body(1)).not.toHaveProperty('stream_options');
  });

  test('gives up after four tries', async () => {
    const { upstream } = await open();
    const fields = [CAP, 'stream_options'];
    upstream.reply = ({ body }) => {
      const text = new TextDecoder().decode(body!);
      return jsonAnswer(400, named(fields.find((field) => text.includes(field)) ?? 'model'));
    };
    expect(responseOf(await world.call(uncapped({ stream: true }))).status).toBe(400);
    expect(upstream.arrived).toHaveLength(3);
    expect([world.settlements.length, world.openHolds]).toEqual([3, 0]);
  });
});

describe('a client cannot talk us out of a field', () => {
  test.each<[string, object, object]>([
    [
      'by having its name quoted',
      { response_format: { type: CAP } },
      { error: { message: `Invalid value: '${CAP}'`, param: 'response_format' } },
    ],
    ['by saying it in a message', { messages: [{ role: 'user', content: CAP }] }, { error: { message: `bad message: ${CAP}` } }],
    ['by a field of its own', { max_tokens: 10 }, named('max_tokens')],
    [
      'by a param in what is quoted back',
      { messages: [{ role: 'user', content: 'hi', param: CAP }] },
      { detail: [{ loc: ['body', 'messages', 0, 'param'], input: { role: 'user', content: 'hi', param: CAP } }] },
    ],
    ['that is a part of another name', {}, { error: { message: `my_${CAP}_x is wrong` } }],
  ])('%s', async (_, change, error) => {
    const { upstream } = await open();
    upstream.reply = () => jsonAnswer(400, error);
    expect(responseOf(await world.call(uncapped(change))).status).toBe(400);
    expect(upstream.arrived).toHaveLength(1);
    expect([...world.connection.refusedFields]).toEqual([]);
  });

  test.each([
    ['_', '\\u005f'],
    ['m', '\\u006D'],
    ['x', '\\u0078'],
  ])('by spelling %j as %s', async (letter, escape) => {
    const { upstream } = await open();
    upstream.reply = () => jsonAnswer(400, { error: { message: `Invalid value: '${CAP}'` } });
    const body = JSON.stringify(uncapped({ response_format: { type: CAP } })).replaceAll(CAP, CAP.replace(letter, escape));
    expect(responseOf(await world.call(body)).status).toBe(400);
    expect([upstream.arrived.length, world.connection.refusedFields.size]).toEqual([1, 0]);
  });

  test.each(['service_tier', 'model', 'messages', 'temperature'])('that pins a price, or is its own: %s', async (field) => {
    const { upstream } = await open();
    upstream.reply = () => jsonAnswer(400, named(field));
    expect(responseOf(await world.call(uncapped())).status).toBe(400);
    expect(upstream.body(0)).toMatchObject({ service_tier: 'default' });
    expect([upstream.arrived.length, world.connection.refusedFields.size]).toEqual([1, 0]);
  });

  test.each([401, 403, 404, 429, 500])('with a status %d', async (status) => {
    const { upstream } = await open();
    upstream.reply = () => jsonAnswer(status, named(CAP));
    await world.call(uncapped());
    expect([upstream.arrived.length, world.connection.refusedFields.size]).toEqual([1, 0]);
  });

  test('nor lift the cap that a guard puts on its own field', async () => {
    const { upstream } = await open({ policy: { ...BUDGET, token_guard: { max_output_tokens: 500 } } });
    world.connection.refusedFields.add('max_tokens').add(CAP);
    expect(responseOf(await world.call(chatBody({ max_tokens: 5_000 }))).status).toBe(200);
    expect(upstream.body(0)['max_tokens']).toBe(500);
    expect(world.settlements[0]).toMatchObject({ overrun: false });
  });

  test('a cap that can be said in no field is not held: nothing is sent', async () => {
    const { upstream } = await open({ policy: { ...BUDGET, token_guard: { max_output_tokens: 500 } } });
    world.connection.refusedFields.add(CAP);
    expect(refusalOf(await world.call(uncapped()))).toMatchObject({ reason: 'token_guard', status: 403 });
    expect([upstream.arrived.length, world.openHolds]).toEqual([0, 0]);
    expect(world.settlements.map(({ outcome }) => outcome)).toEqual(['not_sent']);
  });
});

describe('the body that leaves', () => {
  const sent = async (body: object | string, options: WorldOptions = {}): Promise<string> => {
    await open(options);
    responseOf(await world.call(body));
    return new TextDecoder().decode(world.upstream.arrived[0]!.body!);
  };

  test('is the very one that came when there is nothing to change', async () => {
    const body =
      '{ "model":"gpt-4.1-mini",\n"messages":[{"role":"user","content":"\\u00e9 1.0"}], "seed":12345678901234567890, "max_tokens": 1.0e1 }';
    expect(await sent(body.replace('1.0e1', '10'), { policy: NOTHING })).toBe(body.replace('1.0e1', '10'));
  });

  test('keeps every byte around what was put in', async () => {
    const body = '{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"x"}],"seed":12345678901234567890,"max_tokens":10}';
    expect(await sent(body)).toBe(body.replace(/}$/, ',"service_tier":"default"}'));
  });

  test('names the model as its connection knows it', async () => {
    expect(JSON.parse(await sent(chatBody({ model: 'openai/GPT-4.1-mini' })))).toMatchObject({ model: 'gpt-4.1-mini' });
  });

  test('asks usage of a stream, and keeps what the client said of it', async () => {
    const body = chatBody({ stream: true, stream_options: { include_obfuscation: false } });
    expect(JSON.parse(await sent(body))).toMatchObject({ stream_options: { include_obfuscation: false, include_usage: true } });
  });
});

test('a request that is refused has no decision to settle', async () => {
  await open();
  expect(await world.call(chatBody({ n: 0 }))).toBeInstanceOf(Refused);
  expect([world.settlements.length, world.openHolds]).toEqual([0, 0]);
});
