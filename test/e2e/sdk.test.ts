import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI, { NotFoundError } from 'openai';
import { OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';

/** The newest OpenAI SDK as a client of the built program, on all routes: with the simulator, and through to a provider. */

let server: Panicly;
let mock: MockProvider;
let simulated: OpenAI;
let provided: OpenAI;

beforeAll(async () => {
  [server, mock] = await Promise.all([startPanicly(), startMockProvider()]);
  await server.connect(mock);
  await server.policy(OPEN_POLICY);
  simulated = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.testKey, maxRetries: 0 });
  provided = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.liveKey, maxRetries: 0 });
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close()]);
});

const user = (content: string) => [{ role: 'user' as const, content }];
const weather = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };

describe('chat', () => {
  test('JSON, with the decision and its cost in the headers', async () => {
    const { data, response } = await simulated.chat.completions.create({ model: 'gpt-4.1-mini', messages: user('Hello') }).withResponse();
    expect(data.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
    expect(data.choices[0]!.message.content).toContain('Hello');
    const { settlement, ...decision } = await server.settled(response.headers.get('x-panicly-decision-id')!);
    expect(decision).toMatchObject({
      decision: 'allow',
      route: 'chat',
      environment: 'test',
      requested_model: 'gpt-4.1-mini',
      stream: false,
    });
    expect(settlement).toMatchObject({
      outcome: 'completed',
      basis: 'reported',
      input_tokens: data.usage!.prompt_tokens,
      output_tokens: data.usage!.completion_tokens,
      cost_usd: response.headers.get('x-panicly-cost-usd')!,
    });
    expect(Number(settlement.cost_usd)).toBeGreaterThan(0);
    expect(Number(response.headers.get('x-panicly-cost-hold-usd'))).toBeGreaterThanOrEqual(Number(settlement.cost_usd));
  });

  test('a stream says the same as the whole answer', async () => {
    const whole = await simulated.chat.completions.create({ model: 'm', messages: user('same') });
    const stream = simulated.chat.completions.stream({ model: 'm', messages: user('same'), stream_options: { include_usage: true } });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
    expect(final.usage).toEqual(whole.usage);
  });

  test.each([false, true])('runTools calls the tool and answers, stream %p', async (stream) => {
    const calls: unknown[] = [];
    const forecast = (args: unknown): string => {
      calls.push(args);
      return 'sunny';
    };
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'forecast', description: 'x', parse: JSON.parse, function: forecast, parameters: weather },
      },
    ];
    const request = { model: 'sim-tools', messages: user('weather?'), tools };
    const runner = stream
      ? simulated.chat.completions.runTools({ ...request, stream: true })
      : simulated.chat.completions.runTools(request);
    expect(await runner.finalContent()).toContain('weather?');
    expect(calls).toEqual([{ city: 'example' }]);
  });

  test('through to a provider, JSON and stream', async () => {
    const whole = await provided.chat.completions.create({ model: 'any-model', messages: user('Hello') });
    expect(whole.choices[0]!.message.content).toBe('Hello from mock');
    const stream = provided.chat.completions.stream({ model: 'any-model', messages: user('Hello') });
    expect(await stream.finalContent()).toBe(Array.from({ length: 10 }, (_, index) => `word${index} `).join(''));
    const [seen] = mock.seen;
    expect(seen!.path).toBe('/v1/chat/completions');
    expect(seen!.headers['authorization']).toBe('Bearer sk-mock-key');
    for (const request of mock.seen) expect(request.head).not.toContain('pk_live_');
  });
});

describe('responses', () => {
  test('JSON', async () => {
    const { data, response } = await simulated.responses.create({ model: 'gpt-4.1-mini', input: 'Hello' }).withResponse();
    expect(data).toMatchObject({ object: 'response', status: 'completed' });
    expect(data.output_text).toContain('Hello');
    const decision = await server.settled(response.headers.get('x-panicly-decision-id')!);
    expect(decision).toMatchObject({ route: 'responses', settlement: { outcome: 'completed', output_tokens: data.usage!.output_tokens } });
  });

  test('a stream has numbered events and ends with the whole response', async () => {
    const events = await Array.fromAsync(await simulated.responses.create({ model: 'gpt-4.1-mini', input: 'Hello', stream: true }));
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect(events[0]!.type).toBe('response.created');
    const last = events.at(-1)!;
    expect(last.type).toBe('response.completed');
    const text = events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
    expect(text).toContain('Hello');
    expect(last.type === 'response.completed' && last.response.usage!.output_tokens).toBeGreaterThan(0);
  });

  test('tools', async () => {
    const tools = [{ type: 'function' as const, name: 'forecast', parameters: weather, strict: true }];
    const first = await simulated.responses.create({ model: 'sim-tools', input: 'weather?', tools });
    const call = first.output.find((item) => item.type === 'function_call')!;
    expect(call).toMatchObject({ name: 'forecast', arguments: '{"city":"example"}' });
    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' };
    const second = await simulated.responses.create({
      model: 'sim-tools',
      input: [{ role: 'user', content: 'weather?' }, call, output],
      tools,
    });
    expect(second.output_text).toContain('weather?');
  });
});

describe('embeddings', () => {
  test('base64, as the SDK asks by default, equals float', async () => {
    const inputs = ['one', 'two'];
    const decoded = await simulated.embeddings.create({ model: 'text-embedding-3-small', input: inputs });
    const float = await simulated.embeddings.create({ model: 'text-embedding-3-small', input: inputs, encoding_format: 'float' });
    expect(decoded.data.map(({ index }) => index)).toEqual([0, 1]);
    for (const [index, { embedding }] of decoded.data.entries()) {
      expect(embedding.length).toBeGreaterThan(1);
      expect(embedding).toEqual(float.data[index]!.embedding.map(Math.fround));
    }
    expect(float.usage.prompt_tokens).toBeGreaterThan(0);
    const asked = await server.post('/v1/embeddings', server.testKey, { model: 'm', input: 'one', encoding_format: 'base64' });
    expect(typeof ((await asked.json()) as { data: { embedding: unknown }[] }).data[0]!.embedding).toBe('string');
    expect(await server.settled(asked.headers.get('x-panicly-decision-id')!)).toMatchObject({ route: 'embeddings' });
  });

  test('through to a provider', async () => {
    const made = await provided.embeddings.create({ model: 'any-model', input: ['a', 'b', 'c'], encoding_format: 'float' });
    expect(made.data).toHaveLength(3);
    expect(mock.seen.at(-1)).toMatchObject({ path: '/v1/embeddings' });
  });
});

describe('models', () => {
  test('a test key sees the simulator', async () => {
    const names = (await Array.fromAsync(simulated.models.list())).map(({ id }) => id);
    expect(names).toEqual(expect.arrayContaining(['gpt-4.1-mini', 'sim-error-429', 'sim-overrun']));
    expect(await simulated.models.retrieve('sim-cut')).toMatchObject({ id: 'sim-cut', object: 'model', created: expect.any(Number) });
  });

  test('a live key sees what its provider serves', async () => {
    expect(await Array.fromAsync(provided.models.list())).toMatchObject([{ id: 'mock-model', object: 'model', owned_by: 'mock' }]);
    expect(await provided.models.retrieve('mock-model')).toMatchObject({ id: 'mock-model' });
    expect(await provided.models.retrieve('none').catch((error: unknown) => error)).toBeInstanceOf(NotFoundError);
    const name = encodeURIComponent('vendor/none');
    expect((await fetch(`${server.url}/v1/models/${name}`, { headers: { authorization: `Bearer ${server.liveKey}` } })).status).toBe(404);
  });
});
