import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { eventually, OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider, type SeenRequest } from '../support/mock-provider.ts';
import { readAll } from '../support/read-all.ts';
import { chatEnd, chatEvent, startSteppingProvider, type SteppingProvider } from '../support/stepping-provider.ts';

/** Answers that do not come to their end: whoever goes away, the other side sees it, and the ledger says how it ended. */

const CLOSED_WITHIN_MS = 1_000;

let server: Panicly;
let mock: MockProvider;
let stepping: SteppingProvider;

beforeAll(async () => {
  stepping = await startSteppingProvider();
  [server, mock] = await Promise.all([
    startPanicly({ config: '[upstream]\nfirst_byte_seconds = 2\nidle_seconds = 2\n' }),
    startMockProvider(),
  ]);
  await server.connect(stepping, { name: 'stepping', models: ['step'] });
  await server.connect(mock);
  await server.policy(OPEN_POLICY);
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close(), stepping.close()]);
});

const chat = (model: string, stream = true) => ({ model, messages: [{ role: 'user' as const, content: 'Hi' }], stream });

async function within<Value>(promise: Promise<Value>): Promise<Value | 'too late'> {
  return await Promise.race([promise, Bun.sleep(CLOSED_WITHIN_MS).then(() => 'too late' as const)]);
}

/** The request that arrives next at the mock. */
async function nextSeen(): Promise<() => Promise<SeenRequest>> {
  const before = mock.seen.length;
  return async () => {
    await mock.arrived(before + 1);
    return mock.seen[before]!;
  };
}

/** No attempt is open, neither in memory nor in the ledger. */
async function expectNothingOpen(): Promise<void> {
  await eventually('nothing is in flight', async () => (await server.metric('panicly_requests_in_flight')) === 0);
  await eventually('all is settled', async () =>
    (await server.decisions()).every(({ decision, settlement }) => decision === 'deny' || settlement !== null),
  );
}

async function newestSettlement() {
  const [newest] = await server.decisions();
  return (await server.settled(newest!.id)).settlement;
}

describe('a client that goes away', () => {
  test.each([
    ['before the headers, not streamed', 'mock-silence', false],
    ['before the headers, streamed', 'mock-silence', true],
    ['in the middle of an answer', 'mock-stall', true],
  ])('%s: the provider’s socket closes within a second', async (_, model, stream) => {
    const seen = await nextSeen();
    const abort = new AbortController();
    const pending = server.post('/v1/chat/completions', server.liveKey, chat(model, stream), { signal: abort.signal });
    pending.catch(() => undefined);
    const request = await seen();
    if (model === 'mock-stall') await (await pending).body!.getReader().read();
    abort.abort();
    expect(await within(request.whenClosed)).toBeUndefined();
    await expectNothingOpen();
    expect(await newestSettlement()).toMatchObject({ outcome: 'client_aborted' });
  });

  test('after the headers, before the first chunk', async () => {
    const abort = new AbortController();
    const pending = server.post('/v1/chat/completions', server.liveKey, chat('step'), { signal: abort.signal });
    pending.catch(() => undefined);
    const step = await stepping.next();
    abort.abort();
    expect(await within(step.closed)).toBeUndefined();
    await expectNothingOpen();
    expect(await newestSettlement()).toMatchObject({ outcome: 'client_aborted' });
  });

  test('through the SDK: an aborted stream is settled and charged', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.liveKey, maxRetries: 0 });
    const pending = client.chat.completions.create({ ...chat('step'), stream: true });
    const step = await stepping.next();
    step.send(chatEvent('one'));
    const stream = await pending;
    for await (const chunk of stream) {
      expect(chunk.choices[0]!.delta.content).toBe('one');
      break;
    }
    expect(await within(step.closed)).toBeUndefined();
    await expectNothingOpen();
    expect(await newestSettlement()).toMatchObject({ outcome: 'client_aborted', upstream_status: 200 });
  });

  test('just after the terminal event: it is complete and costs what was reported', async () => {
    const abort = new AbortController();
    const pending = server.post('/v1/chat/completions', server.liveKey, chat('step'), { signal: abort.signal });
    const step = await stepping.next();
    step.send(chatEvent('one') + chatEnd(4, 1));
    const reader = (await pending).body!.getReader();
    let text = '';
    while (!text.includes('[DONE]')) text += Buffer.from((await reader.read()).value).toString();
    abort.abort();
    await expectNothingOpen();
    expect(await newestSettlement()).toMatchObject({ outcome: 'completed', basis: 'reported', input_tokens: 4, output_tokens: 1 });
  });

  test('twenty at once leave nothing open', async () => {
    const abort = new AbortController();
    const before = mock.seen.length;
    const all = Array.from({ length: 20 }, (_, index) =>
      server.post('/v1/chat/completions', server.liveKey, chat(index % 2 === 0 ? 'mock-silence' : 'mock-stall'), { signal: abort.signal }),
    );
    await mock.arrived(before + all.length);
    const ended = Promise.allSettled(all);
    abort.abort();
    await ended;
    expect(await within(Promise.all(mock.seen.slice(before).map(({ whenClosed }) => whenClosed)))).not.toBe('too late');
    await expectNothingOpen();
    const outcomes = (await server.decisions()).slice(0, all.length).map(({ settlement }) => settlement!.outcome);
    expect(new Set(outcomes)).toEqual(new Set(['client_aborted']));
  });
});

describe('a provider that goes away', () => {
  test('in the middle of a stream: the SDK throws, and the ledger says so', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.liveKey, maxRetries: 0 });
    const stream = await client.chat.completions.create({ ...chat('mock-cut'), stream: true });
    let words = 0;
    const error = await (async () => {
      for await (const chunk of stream) if (chunk.choices[0]!.delta.content) words++;
    })().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(words).toBeGreaterThan(0);
    expect(await newestSettlement()).toMatchObject({ outcome: 'upstream_interrupted' });
    await expectNothingOpen();
  });

  test('the simulator breaks in the same way', async () => {
    const response = await server.post('/v1/chat/completions', server.testKey, chat('sim-cut'));
    const { text, broken } = await readAll(response);
    expect(broken).toBe(true);
    expect(text).not.toContain('[DONE]');
    expect(await newestSettlement()).toMatchObject({ outcome: 'upstream_interrupted' });
  });

  test('a JSON answer that ends too early is a 502', async () => {
    const response = await server.post('/v1/chat/completions', server.liveKey, chat('mock-cut', false));
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([502, 'upstream_interrupted']);
  });

  test('one that never begins to answer: 504', async () => {
    const seen = await nextSeen();
    const response = await server.post('/v1/chat/completions', server.liveKey, chat('mock-silence'));
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([504, 'upstream_timeout']);
    expect(await within((await seen()).whenClosed)).toBeUndefined();
    expect(await newestSettlement()).toMatchObject({ outcome: 'upstream_timeout' });
  });

  test('one that falls silent: an error event, then the break', async () => {
    const seen = await nextSeen();
    const response = await server.post('/v1/chat/completions', server.liveKey, chat('mock-stall'));
    const { text, broken } = await readAll(response);
    const last = JSON.parse(text.trimEnd().split('\n\n').at(-1)!.slice('data: '.length)) as { error: object };
    expect(last.error).toMatchObject({
      type: 'upstream_error',
      code: 'upstream_timeout',
      decision_id: response.headers.get('x-panicly-decision-id'),
    });
    expect(broken).toBe(true);
    expect(await within((await seen()).whenClosed)).toBeUndefined();
    expect(await newestSettlement()).toMatchObject({ outcome: 'upstream_timeout' });
  });
});
