import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from 'bun:sqlite';
import ipaddr from 'ipaddr.js';
import { ConfigProblem, loadConfig } from '../../src/config.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { examineDirectory } from '../../src/operator/doctor/local.ts';
import { trustedProxies } from '../../src/operator/doctor/machine.ts';
import { startScenario, type Scenario } from '../support/scenario.ts';

const CANARY = 'sk-doctor-CANARY-77aa01';
const DAY_MS = 86_400_000;
type Row = { check: string; state: string; found: string; fix: string | null };

test.each([
  ['10.0.0.0/8', 'ok'],
  ['127.0.0.1/32', 'ok'],
  ['fd00::/16', 'ok'],
  ['0.0.0.0/0', 'fail'],
  ['::/0', 'fail'],
  ['128.0.0.0/1', 'fail'],
])('believing %s is %s', (network, state) => {
  expect(trustedProxies([ipaddr.parseCIDR(network)]).state).toBe(state as 'ok');
});

describe('a running server', () => {
  let scenario: Scenario;
  let status = 200;
  const asked: (string | null)[] = [];
  const provider = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      asked.push(`${request.method} ${new URL(request.url).pathname} ${request.headers.get('authorization')}`);
      return status === 307 ? Response.redirect('/elsewhere', 307) : Response.json({ data: [] }, { status });
    },
  });
  beforeAll(async () => {
    scenario = await startScenario();
  });
  afterEach(async () => {
    const { data } = (await scenario.operate('GET', '/projects/default/providers')).json as { data: { id: string }[] };
    for (const { id } of data) await scenario.operate('DELETE', `/providers/${id}`);
    asked.length = 0;
  });
  afterAll(async () => {
    await provider.stop(true);
    await scenario.close();
  });

  const base = () => `http://127.0.0.1:${provider.port}/v1`;
  const connect = (body: object) =>
    scenario.operate('POST', '/projects/default/providers', { name: 'p', kind: 'custom', base_url: base(), ...body });
  const examine = async () => {
    const { json, text } = await scenario.operate('GET', '/doctor');
    expect(text).not.toContain(CANARY);
    return json['findings'] as Row[];
  };
  const rows = async (check: string) => (await examine()).filter((row) => row.check === check);
  const row = async (check: string) => (await rows(check))[0];

  test('as it is after the first start', async () => {
    const findings = await examine();
    expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'ledger',
        'clock',
        'disk',
        'write-ahead log',
        'trusted proxies',
        'providers',
        'price list',
        'price coverage',
        'keys',
        'operators',
        'backups',
        'alerts',
      ]),
    );
    for (const { state, fix } of findings) expect(fix === null).toBe(state === 'ok');
  });

  test('asks each provider once, with its key, for what costs nothing', async () => {
    expect((await connect({ api_key: CANARY })).status).toBe(201);
    const found = await rows('provider default/p');
    expect(asked).toEqual([`GET /v1/models Bearer ${CANARY}`]);
    expect(found.map(({ state }) => state)).toEqual(['ok']);
  });

  test.each([
    [401, 'fail', 'refuses our key'],
    [403, 'fail', 'refuses our key'],
    [404, 'ok', 'no list of models'],
    [429, 'warn', 'too many requests'],
    [503, 'warn', 'status 503'],
    [418, 'warn', 'status 418'],
    [307, 'fail', 'sends to another address'],
  ])('an answer of %d is %s', async (code, state, words) => {
    status = code;
    await connect({ api_key: CANARY });
    const [found] = await rows('provider default/p');
    expect([found!.state, found!.found]).toEqual([state, expect.stringContaining(words)]);
    status = 200;
  });

  test('a provider that is not there, and a variable that is not set', async () => {
    await connect({ name: 'gone', base_url: 'http://127.0.0.1:1/v1', api_key: CANARY });
    await connect({ name: 'unset', api_key_env: 'DOCTOR_TEST_API_KEY' });
    const findings = await examine();
    const lastOf = (name: string) => findings.findLast(({ check }) => check === `provider default/${name}`);
    expect(lastOf('gone')).toMatchObject({ state: 'fail', found: expect.stringContaining('cannot be reached') });
    expect(lastOf('unset')).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('DOCTOR_TEST_API_KEY'),
      fix: expect.stringContaining('restart'),
    });
    expect(asked).toEqual([]);
  });

  test('models without a price, keys and tokens that end, prices that are old, a clock that jumped', async () => {
    await connect({ api_key: CANARY, models: ['*'] });
    await scenario.operate('PUT', '/projects/default/policy', { abuse: { mode: 'off' }, budgets: [] });
    await scenario.operate('POST', '/projects/default/providers', { name: 'p', kind: 'custom', base_url: base() });
    expect((await scenario.chat(scenario.made.liveKey, { model: 'nobody-knows-me' })).status).toBe(200);
    expect(await row('price coverage')).toMatchObject({ state: 'warn', found: expect.stringContaining('nobody-knows-me') });
    const soon = new Date(scenario.clock.nowMs() + 3 * DAY_MS).toISOString();
    await scenario.operate('POST', '/projects/default/keys', { name: 'brief', expires_at: soon });
    await scenario.operate('POST', '/operators', { name: 'guest', role: 'viewer', expires_at: soon });
    expect([(await row('keys'))!.state, (await row('operators'))!.state]).toEqual(['warn', 'warn']);
    scenario.clock.jump(200 * DAY_MS);
    expect(await row('clock')).toMatchObject({ state: 'fail', fix: expect.stringContaining('confirm-clock') });
    await scenario.operate('POST', '/ledger/confirm-clock');
    expect(await row('price list')).toMatchObject({ state: 'warn', fix: expect.stringContaining('panicly prices refresh') });
    expect(await row('operators')).toMatchObject({ state: 'warn', found: expect.stringContaining('have ended') });
  });
});

describe('a data directory without a server', () => {
  let scratch = '';
  beforeAll(async () => {
    const scenario = await startScenario();
    await scenario.operate('POST', '/projects/default/providers', { name: 'p', kind: 'openai', api_key: CANARY });
    scratch = mkdtempSync(join(tmpdir(), 'panicly-doctor-'));
    await scenario.office.replays.close();
    await scenario.ledger.close();
    scenario.gateway.providers.close();
    for (const name of ['panicly.db', 'master.key'])
      await Bun.write(join(scratch, name), Bun.file(join(scenario.dataDir, name)), { mode: 0o600 });
    rmSync(scenario.dataDir, { recursive: true, force: true });
    chmodSync(scratch, 0o700);
    for (const name of ['panicly.db', 'master.key']) chmodSync(join(scratch, name), 0o600);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const findings = (environment: Record<string, string> = {}, nowMs = Date.now()) =>
    examineDirectory(() => loadConfig({ data: scratch }, environment), null, nowMs);
  const one = (check: string, ...args: Parameters<typeof findings>) => findings(...args).find((row) => row.check === check);

  test('is well when it is', () => {
    expect(findings().filter(({ state }) => state === 'fail')).toEqual([]);
    expect(one('master key')).toMatchObject({ state: 'ok', found: 'opens every stored key (1)' });
    expect(one('database')).toMatchObject({ state: 'ok' });
  });

  test('another master key, one that is none, and none', () => {
    const other = Buffer.alloc(32, 7).toString('base64');
    expect(one('master key', { PANICLY_MASTER_KEY: other })).toMatchObject({ state: 'fail', found: 'does not open the keys of p' });
    expect(one('master key', { PANICLY_MASTER_KEY: 'short' })?.state).toBe('fail');
    const path = join(scratch, 'master.key');
    const key = readFileSync(path);
    rmSync(path);
    expect(one('master key')).toMatchObject({ state: 'warn' });
    writeFileSync(path, key, { mode: 0o600 });
  });

  test('files that others may read', () => {
    chmodSync(join(scratch, 'panicly.db'), 0o644);
    const path = join(scratch, 'panicly.db');
    expect(one('permissions')).toMatchObject({ state: 'fail', fix: expect.stringContaining(`chmod go-rwx ${path}`) });
    // SQLite gives the files beside it the same mode.
    for (const name of readdirSync(scratch)) chmodSync(join(scratch, name), 0o600);
    expect(one('permissions')?.state).toBe('ok');
  });

  test('a clock behind the ledger, and a ledger of a newer binary', () => {
    expect(one('clock of this machine', {}, Date.now() - DAY_MS)).toMatchObject({ state: 'fail' });
    const db = new Database(ledgerPath(scratch));
    db.run("INSERT INTO schema_migrations VALUES ('9999_future', 'x', 0)");
    db.close();
    expect(one('database')).toMatchObject({ state: 'fail', found: expect.stringContaining('newer version') });
  });

  test('a file that is no database, a directory that is not there, a configuration that cannot be read', () => {
    writeFileSync(ledgerPath(scratch), 'this is no database, and never was one');
    expect(one('database')).toMatchObject({ state: 'fail', found: expect.stringContaining('cannot be read') });
    const nowhere = examineDirectory(() => loadConfig({ data: join(scratch, 'nowhere') }, {}), null, Date.now());
    expect(nowhere).toMatchObject([{ check: 'data directory', state: 'fail' }]);
    const broken = examineDirectory(
      () => {
        throw new ConfigProblem('server.port: expected integer');
      },
      null,
      Date.now(),
    );
    expect(broken).toMatchObject([{ check: 'configuration', state: 'fail', found: 'server.port: expected integer' }]);
  });
});
