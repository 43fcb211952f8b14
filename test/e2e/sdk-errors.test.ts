import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';

/** Every refusal as the OpenAI SDK sees it, and what the SDK tries again. */

let server: Panicly;
let mock: MockProvider;

beforeAll(async () => {
  [server, mock] = await Promise.all([startPanicly(), startMockProvider()]);
  await server.connect(mock);
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close()]);
});

/** A client that counts the requests that it sends. */
function counting(apiKey: string, maxRetries: number): { client: OpenAI; sent: () => number } {
  let count = 0;
  const counted = (input: string | URL | Request, init?: RequestInit) => {
    count++;
    return fetch(input, init);
  };
  return { client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries, fetch: counted }), sent: () => count };
}

const hello = (model: string) => ({ model, messages: [{ role: 'user' as const, content: 'Hello' }] });

async function failure(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}

describe('error classes', () => {
  test('401 without a valid key is an AuthenticationError and is sent once', async () => {
    const wrong = `${server.testKey.slice(0, -1)}${server.testKey.endsWith('0') ? '1' : '0'}`;
    const { client, sent } = counting(wrong, 2);
    const error = await failure(client.chat.completions.create(hello('m')));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ status: 401, type: 'authentication_error', code: 'invalid_key', param: null });
    expect(sent()).toBe(1);
  });

  test('403 by a model rule is a PermissionDeniedError that names the rule', async () => {
    await server.policy({ ...OPEN_POLICY, models: { mode: 'enforce', block: ['forbidden-*'] } });
    const { client, sent } = counting(server.liveKey, 2);
    const error = await failure(client.responses.create({ model: 'forbidden-1', input: 'Hello' }));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, type: 'policy_blocked', code: 'model_blocked' });
    expect((error.error as { reason?: string }).reason).toBe('model_blocked');
    expect(sent()).toBe(1);
    const decision = await server.decision(error.headers!.get('x-panicly-decision-id')!);
    expect(decision).toMatchObject({ decision: 'deny', reason: 'model_blocked', requested_model: 'forbidden-1', settlement: null });
    expect(mock.seen.filter(({ body }) => body.includes('forbidden-1'))).toEqual([]);
  });

  test('404 without a provider that takes the model is a NotFoundError', async () => {
    const { id } = (await server.ask<{ id: string }>('/projects', { method: 'POST', body: { name: 'bare' } })) ?? {};
    const { key } = await server.ask<{ key: string }>(`/projects/${id}/keys`, { method: 'POST', body: { name: 'k' } });
    const error = await failure(counting(key, 2).client.embeddings.create({ model: 'm', input: 'x' }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toContain('panicly providers add --project bare');
  });

  test.each(['chat', 'responses', 'embeddings'] as const)('429 and 500 of a provider on %s', async (route) => {
    const { client } = counting(server.testKey, 0);
    const ask = (model: string) =>
      route === 'chat'
        ? client.chat.completions.create(hello(model))
        : route === 'responses'
          ? client.responses.create({ model, input: 'Hello' })
          : client.embeddings.create({ model, input: 'Hello' });
    const limited = await failure(ask('sim-error-429'));
    expect(limited).toBeInstanceOf(RateLimitError);
    expect(limited.headers!.get('retry-after')).not.toBeNull();
    const broken = await failure(ask('sim-error-500'));
    expect(broken).toBeInstanceOf(InternalServerError);
    expect(await server.settled(broken.headers!.get('x-panicly-decision-id')!)).toMatchObject({
      settlement: { outcome: 'upstream_error', upstream_status: 500, cost_usd: '0.00', basis: 'none' },
    });
  });

  test('400 for what is no request is a BadRequestError that names the field', async () => {
    const { client, sent } = counting(server.testKey, 2);
    const error = await failure(client.chat.completions.create({ ...hello('m'), n: 0 }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_value', param: 'n' });
    expect(sent()).toBe(1);
  });

  test("a provider's 401 about our key is a 502 without the key, sent once", async () => {
    await server.policy(OPEN_POLICY);
    const before = mock.seen.length;
    const { client, sent } = counting(server.liveKey, 2);
    const error = await failure(client.chat.completions.create(hello('mock-401')));
    expect(error).toMatchObject({ status: 502, code: 'upstream_auth', type: 'upstream_error' });
    expect(error.message).not.toContain('sk-mock-key');
    expect([sent(), mock.seen.length - before]).toEqual([1, 1]);
  });

  test('other errors of a provider pass as they are', async () => {
    const { client } = counting(server.liveKey, 0);
    const limited = await failure(client.chat.completions.create(hello('mock-429')));
    expect(limited).toBeInstanceOf(RateLimitError);
    expect(limited.message).toContain('Rate limit reached');
    expect(limited.headers!.get('retry-after')).toBe('1');
    const broken = await server.post('/v1/chat/completions', server.liveKey, hello('mock-500-html'));
    expect([broken.status, broken.headers.get('content-type'), await broken.text()]).toEqual([
      500,
      'text/html',
      '<html><body>Internal Server Error</body></html>',
    ]);
    const empty = await server.post('/v1/chat/completions', server.liveKey, hello('mock-empty-error'));
    expect([empty.status, await empty.text()]).toEqual([503, '']);
  });

  test.each([
    ['mock-reset', 502, 'upstream_interrupted', 'upstream_interrupted'],
    ['mock-garbage', 502, 'upstream_interrupted', 'upstream_interrupted'],
    ['mock-short', 502, 'upstream_interrupted', 'upstream_interrupted'],
    ['mock-redirect', 502, 'upstream_redirect', 'upstream_error'],
  ])('%s is %d %s', async (model, status, reason, outcome) => {
    const error = await failure(counting(server.liveKey, 0).client.chat.completions.create(hello(model)));
    expect(error).toMatchObject({ status, code: reason });
    expect(await server.settled(error.headers!.get('x-panicly-decision-id')!)).toMatchObject({ settlement: { outcome } });
  });

  test('a provider that is not there is a 502, and costs nothing', async () => {
    const gone = await startMockProvider();
    await server.connect(gone, { name: 'gone', models: ['gone-model'] });
    await gone.close();
    const error = await failure(counting(server.liveKey, 0).client.chat.completions.create(hello('gone/gone-model')));
    expect(error).toMatchObject({ status: 502, code: 'upstream_unreachable' });
    expect(await server.settled(error.headers!.get('x-panicly-decision-id')!)).toMatchObject({
      settlement: { outcome: 'not_sent', cost_usd: '0.00' },
    });
  });
});

describe('what the SDK tries again', () => {
  test('a burst is tried again and passes when its window has moved', async () => {
    await server.policy({ ...OPEN_POLICY, burst: { mode: 'enforce', requests: 1, window_seconds: 1 } });
    const { client, sent } = counting(server.liveKey, 5);
    await client.chat.completions.create(hello('m'));
    const upstream = mock.seen.length;
    expect((await client.chat.completions.create(hello('m'))).choices).toHaveLength(1);
    expect(sent()).toBeGreaterThan(2);
    expect(mock.seen.length - upstream).toBe(1);
    expect(await server.decisions('&reason=burst_protection')).not.toEqual([]);
  });

  test('a burst without a retry says how long to wait, and may be a 429', async () => {
    await server.policy({ ...OPEN_POLICY, burst: { mode: 'enforce', requests: 1, window_seconds: 50 }, retryable_status: 429 });
    const { client } = counting(server.liveKey, 0);
    await client.chat.completions.create(hello('m')).catch(() => undefined);
    const error = await failure(client.chat.completions.create(hello('m')));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ code: 'burst_protection', type: 'policy_blocked' });
    expect(error.headers!.get('x-should-retry')).toBe('true');
    const seconds = Number(error.headers!.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(50);
    await server.policy(OPEN_POLICY);
  });

  test('Sentry Mode is not tried again, and ends when it is switched off', async () => {
    const path = `/projects/${await server.projectId()}/sentry`;
    await server.ask(path, { method: 'PUT', body: { enabled: true } });
    const { client, sent } = counting(server.liveKey, 3);
    const upstream = mock.seen.length;
    const error = await failure(client.chat.completions.create(hello('m')));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ code: 'sentry_mode' });
    expect(error.headers!.get('x-should-retry')).toBe('false');
    expect([sent(), mock.seen.length - upstream]).toEqual([1, 0]);
    await server.ask(path, { method: 'PUT', body: { enabled: false } });
    expect((await client.chat.completions.create(hello('m'))).choices).toHaveLength(1);
  });

  test('a budget that is used up is not tried again and says what it is', async () => {
    const pricing = { unknown_model_price: { input_usd_per_million: '1.00', output_usd_per_million: '1.00' } };
    await server.policy({ ...OPEN_POLICY, budgets: [{ scope: 'project', period: 'day', limit_usd: '0' }], pricing });
    const { client, sent } = counting(server.liveKey, 3);
    const error = await failure(client.chat.completions.create(hello('m')));
    expect(error).toMatchObject({ status: 403, code: 'project_budget' });
    expect(sent()).toBe(1);
    await server.policy(OPEN_POLICY);
  });
});

describe('capacity', () => {
  const workspace = async () => (await server.ask<{ data: { id: string }[] }>('/workspaces')).data[0]!.id;

  test('402 when the included volume is used, which is not tried again', async () => {
    await server.ask(`/workspaces/${await workspace()}`, { method: 'PATCH', body: { plan: 'custom', included_requests: 0 } });
    const { client, sent } = counting(server.liveKey, 3);
    const upstream = mock.seen.length;
    const error = await failure(client.chat.completions.create(hello('m')));
    expect(error).toMatchObject({ status: 402, type: 'capacity_exhausted' });
    expect(['included_volume_used', 'credits_exhausted']).toContain(error.code!);
    expect(error.headers!.get('x-should-retry')).toBe('false');
    expect([sent(), mock.seen.length - upstream]).toEqual([1, 0]);
    expect(await server.decision(error.headers!.get('x-panicly-decision-id')!)).toMatchObject({ decision: 'deny', reason: error.code });
  });

  test('a credit pays for one request', async () => {
    await server.ask(`/workspaces/${await workspace()}/credits`, { method: 'POST', body: { requests: 1, note: 'a present' } });
    const { client } = counting(server.liveKey, 0);
    expect((await client.chat.completions.create(hello('m'))).choices).toHaveLength(1);
    expect(await failure(client.chat.completions.create(hello('m')))).toMatchObject({ status: 402, code: 'credits_exhausted' });
  });

  test('test keys have a volume of their own', async () => {
    const { client } = counting(server.testKey, 0);
    const ask = () => client.embeddings.create({ model: 'm', input: 'x' });
    // The live key has used the credit up; here it is whole.
    expect((await ask()).data).toHaveLength(1);
    expect(await failure(ask())).toMatchObject({ status: 402 });
    await server.ask(`/workspaces/${await workspace()}`, { method: 'PATCH', body: { plan: 'unlimited', included_requests: null } });
    expect((await ask()).data).toHaveLength(1);
  });
});
