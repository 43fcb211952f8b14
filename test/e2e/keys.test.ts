import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually, OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { chatEvent, startSteppingProvider, type SteppingProvider } from '../support/stepping-provider.ts';

/** Who is let in where, and for how long. */

const CUT_WITHIN_MS = 1_000;

let server: Panicly;
let mock: MockProvider;
let stepping: SteppingProvider;

beforeAll(async () => {
  [server, mock, stepping] = await Promise.all([startPanicly(), startMockProvider(), startSteppingProvider()]);
  await server.connect(stepping, { name: 'stepping', models: ['step'] });
  await server.connect(mock);
  await server.policy(OPEN_POLICY);
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close(), stepping.close()]);
});

const chat = (model = 'any', stream = false) => ({ model, messages: [{ role: 'user', content: 'Hi' }], stream });
const revoke = (id: string) => server.ask(`/keys/${id}/revoke`, { method: 'POST' });

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { error: { code: string } }).error.code];
}

describe('which key opens what', () => {
  const routes = [
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/responses'],
    ['POST', '/v1/embeddings'],
    ['GET', '/v1/models'],
    ['GET', '/v1/models/any'],
  ] as const;

  async function send(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const body = method === 'POST' ? JSON.stringify({ ...chat(), input: 'Hi' }) : null;
    return await fetch(server.url + path, { method, headers: { 'content-type': 'application/json', ...headers }, body });
  }

  test.each(routes)('%s %s', async (method, path) => {
    const before = (await server.decisions()).length;
    const sent = mock.seen.length;
    const refused: [Record<string, string>, string][] = [
      [{}, 'missing_key'],
      [{ authorization: 'Basic dXNlcjpwYXNz' }, 'missing_key'],
      [{ authorization: `Bearer ${server.operatorToken}` }, 'invalid_key'],
      [{ 'x-panicly-key': server.operatorToken }, 'invalid_key'],
      [{ authorization: 'Bearer sk-proj-something' }, 'invalid_key'],
      [{ authorization: `Bearer ${server.testKey.slice(0, -1)}` }, 'invalid_key'],
      [{ authorization: `Bearer ${server.testKey}`, 'x-panicly-key': server.liveKey }, 'conflicting_keys'],
    ];
    for (const [headers, code] of refused) expect(await codeOf(await send(method, path, headers))).toEqual([401, code]);
    expect((await server.decisions()).length).toBe(before);
    expect(mock.seen.length).toBe(sent);
    if (path.endsWith('/any')) return;
    for (const headers of [
      { authorization: `Bearer ${server.testKey}` },
      { authorization: `bearer ${server.testKey}` },
      { 'x-panicly-key': server.testKey },
    ])
      expect((await send(method, path, headers)).status).toBe(200);
  });

  test('x-panicly-key leaves the Authorization header out of it', async () => {
    const both = { authorization: `Bearer ${server.testKey}`, 'x-panicly-key': server.testKey };
    expect((await send('POST', '/v1/embeddings', both)).status).toBe(200);
  });

  test.each(['/admin/v1/projects', '/admin/v1/decisions', '/metrics'])('%s takes operators only', async (path) => {
    for (const token of [server.liveKey, server.testKey, `${server.operatorToken}x`]) {
      const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
      expect((await codeOf(response))[0]).toBe(401);
    }
    expect((await fetch(server.url + path, { headers: { 'x-panicly-key': server.operatorToken } })).status).toBe(401);
    expect((await fetch(server.url + path, { headers: { authorization: `Bearer ${server.operatorToken}` } })).status).toBe(200);
  });

  test.each(['/v1/completions', '/v1/chat/completions/x', '/v1/files', '/v1', '/', '/.env', '/admin/v1/nothing'])(
    '%s is a 404 in the error shape',
    async (path) => {
      for (const method of ['GET', 'POST']) {
        const response = await fetch(server.url + path, { method, headers: { authorization: `Bearer ${server.liveKey}` } });
        expect(await codeOf(response)).toEqual([404, 'unknown_url']);
      }
    },
  );
});

describe('a revoked key', () => {
  test('is refused on the next request, and its open stream is cut within a second; other keys go on', async () => {
    const [key, other] = await Promise.all([server.makeKey(), server.makeKey()]);
    const open = async (secret: string) => {
      const pending = server.post('/v1/chat/completions', secret, chat('step', true));
      const step = await stepping.next();
      step.send(chatEvent('one'));
      return { step, reader: (await pending).body!.getReader() };
    };
    const cut = await open(key.key);
    const kept = await open(other.key);
    for (const { reader } of [cut, kept]) expect(Buffer.from((await reader.read()).value).toString()).toBe(chatEvent('one'));
    await revoke(key.id);
    const closed = await Promise.race([cut.step.closed, Bun.sleep(CUT_WITHIN_MS).then(() => 'too late')]);
    expect(closed).toBeUndefined();
    const event = Buffer.from((await cut.reader.read()).value).toString();
    expect(JSON.parse(event.trim().slice('data: '.length))).toMatchObject({ error: { type: 'authentication_error', code: 'revoked_key' } });
    expect(await cut.reader.read().catch((error: unknown) => error)).toBeInstanceOf(Error);
    expect(await codeOf(await server.post('/v1/chat/completions', key.key, chat()))).toEqual([401, 'revoked_key']);
    expect((await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${key.key}` } })).status).toBe(401);
    kept.step.send(chatEvent('two'));
    expect(Buffer.from((await kept.reader.read()).value).toString()).toBe(chatEvent('two'));
    await kept.reader.cancel();
    const rows = await eventually('both are settled', async () => {
      const all = (await server.decisions()).filter(({ requested_model }) => requested_model === 'step');
      return all.every(({ settlement }) => settlement !== null) && all;
    });
    expect(rows.find(({ key_id }) => key_id === key.id)!.settlement!.outcome).toBe('cut_revoked');
    expect(rows.find(({ key_id }) => key_id === other.id)!.settlement!.outcome).toBe('client_aborted');
  });

  test('stays revoked over a restart', async () => {
    const key = await server.makeKey({ environment: 'test' });
    expect((await server.post('/v1/embeddings', key.key, { model: 'm', input: 'x' })).status).toBe(200);
    await revoke(key.id);
    await server.restart();
    expect(await codeOf(await server.post('/v1/embeddings', key.key, { model: 'm', input: 'x' }))).toEqual([401, 'revoked_key']);
    expect((await server.post('/v1/embeddings', server.testKey, { model: 'm', input: 'x' })).status).toBe(200);
  });

  test('one that was never sent upstream while it waited for its answer gets a 401', async () => {
    const key = await server.makeKey();
    const before = mock.seen.length;
    const pending = server.post('/v1/chat/completions', key.key, chat('mock-silence'));
    await mock.arrived(before + 1);
    await revoke(key.id);
    expect(await codeOf(await pending)).toEqual([401, 'revoked_key']);
    expect(await Promise.race([mock.seen[before]!.whenClosed, Bun.sleep(CUT_WITHIN_MS).then(() => 'too late')])).toBeUndefined();
  });
});

describe('an expiry', () => {
  test('ends a key when its time comes', async () => {
    const expires = new Date(Date.now() + 700).toISOString();
    const { key } = await server.makeKey({ environment: 'test', expires_at: expires });
    const ask = () => server.post('/v1/embeddings', key, { model: 'm', input: 'x' });
    expect((await ask()).status).toBe(200);
    const refused = await eventually('the key has expired', async () => {
      const response = await ask();
      return response.status !== 200 && response;
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires));
    expect(await codeOf(refused)).toEqual([401, 'expired_key']);
  });

  test('in the past, or no time at all, is refused', async () => {
    const project = await server.projectId();
    for (const expires_at of ['2020-01-01T00:00:00Z', 'tomorrow', 7]) {
      const response = await server.operator(`/projects/${project}/keys`, { method: 'POST', body: { name: 'k', expires_at } });
      expect(response.status).toBe(400);
      expect((await response.json()) as object).toMatchObject({ error: { param: 'expires_at' } });
    }
  });
});

describe('Sentry Mode', () => {
  test('cuts open streams within a second with an error event', async () => {
    const pending = server.post('/v1/chat/completions', server.liveKey, chat('step', true));
    const step = await stepping.next();
    step.send(chatEvent('one'));
    const reader = (await pending).body!.getReader();
    await reader.read();
    const sentry = `/projects/${await server.projectId()}/sentry`;
    await server.ask(sentry, { method: 'PUT', body: { enabled: true } });
    expect(await Promise.race([step.closed, Bun.sleep(CUT_WITHIN_MS).then(() => 'too late')])).toBeUndefined();
    expect(Buffer.from((await reader.read()).value).toString()).toContain('"code":"sentry_mode"');
    expect(await reader.read().catch((error: unknown) => error)).toBeInstanceOf(Error);
    await server.ask(sentry, { method: 'PUT', body: { enabled: false } });
  });
});
