import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_POLICY, runPanicly, startPanicly, type Panicly } from '../support/binary.ts';
import { leaks } from '../support/canaries.ts';
import { chatCompletion, chatStream, error, startMockProvider, type MockProvider } from '../support/mock-provider.ts';

/** Canaries are planted wherever a secret goes in, and looked for wherever anything comes out. */

const PROVIDER_KEY = 'sk-canary-provider-0123456789abcdef';
const PROMPT = 'canary-prompt-8d1f';
const ANSWER = 'canary-answer-77c2';
const TOOL = 'canary-tool-41aa';

let server: Panicly;
let mock: MockProvider;
/** Everything that came out, by where it came from. */
const seen = new Map<string, string>();
let secrets: Readonly<Record<string, string>>;

const chat = (change: object = {}) => ({
  model: 'any',
  messages: [{ role: 'user', content: PROMPT }],
  tools: [{ type: 'function', function: { name: TOOL, parameters: {} } }],
  ...change,
});

async function keep(name: string, response: Response): Promise<void> {
  const headers = [...response.headers].map(([header, value]) => `${header}: ${value}`).join('\n');
  seen.set(name, `${headers}\n\n${await response.text().catch((broken: unknown) => `broken: ${String(broken)}`)}`);
}

beforeAll(async () => {
  [server, mock] = await Promise.all([startPanicly(), startMockProvider()]);
  // What a first start prints is where secrets may stand; from here on they may not.
  await server.restart();
  secrets = { provider: PROVIDER_KEY, live: server.liveKey, test: server.testKey, operator: server.operatorToken };
  await server.connect(mock, { api_key: PROVIDER_KEY });
  await server.policy(OPEN_POLICY);
  await requests();
  await refusals();
  await operatorReads();
}, 60_000);
afterAll(async () => {
  await Promise.all([server.kill(), mock.close()]);
});

/** Requests that are answered: their answers hold the answer's canary, and are not kept. */
async function requests(): Promise<void> {
  const post = (path: string, key: string, body: object) =>
    server.post(path, key, body).then((response) => response.text().catch(() => ''));
  mock.behave(chatCompletion(ANSWER));
  await post('/v1/chat/completions', server.liveKey, chat());
  mock.behave(chatStream(5, true));
  await post('/v1/chat/completions', server.liveKey, chat({ stream: true, user: 'someone' }));
  mock.behave({ ...chatStream(5, true), cutAfter: 3 });
  await post('/v1/chat/completions', server.liveKey, chat({ stream: true }));
  await post('/v1/chat/completions', server.testKey, chat());
  await post('/v1/responses', server.testKey, { model: 'm', input: PROMPT, stream: true });
  await post('/v1/embeddings', server.testKey, { model: 'm', input: PROMPT });
  await post('/v1/chat/completions', server.testKey, chat({ stream: true, model: 'sim-cut' }));
}

/** Refusals and failures of each kind. */
async function refusals(): Promise<void> {
  const to = (key: string, body: object) => server.post('/v1/chat/completions', key, body);
  mock.behave(error(401, `Incorrect API key provided: ${PROVIDER_KEY}. Find yours at the console.`));
  await keep('a 401 of the provider that shows our key', await to(server.liveKey, chat()));
  mock.behave(error(403, `The key ${PROVIDER_KEY} may not do that`));
  await keep('a 403 of the provider that shows our key', await to(server.liveKey, chat()));
  mock.behave({ kind: 'garbage', text: `${PROVIDER_KEY} is no HTTP\r\n\r\n` });
  await keep('garbage of the provider', await to(server.liveKey, chat()));
  mock.behave({ kind: 'reset' });
  await keep('a reset', await to(server.liveKey, chat()));
  await keep('a wrong key', await to(`${server.liveKey.slice(0, -1)}!`, chat()));
  await keep('an operator token as a key', await to(server.operatorToken, chat()));
  await keep('a provider key as a key', await to(PROVIDER_KEY, chat()));
  await keep(
    'a live key for operators',
    await fetch(`${server.url}/admin/v1/projects`, { headers: { authorization: `Bearer ${server.liveKey}` } }),
  );
  await keep('a bad value', await to(server.liveKey, chat({ n: PROMPT })));
  await keep(
    'broken JSON',
    await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.liveKey}` },
      body: `{"a": "${PROMPT}`,
    }),
  );
  await keep(
    'a duplicate key',
    await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.liveKey}` },
      body: `{"model": "m", "messages": "${PROMPT}", "model": "n"}`,
    }),
  );
  await server.policy({ ...OPEN_POLICY, models: { mode: 'enforce', allow: ['other-*'] } });
  await keep('a model that is blocked', await to(server.liveKey, chat()));
  await keep(
    'a bad connection',
    await server.operator(`/projects/${await server.projectId()}/providers`, {
      method: 'POST',
      body: { name: 'x', kind: 'custom', base_url: `https://${PROVIDER_KEY}@host/v1`, api_key: PROVIDER_KEY },
    }),
  );
  await keep(
    'an unknown field',
    await server.operator(`/projects/${await server.projectId()}/providers`, {
      method: 'POST',
      body: { name: 'x', kind: 'openai', api_kye: PROVIDER_KEY },
    }),
  );
}

async function operatorReads(): Promise<void> {
  const project = await server.projectId();
  const paths = [
    '/projects',
    `/projects/${project}/keys`,
    `/projects/${project}/providers`,
    `/projects/${project}/policy`,
    '/decisions?limit=1000',
    '/audit',
    '/workspaces',
  ];
  for (const path of paths) {
    const response = await server.operator(path);
    expect([path, response.status]).toEqual([path, 200]);
    await keep(path, response);
  }
  for (const { id } of await server.decisions()) await keep(`decision ${id}`, await server.operator(`/decisions/${id}`));
  await keep('/metrics', await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.operatorToken}` } }));
  for (const path of ['/openapi.json', '/docs', '/healthz', '/readyz']) await keep(path, await fetch(server.url + path));
  const cli = await runPanicly(['requests', 'list', '--json'], { env: { PANICLY_URL: server.url, PANICLY_TOKEN: server.operatorToken } });
  seen.set('requests list', cli.stdout + cli.stderr);
}

test('the canaries were really planted', () => {
  expect(mock.seen.filter(({ headers }) => headers['authorization'] === `Bearer ${PROVIDER_KEY}`).length).toBeGreaterThan(5);
  expect(mock.seen.filter(({ body }) => body.includes(PROMPT)).length).toBeGreaterThan(5);
  expect(seen.size).toBeGreaterThan(25);
});

describe('no secret', () => {
  test('stands in an answer, an error, a list or a metric', () => {
    expect(leaks(seen, secrets)).toEqual([]);
  });

  test('no prompt, no answer and no tool name stands in what operators read', () => {
    expect(leaks(seen, { PROMPT, ANSWER, TOOL })).toEqual([]);
  });

  test('stands in the log of a server that had failures, or in that of its end', async () => {
    expect(await server.stop()).toBe(0);
    const logs = new Map([
      ['stdout', server.stdout()],
      ['stderr', server.stderr()],
    ]);
    expect(leaks(logs, { ...secrets, PROMPT, ANSWER, TOOL })).toEqual([]);
    // A provider that breaks is no failure of ours: it makes no noise.
    const events = server
      .stderr()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(['stopping', 'stopped']);
  });

  test('stands in a file, but for the token file and what the master key protects', async () => {
    await server.start();
    // Killed, so that the log of the database is there as well.
    mock.behave(chatCompletion(ANSWER));
    await server.policy(OPEN_POLICY);
    await (await server.post('/v1/chat/completions', server.liveKey, chat())).text();
    await server.kill();
    const files = readdirSync(server.dataDir);
    expect(files).toContain('panicly.db-wal');
    const contents = new Map(files.map((file) => [file, readFileSync(join(server.dataDir, file), 'latin1')]));
    expect(contents.get('operator.token')!.trim()).toBe(server.operatorToken);
    contents.delete('operator.token');
    expect(leaks(contents, { ...secrets, PROMPT, ANSWER, TOOL })).toEqual([]);
    const all = [...contents.values()].join('');
    for (const key of [server.liveKey, server.testKey]) expect(all).toContain(new Bun.CryptoHasher('sha256').update(key).digest('hex'));
  });

  test('a removed connection leaves no ciphertext behind', async () => {
    const db = new Database(join(server.dataDir, 'panicly.db'));
    const [row] = db.query<{ ciphertext: Uint8Array }, []>('SELECT ciphertext FROM provider_connections').all();
    db.close();
    const ciphertext = Buffer.from(row!.ciphertext).toString('latin1');
    expect(ciphertext.length).toBeGreaterThanOrEqual(PROVIDER_KEY.length);
    await server.start();
    const { data } = await server.ask<{ data: { id: string }[] }>(`/projects/${await server.projectId()}/providers`);
    expect((await server.operator(`/providers/${data[0]!.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await server.stop()).toBe(0);
    const after = readFileSync(join(server.dataDir, 'panicly.db'), 'latin1');
    expect(after.includes(ciphertext)).toBe(false);
    expect(readdirSync(server.dataDir)).not.toContain('panicly.db-wal');
  });
});
