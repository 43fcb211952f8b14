import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, OPEN_POLICY, runPanicly, startPanicly, temporaryDirectory, type Panicly } from '../support/binary.ts';
import { leaks, masterKeyCanaries, Places, spellings, type Canaries } from '../support/canaries.ts';
import { Collector } from '../support/collector.ts';
import { chatCompletion, error, sse, startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { readApi } from '../support/read-api.ts';
import { Receiver } from '../support/receiver.ts';

/**
 * Eight kinds of secrets go in wherever they can; every text that comes out anywhere is looked through for all of them, once, at the
 * end. No canary looks like a key: the log's own net for such is not what is tested.
 */

const PROVIDER_KEY = 'canary-provider-0123456789abcdef';
const ENVIRONMENT_KEY = 'canary-environment-fedcba9876543210';
const PROMPT = 'canary-prompt-8d1f04b7';
const ANSWER = 'canary-answer-77c2e91a';
const UPSTREAM_ECHO = 'canary-upstream-error-51f3';
const RECEIVER_ECHO = 'canary-receiver-answer-90ab';
const HOOK_PATH = 'canary-hook-path-4477aa';
const METRICS_TOKEN = 'canary-metrics-token-0a1b2c3d';
const COLLECTOR_TOKEN = 'canary-collector-token-9f8e7d';
const CLIENT_HEADER = 'canary-client-header-66d0';
const MASTER_KEY = Buffer.from('canary-master-key-0123456789abcd');
const OTHER_MASTER_KEY = Buffer.from('canary-other-key-abcdefghij01234');

const places = new Places();
const receiver = new Receiver();
const collector = new Collector();
/** The runtime would report a crash with `curl`; this one only notes that it was called. */
const bin = temporaryDirectory();
const called = join(bin, 'called');
writeFileSync(join(bin, 'curl'), `#!/bin/sh\necho "$@" >> '${called}'\n`, { mode: 0o755 });
let mock: MockProvider;
let server: Panicly;
/** A server that makes its own master key. */
let keeper: Panicly;
const canaries: Record<string, string> = {
  PROVIDER_KEY,
  ENVIRONMENT_KEY,
  PROMPT,
  ANSWER,
  UPSTREAM_ECHO,
  RECEIVER_ECHO,
  HOOK_PATH,
  METRICS_TOKEN,
  COLLECTOR_TOKEN,
  CLIENT_HEADER,
  ...masterKeyCanaries('master key', MASTER_KEY),
  ...masterKeyCanaries('other master key', OTHER_MASTER_KEY),
};

const serverEnv = () => ({
  PANICLY_MASTER_KEY: MASTER_KEY.toString('base64'),
  PANICLY_METRICS_TOKEN: METRICS_TOKEN,
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=${COLLECTOR_TOKEN}`,
  CANARY_PROVIDER_KEY: ENVIRONMENT_KEY,
  CANARY_HOOK: receiver.url(`/${HOOK_PATH}/env`),
  PATH: `${bin}:${process.env['PATH']}`,
});

beforeAll(async () => {
  const config = `[log]\nlevel = "debug"\nrequests = true\n\n[telemetry]\notlp_endpoint = "${collector.url}"\n`;
  [server, keeper, mock] = await Promise.all([startPanicly({ env: serverEnv(), config }), startPanicly(), startMockProvider()]);
  plant('server', server);
  plant('keeper', keeper);
  // The first start shows its keys; from here on they may not be seen.
  await Promise.all([server.restart(), keeper.restart()]);
  await server.connect(mock, { api_key: PROVIDER_KEY, models: ['any', 'any*'] });
  await server.connect(mock, { name: 'second', api_key: undefined, api_key_env: 'CANARY_PROVIDER_KEY', models: ['env*'] });
  await server.policy(OPEN_POLICY);
  await server.ask('/prices/openai/any', { method: 'PUT', body: { input_usd: '1', output_usd: '1' } });
  await webhooks();
  await answers();
  await upstreamErrors();
  await commands();
  await readApi(server, places, () => ask(chat()));
  await keeping();
  await ends();
}, 60_000);
afterAll(async () => {
  await Promise.all([server.kill(), keeper.kill(), mock.close(), receiver.close(), collector.close()]);
});

function plant(name: string, { liveKey, testKey, operatorToken }: Panicly): void {
  Object.assign(canaries, { [`${name}: live key`]: liveKey, [`${name}: test key`]: testKey, [`${name}: operator token`]: operatorToken });
}

const chat = (change: object = {}) => ({
  model: 'any',
  messages: [
    { role: 'system', content: `system ${PROMPT}` },
    { role: 'user', content: PROMPT },
  ],
  metadata: { note: PROMPT },
  tools: [{ type: 'function', function: { name: PROMPT, parameters: {} } }],
  ...change,
});

function ask(body: object, key = server.liveKey): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-canary': CLIENT_HEADER };
  return fetch(`${server.url}/v1/chat/completions?note=${CLIENT_HEADER}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** One receiver that takes what it gets, then one that says all it was told back to us, in each way in which it can fail. */
async function webhooks(): Promise<void> {
  const project = await server.projectId();
  const make = async (name: string, path: string) => {
    const body = { name, url: receiver.url(`/${HOOK_PATH}/${path}?token=${HOOK_PATH}`), events: ['sentry'] };
    const { id, secret } = await server.ask<{ id: string; secret: string }>('/alerts', { method: 'POST', body });
    canaries[`webhook secret of ${name}`] = secret;
    return { id, secret };
  };
  const turn = (enabled: boolean) => server.ask(`/projects/${project}/sentry`, { method: 'PUT', body: { enabled } });
  const outcome = (state: string, count: number) =>
    eventually(`${count} messages are ${state}`, async () => {
      const { data } = await server.ask<{ data: { attempts: number }[] }>(`/alerts/deliveries?state=${state}`);
      return data.filter(({ attempts }) => attempts > 0).length >= count;
    });
  const good = await make('good', 'good');
  await turn(true);
  await outcome('delivered', 1);
  const bad = await make('bad', 'bad');
  const told = (headers: Headers) => `${RECEIVER_ECHO} ${good.secret} ${bad.secret} ${headers.get('panicly-signature')}`;
  const ways = [
    (text: string) => new Response(text, { status: 500, statusText: RECEIVER_ECHO, headers: { 'x-echo': text, 'retry-after': '1' } }),
    (text: string) => new Response(text, { status: 302, headers: { location: `${receiver.url()}/${encodeURIComponent(text)}` } }),
    (text: string) => new Response(text, { status: 410 }),
  ];
  for (const [index, way] of ways.entries()) {
    receiver.behave(({ headers, path }) => (path.includes('bad') ? way(told(headers)) : new Response(told(headers))));
    await places.keep(`a test of an alert that fails, ${index}`, await server.operator(`/alerts/${bad.id}/test`, { method: 'POST' }));
  }
  await turn(false);
  await outcome('pending', 1);
  for (const [index, { body }] of receiver.arrived.entries()) places.add(`message ${index} of an alert`, body);
}

/** Answers that reach their clients hold the answer's canary, and are not kept. */
async function answers(): Promise<void> {
  mock.behave(chatCompletion(ANSWER));
  for (const body of [chat(), chat({ model: 'env' })]) expect(await (await ask(body)).text()).toContain(ANSWER);
  mock.behave(sse([{ choices: [{ index: 0, delta: { content: ANSWER } }] }, 'data: [DONE]\n\n']));
  expect(await (await ask(chat({ stream: true }))).text()).toContain(ANSWER);
  mock.behave({ ...sse([{ choices: [{ index: 0, delta: { content: ANSWER } }] }, { late: ANSWER }]), cutAfter: 1 });
  await (await ask(chat({ stream: true }))).text().catch(() => '');
  await (await ask(chat(), server.testKey)).text();
}

/** Providers that say back what they were sent. */
async function upstreamErrors(): Promise<void> {
  const post = (body: object = {}) => ask(chat(body));
  for (const status of [400, 401, 403, 404, 429, 500, 503]) {
    mock.behave(({ headers, body }) =>
      error(status, `${UPSTREAM_ECHO} ${headers['authorization']} ${body.toString()}`, { 'x-echo': headers['authorization'] ?? '' }),
    );
    await places.keep(`a ${status} that shows our key`, await post());
    await places.keep(`a ${status} that shows our key from the environment`, await post({ model: 'env', stream: true }));
  }
  mock.behave({ kind: 'garbage', text: `${UPSTREAM_ECHO} ${PROVIDER_KEY} ${PROMPT}\r\n\r\n` });
  await places.keep('garbage', await post());
  // An error about the client's own request is the client's to read, its body but no header of ours.
  mock.behave(({ body }) => error(400, `${UPSTREAM_ECHO} ${body.toString()}`, { 'x-echo': PROVIDER_KEY, 'set-cookie': PROVIDER_KEY }));
  const own = await post();
  expect([own.status, await own.clone().text()]).toEqual([400, expect.stringContaining(UPSTREAM_ECHO)]);
  const mine = new Places();
  await mine.keep('an error about the request', own);
  const theirs = ['PROMPT', 'UPSTREAM_ECHO'].map((name) => `${name} in an error about the request`);
  expect(leaks(mine.seen, canaries)).toEqual(theirs);
  mock.behave(chatCompletion(ANSWER));
}

/** What people type, in both of its forms. */
async function commands(): Promise<void> {
  const directory = temporaryDirectory();
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const provider = (key: string) =>
    `[[projects]]\nname = "web"\n[[projects.providers]]\nname = "p"\nkind = "openai"\n${key}\n[[alerts]]\nname = "spend"\nurl_env = "CANARY_HOOK"\n`;
  const file = write('good.toml', provider('api_key_env = "CANARY_PROVIDER_KEY"'));
  const wrong = write('wrong.toml', provider(`api_key = "${PROVIDER_KEY}"`));
  const found = write('found.log', `${server.liveKey} and ${server.operatorToken} and ${server.testKey} ${PROMPT}\n`);
  const env = { ...serverEnv(), PANICLY_URL: server.url, PANICLY_TOKEN: server.operatorToken, PANICLY_DATA: server.dataDir };
  const lines = [
    ['status'],
    ['doctor'],
    ['doctor', '--json'],
    ['export'],
    ['export', '--json', '--full'],
    ['apply', '-f', file, '--dry-run'],
    ['apply', '-f', file, '--yes', '--json'],
    ['apply', '-f', wrong, '--dry-run'],
    ['keys', 'scan', found],
    ['keys', 'scan', found, '--json'],
    ['requests', 'export', '--format', 'jsonl'],
    ['providers', 'list'],
    ['alerts', 'deliveries'],
    ['backup', '--json'],
    ['backup', join(directory, 'taken.db')],
    ['status', '--json'],
  ];
  for (const line of lines) await command(line.join(' ').replaceAll(directory, ''), line, env);
  for (const name of readdirSync(directory).filter((some) => some.startsWith('taken'))) {
    places.add(`backup that was taken here: ${name}`, readFileSync(join(directory, name), 'latin1'));
  }
  await command('status with a wrong token', ['status'], { ...env, PANICLY_TOKEN: `${server.operatorToken}x` });
}

async function command(name: string, line: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const { code, stdout, stderr } = await runPanicly(line, { env });
  places.add(`$ ${name}`, stdout + stderr);
  return code;
}

/** A master key that the server has made, and one that takes its place. */
async function keeping(): Promise<void> {
  const keyFile = () => Buffer.from(readFileSync(join(keeper.dataDir, 'master.key'), 'latin1'), 'base64');
  Object.assign(canaries, masterKeyCanaries('made master key', keyFile()));
  await keeper.connect(mock, { api_key: PROVIDER_KEY });
  await places.keep('keeper: rotation', await keeper.operator('/master-key/rotate', { method: 'POST' }));
  Object.assign(canaries, masterKeyCanaries('rotated master key', keyFile()));
  await places.keep('keeper: backup', await keeper.operator('/backup', { method: 'POST' }));
  for (const path of ['/doctor', '/status', '/audit', '/configuration']) await places.keep(`keeper: ${path}`, await keeper.operator(path));
}

/** Ends of all kinds, and starts that fail. */
async function ends(): Promise<void> {
  const output = (name: string, of: Panicly) => {
    places.add(`${name}: stdout`, of.stdout());
    places.add(`${name}: stderr`, of.stderr());
  };
  await collector.asked(1);
  await keeper.kill();
  output('keeper', keeper);
  files('keeper', keeper.dataDir);
  await failedStarts();
  process.kill(server.pid, 'SIGABRT');
  expect(await server.exited()).not.toBe(0);
  output('aborted', server);
  expect(readdirSync(server.dataDir)).toContain('panicly.db-wal');
  files('server', server.dataDir);
  await server.start();
  process.kill(server.pid, 'SIGSEGV');
  expect(await server.exited()).not.toBe(0);
  output('segmentation fault', server);
  await server.start();
  await (await ask(chat())).text();
  expect(await server.stop()).toBe(0);
  output('stopped', server);
  for (const [index, { text }] of collector.requests.entries()) places.add(`traces ${index}`, text);
}

async function failedStarts(): Promise<void> {
  const serve = (name: string, dataDir: string, change: Readonly<Record<string, string>> = {}, port = '0') =>
    command(name, ['serve', '--port', port, '--data', dataDir], { ...serverEnv(), PANICLY_ALLOW_HTTP_UPSTREAM: '1', ...change });
  const copy = (from: string) => {
    const to = join(temporaryDirectory(), 'data');
    mkdirSync(to);
    for (const name of readdirSync(from))
      if (!/lock|backups/.test(name)) cpSync(join(from, name), join(to, name), { preserveTimestamps: true });
    return to;
  };
  const wrongKey = { PANICLY_MASTER_KEY: OTHER_MASTER_KEY.toString('base64') };
  const damaged = copy(keeper.dataDir);
  writeFileSync(join(damaged, 'panicly.db'), `${PROMPT} is no database `.repeat(1_000));
  const badKey = copy(keeper.dataDir);
  writeFileSync(join(badKey, 'master.key'), `${MASTER_KEY.toString('base64')} ${OTHER_MASTER_KEY.toString('hex')}`);
  const codes = [
    await serve('port in use', join(temporaryDirectory(), 'data'), {}, new URL(server.url).port),
    await serve('data in use', server.dataDir),
    await serve('wrong master key', copy(server.dataDir), wrongKey),
    await serve('no master key', join(temporaryDirectory(), 'data'), { PANICLY_MASTER_KEY: MASTER_KEY.toString('hex') }),
    await serve('damaged ledger', damaged),
    await command('damaged key file', ['serve', '--port', '0', '--data', badKey], {}),
    await serve('a short metrics token', join(temporaryDirectory(), 'data'), {
      PANICLY_METRICS_TOKEN: `${METRICS_TOKEN} ${METRICS_TOKEN}`,
    }),
    await serve('bad headers', join(temporaryDirectory(), 'data'), {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: COLLECTOR_TOKEN,
    }),
  ];
  expect(codes).toEqual(codes.map(() => 2));
}

/** The raw bytes of everything in a data directory but the two files that are secrets. */
function files(name: string, directory: string): void {
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (path === 'operator.token' || path === 'master.key' || !statSync(join(directory, path)).isFile()) continue;
    places.add(`${name}: file ${path}`, readFileSync(join(directory, path), 'latin1'));
  }
}

test('no canary is in any log, answer, metric, trace, export, message, file or output of a crash', () => {
  expect(leaks(places.seen, canaries)).toEqual([]);
});

test('the canaries were really planted, and the places are not empty', () => {
  const sent = mock.seen.map(({ headers, body }) => `${headers['authorization']} ${body.toString()}`).join('\n');
  for (const canary of [PROVIDER_KEY, ENVIRONMENT_KEY, PROMPT]) expect(sent).toContain(canary);
  expect(receiver.arrived.map(({ path }) => path.split('/')[1])).toContain(HOOK_PATH);
  expect(collector.requests[0]!.headers.get('authorization')).toBe(COLLECTOR_TOKEN);
  expect(collector.spans.length).toBeGreaterThan(10);
  const empty = [...places.seen].filter(([, text]) => text.trim() === '').map(([place]) => place);
  expect(empty.filter((place) => !/stdout|stderr|file panicly.lock/.test(place))).toEqual([]);
  const all = [...places.seen.keys()].join('\n');
  expect(places.seen.size).toBeGreaterThan(120);
  for (const word of ['"event":"request"', '"event":"request_refused"']) expect(places.seen.get('aborted: stderr')).toContain(word);
  for (const word of ['panicly.db-wal', 'backups/', '.json', '/configuration', '/decisions/tail', 'format=csv', 'format=jsonl', 'metrics'])
    expect(all).toContain(word);
});

test('a crash shows that it was one, and tells nobody', () => {
  expect(places.seen.get('segmentation fault: stderr')).toMatch(/panic|Segmentation/);
  expect(existsSync(called)).toBe(false);
});

const planted: Canaries = { secret: 'canary-planted-0123456789' };
test.each(spellings(planted['secret']!))('a canary that is spelled %s is found', (form) => {
  expect(leaks(new Map([['here', `a ${form} b`]]), planted)).toEqual(['secret in here']);
});
