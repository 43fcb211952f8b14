import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { Collector, type SeenSpan } from '../support/collector.ts';
import { chatCompletion, chatStream, error, startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const HEADERS = 'authorization=Bearer%20canary-collector-secret';
const PROMPT = 'canary-prompt';
const ANSWER = 'canary-answer';

let directory: string;
let collector: Collector;
let provider: MockProvider;
let scenario: Scenario;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'panicly-tracing-'));
  writeFileSync(join(directory, 'panicly.toml'), '[log]\nrequests = true\n[telemetry]\nservice_name = "gate"\nsample = 1');
  collector = new Collector();
  const environment = {
    PANICLY_CONFIG: join(directory, 'panicly.toml'),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: HEADERS,
  };
  [provider, scenario] = await Promise.all([startMockProvider(), startScenario(undefined, environment)]);
  const connection = { name: 'mock', kind: 'openai', base_url: provider.baseUrl, models: ['*'], api_key: 'sk-canary-provider-key' };
  expect((await scenario.operate('POST', '/projects/default/providers', connection)).status).toBe(201);
});
beforeEach(() => {
  collector.spans.length = 0;
  scenario.watching.lines.length = 0;
  provider.reset();
  provider.behave(chatCompletion(ANSWER));
});
afterAll(async () => {
  await scenario.close();
  await Promise.all([provider.close(), collector.close()]);
  rmSync(directory, { recursive: true, force: true });
});

function live(body: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return scenario.chat(scenario.made.liveKey, { messages: [{ role: 'user', content: PROMPT }], max_tokens: 10, ...body }, headers);
}

/** The spans of what was just done, by name. */
async function spans(count: number): Promise<Record<string, SeenSpan>> {
  await collector.arrived(count);
  expect(collector.spans.length).toBe(count);
  return Object.fromEntries(collector.spans.map((span) => [span.name, span]));
}

/** When a span began and ended, in nanoseconds. */
type Times = readonly [bigint, bigint];

const lines = () => scenario.watching.lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a request that begins a trace', () => {
  test('is a span of the server with its admission and its exchange with the provider', async () => {
    const answer = await live();
    const id = answer.headers.get('x-panicly-decision-id')!;
    const { 'POST /v1/chat/completions': server, admit, 'chat gpt-4.1-mini': upstream } = await spans(3);
    expect(server).toMatchObject({ kind: 2, attributes: { 'http.response.status_code': 200, 'panicly.decision_id': id } });
    expect(server!.parentSpanId).toBeUndefined();
    expect(server!.status).toBeUndefined();
    expect([admit!.parentSpanId, upstream!.parentSpanId]).toEqual([server!.spanId, server!.spanId]);
    expect(admit).toMatchObject({ kind: 1, attributes: { 'panicly.decision': 'allow', 'panicly.environment': 'live' } });
    expect(upstream).toMatchObject({ kind: 3, traceId: server!.traceId });
    expect(upstream!.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4.1-mini',
      'gen_ai.request.max_tokens': 10,
      'gen_ai.usage.input_tokens': 9,
      'gen_ai.usage.output_tokens': 3,
      'server.address': '127.0.0.1',
      'server.port': provider.port,
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'panicly.decision_id': id,
      'panicly.outcome': 'completed',
      'panicly.cost_usd': answer.headers.get('x-panicly-cost-usd')!,
    });
    expect(collector.resource).toMatchObject({ 'service.name': 'gate' });
    expect(provider.seen[0]!.headers['traceparent']).toBe(`00-${server!.traceId}-${upstream!.spanId}-01`);
  });

  test('is well formed, and its parts lie in one another', async () => {
    await live();
    const { 'POST /v1/chat/completions': server, admit, 'chat gpt-4.1-mini': upstream } = await spans(3);
    for (const span of [server!, admit!, upstream!]) {
      expect(span.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
      expect(span.spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
      expect(span.startTimeUnixNano).toMatch(/^1\d{18}$/);
      expect(BigInt(span.startTimeUnixNano)).toBeLessThanOrEqual(BigInt(span.endTimeUnixNano));
    }
    const times = [server!, admit!, upstream!].map((span) => [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)] as const);
    const [[arrived, answered], [judging, decided], [sent, ended]] = times as [Times, Times, Times];
    const inOrder = [arrived, judging, decided, sent, ended, answered];
    expect(inOrder.toSorted((one, other) => (one < other ? -1 : 1))).toEqual(inOrder);
    // What lies before judging (reading, pricing) is no part of it.
    expect(arrived < judging && ended < answered).toBe(true);
    const { path, headers } = collector.requests.at(-1)!;
    expect([path, headers.get('content-type'), headers.get('authorization')]).toEqual([
      '/v1/traces',
      'application/json',
      'Bearer canary-collector-secret',
    ]);
  });
});

describe('the trace of a caller', () => {
  test('goes on, with our span for the provider', async () => {
    await live({}, { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'congo=t61rcWkgMzE' });
    const { 'POST /v1/chat/completions': server, 'chat gpt-4.1-mini': upstream } = await spans(3);
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, traceState: 'congo=t61rcWkgMzE' });
    const { headers } = provider.seen[0]!;
    expect(headers['traceparent']).toBe(`00-${TRACE}-${upstream!.spanId}-01`);
    expect(headers['tracestate']).toBe('congo=t61rcWkgMzE');
  });

  test('that is not recorded is passed on as it is, and makes no span', async () => {
    const traceparent = `00-${TRACE}-${SPAN}-00`;
    await live({}, { traceparent });
    await live();
    expect(Object.keys(await spans(3)).length).toBe(3);
    expect(collector.spans.every(({ traceId }) => traceId !== TRACE)).toBe(true);
    expect(provider.seen[0]!.headers['traceparent']).toBe(traceparent);
  });

  test('that is not valid is as if there were none', async () => {
    await live({}, { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-01`, tracestate: 'congo=t61rcWkgMzE' });
    const { 'POST /v1/chat/completions': server } = await spans(3);
    expect(server!.parentSpanId).toBeUndefined();
    expect(provider.seen[0]!.headers['tracestate']).toBeUndefined();
  });
});

describe('other endings', () => {
  test('a stream ends its spans when it ends', async () => {
    provider.behave(chatStream(3, true));
    await live({ stream: true });
    const { 'POST /v1/chat/completions': server, 'chat gpt-4.1-mini': upstream } = await spans(3);
    expect(server!.attributes).toMatchObject({ 'http.response.status_code': 200, 'panicly.outcome': 'completed' });
    expect(upstream!.attributes).toMatchObject({ 'gen_ai.usage.output_tokens': 3 });
  });

  test('a stream that is cut is an error', async () => {
    provider.behave({ ...chatStream(5, true), cutAfter: 2 });
    await live({ stream: true }).catch(() => null);
    const { 'POST /v1/chat/completions': server, 'chat gpt-4.1-mini': upstream } = await spans(3);
    expect(server).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'upstream_interrupted' } });
    expect(upstream).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'upstream_interrupted' } });
  });

  test('an error of the provider', async () => {
    provider.behave(error(429, 'slow down'));
    await live();
    const { 'POST /v1/chat/completions': server, 'chat gpt-4.1-mini': upstream } = await spans(3);
    expect(upstream).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': '429', 'http.response.status_code': 429 } });
    expect(server!.status).toBeUndefined();
  });

  test('a denial, and a request that was not judged', async () => {
    const before = (await scenario.operate('GET', '/projects/default/policy')).json;
    await scenario.operate('PUT', '/projects/default/policy', { models: { mode: 'enforce', allow: [], block: ['gpt-4.1*'] } });
    const denied = await live();
    const { 'POST /v1/chat/completions': server, admit } = await spans(2);
    expect(admit!.parentSpanId).toBe(server!.spanId);
    expect(admit!.attributes).toMatchObject({ 'panicly.decision': 'deny', 'panicly.reason': 'model_blocked' });
    const id = denied.headers.get('x-panicly-decision-id')!;
    expect(server!.attributes).toMatchObject({
      'http.response.status_code': 403,
      'error.type': 'model_blocked',
      'panicly.decision_id': id,
    });
    await scenario.operate('PUT', '/projects/default/policy', before['policy']);

    collector.spans.length = 0;
    const refused = await scenario.chat('nonsense');
    const { 'POST /v1/chat/completions': alone } = await spans(1);
    const requestId = refused.headers.get('x-panicly-request-id')!;
    expect(requestId).toMatch(/^req_[0-9a-z]{16}$/);
    expect(alone!.attributes).toMatchObject({ 'http.response.status_code': 401, 'panicly.request_id': requestId });
    expect(lines().find(({ reason }) => reason === 'invalid_key')!['request_id']).toBe(requestId);
  });
});

describe('the log of requests', () => {
  test('has a line for each, under the id of its decision', async () => {
    const answer = await live({}, { 'x-request-id': 'order-17', traceparent: `00-${TRACE}-${SPAN}-01` });
    const [line, ...others] = lines();
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      level: 'info',
      event: 'request',
      decision_id: answer.headers.get('x-panicly-decision-id')!,
      client_request_id: 'order-17',
      trace_id: TRACE,
      decision: 'allow',
      environment: 'live',
      route: 'chat',
      stream: false,
      model: 'gpt-4.1-mini',
      outcome: 'completed',
      upstream_status: 200,
      input_tokens: 9,
      output_tokens: 3,
      cost_usd: answer.headers.get('x-panicly-cost-usd')!,
      hold_usd: answer.headers.get('x-panicly-cost-hold-usd')!,
    });
    expect([line!['project_id'], line!['key_id']]).toEqual([expect.stringMatching(/^prj_/), expect.stringMatching(/^key_/)]);
    await spans(3);
  });

  test.each(['two words', 'a"b', 'x'.repeat(129), '{"event":"forged"}', 'é'])('a client id like %j is left out', async (id) => {
    await live({}, { 'x-request-id': id });
    expect(lines()[0]).not.toHaveProperty('client_request_id');
    await spans(3);
  });

  test('what was admitted and failed has both of its lines', async () => {
    provider.behave({ kind: 'reset' });
    const answer = await live();
    const id = answer.headers.get('x-panicly-decision-id')!;
    expect(lines().map(({ event, decision_id }) => [event, decision_id])).toEqual([
      ['request', id],
      ['request_refused', id],
    ]);
    await spans(3);
  });
});

test('no secret, prompt or answer is in a span, a line, or the metrics', async () => {
  await live({ user: 'canary-user', tools: [{ type: 'function', function: { name: 'canary-tool', parameters: {} } }] });
  await spans(3);
  const texts = [
    collector.requests.map(({ text }) => text).join('\n'),
    scenario.watching.lines.join('\n'),
    scenario.watching.telemetry.metricsText(),
  ];
  for (const text of texts)
    for (const secret of ['canary', scenario.made.liveKey, scenario.made.operatorToken]) expect(text).not.toContain(secret);
});
