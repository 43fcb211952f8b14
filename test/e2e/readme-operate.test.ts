import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPanicly, startPanicly, temporaryDirectory, type Panicly } from '../support/binary.ts';
import { block, inline, Reader, README, SECTIONS, type Step } from '../support/readme.ts';
import { Receiver } from '../support/receiver.ts';

/** What operators are told to do, on one server that was started with the configuration file of the README. */

const SERVER = 'Run it on a small server';
const EXAMPLE = block('Configuration as code', 'toml');
const METRICS_TOKEN = 'scrape-0123456789-0123456789';
const SECRETS = { OPENAI_API_KEY: 'sk-canary-readme', ALERT_URL: 'https://hooks.example.com/canary-readme' };
const CHAT = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hi' }] };

let server: Panicly;
let reader: Reader;
let receiver: Receiver;

beforeAll(async () => {
  receiver = new Receiver();
  server = await startPanicly({ config: EXAMPLE, env: { ...SECRETS, PANICLY_METRICS_TOKEN: METRICS_TOKEN } });
  reader = new Reader({ PANICLY_URL: server.url, PANICLY_DATA: server.dataDir });
});
afterAll(async () => {
  await Promise.all([server.kill(), receiver.close()]);
});

const chat = (key: string) => server.post('/v1/chat/completions', key, CHAT);

test('Configuration as code', async () => {
  writeFileSync(reader.path('panicly.toml'), EXAMPLE);
  const again: Step = { line: 'panicly apply -f panicly.toml', out: /^Nothing to do/ };
  await reader.follow('Configuration as code', [
    { line: 'panicly apply -f panicly.toml --dry-run', out: /^\+ project default\/web$/m },
    { line: 'panicly apply -f panicly.toml', out: /Applied\.\n$/, after: () => reader.take(again) },
    { line: 'panicly export > panicly.toml', after: () => reader.take(again) },
  ]);
  expect(readFileSync(reader.path('panicly.toml'), 'utf8')).not.toContain('canary');
});

describe('Alerts', () => {
  let secret = '';
  let alert = '';

  test('its commands', async () => {
    writeFileSync(reader.path('slack-url.txt'), 'https://hooks.example.com/services/canary\n');
    const address = 'https://alerts.example.com';
    await reader.follow('Alerts', [
      {
        line: `panicly alerts create ops --url ${address}/panicly`,
        fill: () => ({ [`${address}/panicly`]: receiver.url() }),
        after: ({ stdout }) => {
          alert = /alr_\w+/.exec(stdout)![0];
          secret = /whsec_\w+/.exec(stdout)![0];
        },
      },
      { line: 'panicly alerts create team --format slack --url - < slack-url.txt', out: /team/ },
      { line: `panicly alerts create web --project web --events budget,sentry --thresholds 80,100 --url ${address}/web`, out: /whsec_/ },
      { line: 'panicly alerts test alr_...', fill: () => ({ 'alr_...': alert }) },
      { line: 'panicly alerts deliveries --state failed' },
    ]);
    expect(receiver.arrived).toHaveLength(1);
  });

  test('a message has the form that is shown', () => {
    // The shown one is of a budget; any other has at least what comes before the project, and the sentence.
    const shown = block('Alerts', 'json');
    const common = ['id', 'type', 'at', 'alert', 'message'];
    for (const field of common) expect(shown).toContain(`"${field}": `);
    expect(Object.keys(receiver.arrived[0]!.json)).toEqual(expect.arrayContaining(common));
    expect(receiver.arrived[0]!.json['alert']).toEqual({ id: alert, name: 'ops' });
  });

  test('its signature is what is said', () => {
    const { headers, body } = receiver.arrived[0]!;
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(headers.get('panicly-signature')!)!;
    expect(createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')).toBe(v1!);
    expect(Math.abs(Date.now() / 1000 - Number(t))).toBeLessThan(300);
    expect(headers.get('panicly-event-id')).toBe(receiver.arrived[0]!.json['id'] as string);
  });

  const withPython = test.skipIf(Bun.which('python3') === null); // because nothing but this example needs Python
  withPython('the Python that checks it takes it, and nothing else', async () => {
    const { headers, body } = receiver.arrived[0]!;
    const python = (text: string) =>
      `import hashlib, hmac, time\nheaders = ${JSON.stringify(Object.fromEntries(headers))}\nsecret = ${JSON.stringify(secret)}\n` +
      `body = ${JSON.stringify(text)}.encode()\nseen = set()\n${block('Alerts', 'python')}`;
    const checked = async (text: string) => {
      writeFileSync(reader.path('check.py'), python(text));
      return await reader.type('python3 check.py');
    };
    expect(await checked(body)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await checked(`${body} `)).stderr).toContain('not from Panicly');
  });
});

describe('Metrics and health', () => {
  test('the token of the scraper opens them and nothing else, and each that is to be watched is there', async () => {
    await server.settled((await chat(server.testKey)).headers.get('x-panicly-decision-id')!);
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
    const table = SECTIONS.find(({ title }) => title === 'Metrics, logs, traces')!.text;
    const names = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
    expect((await fetch(`${server.url}/admin/v1/projects`, { headers })).status).toBe(401);
  });

  test.each(['/healthz', '/readyz'])('%s is 200', async (path) => {
    expect(README).toContain(`\`${path}\``);
    expect((await fetch(server.url + path)).status).toBe(200);
  });
});

test('Exports', async () => {
  await reader.take({ line: inline(SERVER, 'panicly requests export'), out: /gpt-4\.1-mini/ });
  await reader.take({ line: `${inline(SERVER, 'panicly requests export')} --format jsonl`, out: /^\{.*\}\n$/ });
  await reader.take({ line: inline(SERVER, 'panicly usage export'), out: /^\w+(,\w+)+\r?\n/ });
  await reader.take({ line: inline(SERVER, 'panicly report --month 2026-10'), out: /2026-10/ });
});

describe('Keys', () => {
  test('one is rotated with a day to change, and the list says when it was used', async () => {
    const old = await server.makeKey({ name: 'app', environment: 'test' });
    const line = inline(SERVER, 'panicly keys rotate key_... --overlap 86400');
    let fresh = '';
    const after: Step['after'] = ({ stdout }) => void (fresh = /pk_test_\w+/.exec(stdout)![0]);
    await reader.take({ line, fill: () => ({ 'key_...': old.id }), after });
    expect([(await chat(old.key)).status, (await chat(fresh)).status]).toEqual([200, 200]);
    await reader.take({ line: 'panicly keys list --project default', out: /LAST USED/ });
  });

  test('a master key of the environment is replaced by starting with both, and then with the new one', async () => {
    const [first, second] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];
    const dataDir = join(temporaryDirectory(), 'data');
    const old = await startPanicly({ dataDir, env: { PANICLY_MASTER_KEY: first } });
    const provider = { name: 'groq', kind: 'groq', api_key: 'gsk-canary' };
    await old.ask(`/projects/${await old.projectId()}/providers`, { method: 'POST', body: provider });
    await old.stop();
    const both = await startPanicly({ dataDir, env: { PANICLY_MASTER_KEY: first, PANICLY_MASTER_KEY_NEW: second } });
    await both.stop();
    expect(README).toContain('wait for `master_key_changed` in the log');
    expect(both.stderr()).toContain('"event":"master_key_changed"');
    const fresh = await startPanicly({ dataDir, env: { PANICLY_MASTER_KEY: second } });
    expect((await fetch(`${fresh.url}/readyz`)).status).toBe(200);
    await fresh.stop();
    expect((await runPanicly(['serve', '--port', '0', '--data', dataDir], { env: { PANICLY_MASTER_KEY: first } })).code).toBe(2);
  });
});

test('Backups: a copy of the running server, and back', async () => {
  const copy = reader.path('copy.db');
  await reader.take({ line: inline(SERVER, 'panicly backup FILE'), fill: () => ({ FILE: copy }) });
  const { sha256 } = JSON.parse(readFileSync(`${copy}.json`, 'utf8')) as { sha256: string };
  expect(sha256).toBe(createHash('sha256').update(readFileSync(copy)).digest('hex'));
  await server.stop();
  const line = inline(SERVER, 'panicly restore FILE --data DIR');
  const fill = () => ({ FILE: copy, DIR: server.dataDir });
  await reader.take({ line, fill, code: 1, err: /--yes moves it aside/ });
  await reader.take({ line: `${line} --yes`, fill, out: /panicly ledger confirm-restore/ });
  await server.start();
  reader = new Reader({ PANICLY_URL: server.url, PANICLY_DATA: server.dataDir }, reader.cwd);
  const stopped = await chat(server.testKey);
  expect(await stopped.json()).toMatchObject({ error: { reason: 'sentry_mode' } });
  await reader.take({ line: inline(SERVER, 'panicly ledger confirm-restore') });
  expect((await chat(server.testKey)).status).toBe(200);
});

describe('systemd', () => {
  const unit = block(SERVER, 'ini');

  test('the binary takes the command of the unit', async () => {
    const [, program, args] = /^ExecStart=(\S+) (.*)$/m.exec(unit)!;
    expect(block(SERVER, 'sh')).toContain(` ${program}\n`);
    const { code, stdout } = await runPanicly([...args!.split(' '), '--help']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('Usage: panicly serve ') });
  });

  test('the unit sets variables that there are, and lets streams finish', () => {
    const variables = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name!);
    expect(variables).toEqual(['PANICLY_DATA']);
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]);
    const shutdown = Number(/`server\.shutdown_seconds` \| `(\d+)`/.exec(README)![1]);
    expect(stop).toBeGreaterThan(shutdown + 5);
  });

  test('the keys can be made before the first start', async () => {
    const line = inline(SERVER, 'sudo -u panicly panicly init --data /var/lib/panicly').replace('sudo -u panicly ', '');
    const data = join(temporaryDirectory(), 'data');
    await reader.take({ line, fill: () => ({ '/var/lib/panicly': data }), out: /pk_live_\w{36}/ });
  });
});
