import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { EVENTS, PROVIDER_SECRET, World, chatBody, completion, FakeAnswer, jsonAnswer, readAll, streamAnswer } from '../support/gateway.ts';
import { Refused } from '../../src/gateway/refused.ts';
import type { UpstreamAnswer } from '../../src/upstream/upstream.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

/** All that the client can see. */
async function seen(reply: () => UpstreamAnswer, change: object = {}): Promise<{ text: string; status: number; reason: string | null }> {
  world.upstream.reply = reply;
  const answer = await world.call(chatBody(change));
  if (answer instanceof Refused) {
    const { message, status, reason } = answer.refusal;
    return { text: message, status, reason };
  }
  return { text: JSON.stringify([...answer.headers]) + (await readAll(answer)).text, status: answer.status, reason: null };
}

/** Reads what there is to read, so that the attempt ends. */
async function drained(answer: Response | Refused): Promise<void> {
  if (!(answer instanceof Refused)) await readAll(answer);
}

const error = (message: string): object => ({ error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } });
const leak = error(`Incorrect API key provided: ${PROVIDER_SECRET}.`);
const sse = (status: number) =>
  new FakeAnswer(status, { 'content-type': 'text/event-stream' }).push(`data: ${JSON.stringify(leak)}\n\n`).finish();

describe('the key of the provider (I7)', () => {
  test.each<[string, () => UpstreamAnswer]>([
    ['401', () => jsonAnswer(401, leak)],
    ['401 without a word', () => jsonAnswer(401, '')],
    ['401 in gzip', () => new FakeAnswer(401, { 'content-encoding': 'gzip' }).push(gzipSync(JSON.stringify(leak))).finish()],
    ['401 in an unknown encoding', () => new FakeAnswer(401, { 'content-encoding': 'rot13' }).push(JSON.stringify(leak)).finish()],
    ['401 as a stream', () => sse(401)],
    ['403 as a stream', () => sse(403)],
    ['401 of more than 8 MB', () => new FakeAnswer(401, {}).push('x'.repeat(9 * 1024 * 1024), JSON.stringify(leak)).finish()],
    ['403 of more than 8 MB', () => new FakeAnswer(403, {}).push('x'.repeat(9 * 1024 * 1024), JSON.stringify(leak)).finish()],
    ['403', () => jsonAnswer(403, leak)],
    ['403 in an unknown encoding', () => new FakeAnswer(403, { 'content-encoding': 'rot13' }).push(JSON.stringify(leak)).finish()],
    ['403, far behind', () => jsonAnswer(403, error(`${'x'.repeat(20_000)} ${PROVIDER_SECRET}`))],
    ['400', () => jsonAnswer(400, error(`bad header: Bearer ${PROVIDER_SECRET}`))],
    ['500', () => jsonAnswer(500, error(`trace: ${PROVIDER_SECRET}`))],
    ['500 in gzip', () => new FakeAnswer(500, { 'content-encoding': 'gzip' }).push(gzipSync(`trace: ${PROVIDER_SECRET}`)).finish()],
    ['an echo of the request', () => jsonAnswer(200, completion({ headers: { authorization: `Bearer ${PROVIDER_SECRET}` } }))],
    ['an echo in two chunks', () => new FakeAnswer(200, {}).push(PROVIDER_SECRET.slice(0, 9), PROVIDER_SECRET.slice(9)).finish()],
  ])('%s does not reach the client', async (_, reply) => {
    const { text, status, reason } = await seen(reply);
    expect(text).not.toContain(PROVIDER_SECRET);
    expect(text).not.toContain('CANARY');
    expect([status, reason]).toEqual([502, 'upstream_auth']);
    expect(world.openHolds).toBe(0);
  });

  test('the operator is told a command that takes the connection as it is named there', async () => {
    const { text } = await seen(() => jsonAnswer(401, leak));
    expect(text).toContain(`panicly providers update ${world.connection.publicId} `);
  });

  test.each<[number, string]>([
    [403, 'Your request was flagged by moderation.'],
    [400, 'Invalid model.'],
    [404, 'No such model.'],
    [429, 'Slow down.'],
  ])('%d about something else passes as it is', async (status, message) => {
    const { text, status: got } = await seen(() => jsonAnswer(status, { error: { message } }));
    expect([got, text.includes(message)]).toEqual([status, true]);
  });

  test('an echo is charged as what it was', async () => {
    await seen(() => jsonAnswer(200, completion({ echo: PROVIDER_SECRET })));
    expect(world.settlements.at(-1)).toMatchObject({ outcome: 'completed', basis: 'reported' });
  });
});

describe('the key of the project', () => {
  test('never leaves, nor does anything that names an account, a host or a machine', async () => {
    world.upstream.arrived.length = 0;
    world.upstream.reply = (request) => streamAnswer(request).push(EVENTS.stop, EVENTS.done).finish();
    const headers = {
      'x-panicly-key': world.liveKey,
      cookie: 'a=b',
      host: 'evil.test',
      'x-forwarded-host': 'evil.test',
      'openai-organization': 'org-x',
      'openai-project': 'proj-x',
      'idempotency-key': 'k',
      'user-agent': 'canary-agent',
      'x-stainless-os': 'canary-os',
      'content-type': 'text/plain; x=canary-type',
      'accept-encoding': 'canary-encoding',
      'x-forwarded-for': '192.0.2.77',
      'x-panicly-user': 'canary-user',
    };
    for (const route of ['chat', 'responses', 'embeddings'] as const) {
      const body = route === 'chat' ? chatBody({ stream: true }) : { model: 'gpt-4.1-mini', input: 'hi' };
      await drained(await world.call(body, { route, headers }));
    }
    expect(world.upstream.arrived).toHaveLength(3);
    for (const request of world.upstream.arrived) {
      const text = JSON.stringify(request.headers) + new TextDecoder().decode(request.body!) + request.url;
      for (const word of [world.liveKey, 'evil.test', 'org-x', 'proj-x', 'canary', '192.0.2.77', 'a=b', 'idempotency'])
        expect(text).not.toContain(word);
      expect(request.headers['authorization']).toBe(`Bearer ${PROVIDER_SECRET}`);
      expect(request.headers['content-type']).toBe('application/json');
      expect(request.url).toStartWith('https://provider.test/v1/');
    }
  });

  test('nothing of the provider passes but what is on the list', async () => {
    const headers = {
      'set-cookie': 'a=b',
      'x-panicly-decision-id': 'dec_fake',
      'x-panicly-cost-usd': '0',
      'openai-organization': 'org',
      server: 'x',
      'x-request-id': 'r1',
    };
    world.upstream.reply = () => jsonAnswer(200, completion(), headers);
    const answer = (await world.call(chatBody())) as Response;
    expect([...answer.headers.keys()].toSorted()).toEqual([
      'content-type',
      'x-panicly-cost-hold-usd',
      'x-panicly-cost-usd',
      'x-panicly-decision-id',
      'x-request-id',
    ]);
    expect(answer.headers.get('x-panicly-decision-id')).toMatch(/^dec_0/);
    expect(answer.headers.get('x-panicly-cost-usd')).not.toBe('0');
  });
});

describe('test keys', () => {
  test('never reach a provider', async () => {
    world.upstream.arrived.length = 0;
    for (const model of ['gpt-4.1-mini', 'sim-tools', 'sim-error-500', 'anything/at-all'])
      await drained(await world.call(chatBody({ model }), { key: world.testKey }));
    expect(world.upstream.arrived).toHaveLength(0);
    expect(world.openHolds).toBe(0);
  });
});
