import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { chatStream, compressed, error, json, splitBody, sse, startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { chatEnd, chatEvent, startSteppingProvider, type SteppingProvider } from '../support/stepping-provider.ts';

/** Streams and encodings through the built program: the client gets what the provider would have given it. */

let server: Panicly;
let mock: MockProvider;
let stepping: SteppingProvider;

beforeAll(async () => {
  stepping = await startSteppingProvider();
  [server, mock] = await Promise.all([startPanicly(), startMockProvider()]);
  await server.connect(stepping, { name: 'stepping', models: ['step'] });
  await server.connect(mock);
  await server.policy(OPEN_POLICY);
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close(), stepping.close()]);
});

const chat = (change: object = {}) => ({ model: 'any', messages: [{ role: 'user', content: 'Hi' }], stream: true, ...change });

/** The bytes that the provider gives to who asks it directly. */
async function direct(path: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  return await (await fetch(`${mock.baseUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).text();
}

async function settlementOf(response: Response) {
  return (await server.settled(response.headers.get('x-panicly-decision-id')!)).settlement;
}

describe('usage', () => {
  test.each([
    ['absent', {}],
    ['null', { stream_options: null }],
    ['empty', { stream_options: {} }],
    ['true', { stream_options: { include_usage: true } }],
    ['false', { stream_options: { include_usage: false } }],
    ['other keys', { stream_options: { include_obfuscation: false } }],
    ['other keys and true', { stream_options: { include_obfuscation: false, include_usage: true } }],
  ] as readonly [string, { stream_options?: object | null }][])(
    'stream_options %s: recorded, and the bytes are the provider’s own',
    async (_, change) => {
      mock.behave(null);
      const body = chat(change);
      const response = await server.post('/v1/chat/completions', server.liveKey, body);
      expect(await response.text()).toBe(await direct('/chat/completions', body));
      expect(await settlementOf(response)).toMatchObject({ outcome: 'completed', basis: 'reported', input_tokens: 9, output_tokens: 10 });
      const sent = mock.seen.at(-2)!.json() as { stream_options: object };
      expect(sent.stream_options).toEqual({ ...change.stream_options, include_usage: true });
    },
  );

  test.each([1, 7, 64])('the same when the provider writes %d bytes at a time', async (bytes) => {
    const words = (withUsage: boolean) => Buffer.concat(chatStream(6, withUsage).chunks).toString().replaceAll('word', 'wörd 🦊 ');
    mock.behave((request) => {
      const asked = (request.json() as { stream_options?: { include_usage?: boolean } }).stream_options?.include_usage === true;
      return { ...chatStream(0, false), chunks: splitBody(Buffer.from(words(asked)), { bytes }) };
    });
    const response = await server.post('/v1/chat/completions', server.liveKey, chat());
    expect(await response.text()).toBe(words(false));
    expect(await settlementOf(response)).toMatchObject({ outcome: 'completed', output_tokens: 6 });
  });

  const usage = { input_tokens: 5, output_tokens: 7, total_tokens: 12 };
  test.each(['completed', 'incomplete', 'failed'])('Responses: from response.%s, with and without event lines', async (status) => {
    const events = [
      { type: 'response.created', sequence_number: 0, response: { id: 'resp_1', status: 'in_progress' } },
      { type: 'response.output_text.delta', sequence_number: 1, delta: 'Hi 🦊', obfuscation: 'x1y2' },
      { type: `response.${status}`, sequence_number: 2, response: { id: 'resp_1', object: 'response', status, usage } },
    ];
    for (const named of [true, false]) {
      const frames = events.map((event) => `${named ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`);
      mock.behave(sse(frames));
      const response = await server.post('/v1/responses', server.liveKey, { model: 'any', input: 'Hi', stream: true });
      expect(await response.text()).toBe(frames.join(''));
      expect(await settlementOf(response)).toMatchObject({ outcome: 'completed', basis: 'reported', input_tokens: 5, output_tokens: 7 });
    }
  });
});

describe('pace', () => {
  test('the head leaves before the first chunk', async () => {
    // The runtime ends the head only with the first chunk, so no client library can see it: it is read off the socket.
    const body = JSON.stringify(chat({ model: 'step' }));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.liveKey}\r\n`);
    socket.write(`content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    let head = '';
    for await (const bytes of socket as AsyncIterable<Buffer>) if (/x-panicly-decision-id: dec_/i.test((head += bytes.toString()))) break;
    expect(head).toStartWith('HTTP/1.1 200 ');
    expect(head.toLowerCase()).toContain('content-type: text/event-stream\r\n');
    const step = await stepping.next();
    socket.destroy();
    await step.closed;
  });

  test('each chunk leaves when it comes', async () => {
    const pending = server.post('/v1/chat/completions', server.liveKey, chat({ model: 'step' }));
    const step = await stepping.next();
    step.send(chatEvent('zero'));
    const response = await pending;
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value).toString()).toBe(chatEvent('zero'));
    // The provider says the next word only when the client has the one before: anything that is held back stops this test.
    for (const word of ['one', 'two', 'three', 'fünf']) {
      step.send(chatEvent(word));
      expect(Buffer.from((await reader.read()).value).toString()).toBe(chatEvent(word));
    }
    step.send(': a comment\n\n');
    expect(Buffer.from((await reader.read()).value).toString()).toBe(': a comment\n\n');
    step.send(chatEnd(3, 4));
    step.end();
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += Buffer.from(part.value).toString();
    expect(rest).toBe(chatEnd(3, 4, false));
    expect(await settlementOf(response)).toMatchObject({ outcome: 'completed', input_tokens: 3, output_tokens: 4 });
  });

  test('twelve seconds of silence, before the answer and within it, end nothing', async () => {
    const silence = 12_000;
    mock.behave({
      ...json({ object: 'chat.completion', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }),
      headDelayMs: silence,
    });
    const whole = server.post('/v1/chat/completions', server.liveKey, chat({ stream: false }));
    const streamed = server.post('/v1/chat/completions', server.liveKey, chat({ model: 'step' }));
    const step = await stepping.next();
    step.send(chatEvent('before'));
    await Bun.sleep(silence);
    step.send(chatEvent('after') + chatEnd(1, 2));
    step.end();
    const response = await streamed;
    expect(await response.text()).toBe(chatEvent('before') + chatEvent('after') + chatEnd(1, 2, false));
    expect(await settlementOf(response)).toMatchObject({ outcome: 'completed' });
    expect((await whole).status).toBe(200);
    expect(await settlementOf(await whole)).toMatchObject({ outcome: 'completed' });
  }, 30_000);
});

describe.each(['gzip', 'br', 'zstd'] as const)('%s', (encoding) => {
  const answer = { object: 'chat.completion', choices: [], usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } };

  test('JSON', async () => {
    mock.behave(compressed(json(answer), encoding));
    const response = await server.post('/v1/chat/completions', server.liveKey, chat({ stream: false }));
    expect(await response.json()).toEqual(answer);
    expect(await settlementOf(response)).toMatchObject({ basis: 'reported', input_tokens: 2, output_tokens: 3 });
  });

  test('an error', async () => {
    mock.behave(compressed(error(418, 'a teapot'), encoding));
    const response = await server.post('/v1/chat/completions', server.liveKey, chat({ stream: false }));
    expect([response.status, await response.json()]).toEqual([
      418,
      expect.objectContaining({ error: expect.objectContaining({ message: 'a teapot' }) }),
    ]);
  });

  test.each([true, undefined])('a stream in small pieces, include_usage %p', async (asked) => {
    const plain = Buffer.concat(chatStream(5, asked === true).chunks).toString();
    mock.behave(compressed(chatStream(5, true), encoding, { bytes: 11 }));
    const change = asked === undefined ? {} : { stream_options: { include_usage: asked } };
    const response = await server.post('/v1/chat/completions', server.liveKey, chat(change));
    expect(await response.text()).toBe(plain);
    expect(await settlementOf(response)).toMatchObject({ outcome: 'completed', basis: 'reported', output_tokens: 5 });
  });
});

describe('bytes', () => {
  test('what a client sends arrives as it was written, and what a provider says comes back', async () => {
    const odd =
      '{ "model":"any",\t"messages":[{"role":"user","content":"\\u00e9 \\/ \\ud83e\\udd8a 🦊"}], "seed":12345678901234567890, "x_unknown": 1.0e2 }';
    const said =
      '{"object":"chat.completion", "choices":[],"big":98765432109876543210,"usage":{"prompt_tokens":1,"completion_tokens":1}}\n';
    mock.behave({
      ...json(0),
      chunks: [Buffer.from(said)],
      headers: [
        ['content-type', 'application/json; charset=utf-8'],
        ['x-request-id', 'req_7'],
      ],
    });
    const headers = { authorization: `Bearer ${server.liveKey}`, 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body: odd });
    expect(await response.text()).toBe(said);
    expect(response.headers.get('x-request-id')).toBe('req_7');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(mock.seen.at(-1)!.body.toString()).toBe(odd);
  });
});
