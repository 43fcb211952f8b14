import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { cliEnvironment, ConfigProblem, loadConfig, readEnvironmentVariable, type Config } from '../src/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'panicly-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function file(toml: string): string {
  const path = join(directory, `${files++}.toml`);
  writeFileSync(path, toml);
  return path;
}

const load = (toml: string): Config => loadConfig({ config: file(toml) }, {});

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigProblem);
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

describe('defaults', () => {
  test('are safe ones', () => {
    expect(loadConfig({}, {})).toEqual({
      dataDir: resolve('./panicly-data'),
      host: '127.0.0.1',
      port: 3000,
      trustedProxies: [],
      countryHeader: null,
      countryDatabase: null,
      corsOrigins: [],
      shutdownMs: 30_000,
      bodyBytes: 33_554_432,
      bodiesInFlightBytes: 536_870_912,
      receiveMs: 25_000,
      requestsInFlight: 20_000,
      slowClientMs: 20_000,
      firstByteMs: 600_000,
      idleMs: 300_000,
      allowHttpUpstream: false,
      upstreamProxy: null,
      masterKey: null,
      masterKeyNew: null,
      operatorToken: null,
      backupDirectory: resolve('./panicly-data/backups'),
      backupEveryMs: null,
      backupKeep: 7,
      retentionDays: null,
      metricsToken: null,
      log: { level: 'info', requests: false },
      tracing: null,
    });
  });
});

describe('flags over environment over file over defaults', () => {
  const toml = file('[server]\nhost = "0.0.0.1"\nport = 1\ndata = "/from/file"');
  const environment = { PANICLY_CONFIG: toml, PANICLY_HOST: '0.0.0.2', PANICLY_PORT: '2', PANICLY_DATA: '/from/environment' };

  test.each<[string, Parameters<typeof loadConfig>[0], Parameters<typeof loadConfig>[1], [string, number, string]]>([
    ['file', { config: toml }, {}, ['0.0.0.1', 1, '/from/file']],
    ['file by the environment', {}, { PANICLY_CONFIG: toml }, ['0.0.0.1', 1, '/from/file']],
    ['environment', {}, environment, ['0.0.0.2', 2, '/from/environment']],
    ['flags', { host: '0.0.0.3', port: '3', data: '/from/flag' }, environment, ['0.0.0.3', 3, '/from/flag']],
    ['port 0 of a flag', { port: '0' }, environment, ['0.0.0.2', 0, '/from/environment']],
  ])('%s', (_, flags, env, expected) => {
    const { host, port, dataDir } = loadConfig(flags, env);
    expect([host, port, dataDir]).toEqual(expected);
  });

  test('paths are absolute', () => {
    expect(isAbsolute(loadConfig({ data: 'here' }, {}).dataDir)).toBe(true);
    expect(isAbsolute(load('[server]\ncountry_database = "x.mmdb"').countryDatabase!)).toBe(true);
  });

  test.each([
    ['1', true],
    ['0', false],
    ['true', false],
    ['', false],
  ])('PANICLY_ALLOW_HTTP_UPSTREAM=%p is %p', (value, allowed) => {
    expect(loadConfig({}, { PANICLY_ALLOW_HTTP_UPSTREAM: value }).allowHttpUpstream).toBe(allowed);
  });

  test.each([
    ['1', false, true],
    ['0', true, false],
    ['', true, true],
  ])('PANICLY_ALLOW_HTTP_UPSTREAM=%p beats allow_http = %p of the file', (value, written, allowed) => {
    const config = file(`[upstream]\nallow_http = ${written}`);
    expect(loadConfig({ config }, { PANICLY_ALLOW_HTTP_UPSTREAM: value }).allowHttpUpstream).toBe(allowed);
  });
});

describe('a file', () => {
  test.each<[string, Partial<Config>]>([
    ['[server]\nshutdown_seconds = 5', { shutdownMs: 5_000 }],
    ['[server]\ncors_origins = ["https://a.test"]', { corsOrigins: ['https://a.test'] }],
    ['[server]\ncountry_header = "CF-IPCountry"', { countryHeader: 'cf-ipcountry' }],
    ['[limits]\nslow_client_seconds = 5', { slowClientMs: 5_000 }],
    [
      '[limits]\nreceive_seconds = 7\nbody_bytes = 10\nbodies_in_flight_bytes = 20',
      { receiveMs: 7_000, bodyBytes: 10, bodiesInFlightBytes: 20 },
    ],
    ['[limits]\nrequests_in_flight = 1', { requestsInFlight: 1 }],
    ['[upstream]\nfirst_byte_seconds = 1\nidle_seconds = 2', { firstByteMs: 1_000, idleMs: 2_000 }],
    ['[upstream]\nallow_http = true\nproxy = "http://p.test:1"', { allowHttpUpstream: true, upstreamProxy: 'http://p.test:1' }],
    ['', {}],
  ])('%s', (toml, expected) => {
    expect(load(toml)).toMatchObject(expected);
  });

  test.each([
    ['[server]\nprot = 1', 'server.prot'],
    ['[sever]\nport = 1', 'sever'],
    ['port = 1', 'port'],
    ['[limits]\nbody_byte = 1', 'limits.body_byte'],
    ['[server]\nport = "1"', 'server.port'],
    ['[server]\nport = 65536', 'server.port'],
    ['[server]\nport = -1', 'server.port'],
    ['[server]\nport = 1.5', 'server.port'],
    ['[server]\nhost = ""', 'server.host'],
    ['[limits]\nslow_client_seconds = 0', 'limits.slow_client_seconds'],
    ['[limits]\nreceive_seconds = 0', 'limits.receive_seconds'],
    ['[limits]\nreceive_seconds = 3601', 'limits.receive_seconds'],
    ['[limits]\nbody_bytes = 0', 'limits.body_bytes'],
    ['[limits]\nrequests_in_flight = 0', 'limits.requests_in_flight'],
    ['[upstream]\nidle_seconds = 86401', 'upstream.idle_seconds'],
    ['[upstream]\nallow_http = 1', 'upstream.allow_http'],
    ['server = 1', 'server'],
  ])('%s is refused by its name', (toml, field) => {
    expect(problem(() => load(toml))).toContain(field);
  });

  test('that is no TOML, or is not there, is named', () => {
    const broken = file('[server\nport');
    expect(problem(() => loadConfig({ config: broken }, {}))).toContain(broken);
    expect(problem(() => loadConfig({ config: '/nowhere.toml' }, {}))).toContain('/nowhere.toml');
  });
});

describe('a port', () => {
  test.each(['', ' ', 'x', '-1', '65536', '1e3', '0x10', '80 ', '+80', '1.0', '100000'])('%j is refused', (port) => {
    expect(problem(() => loadConfig({ port }, {}))).toContain('port');
    expect(problem(() => loadConfig({}, { PANICLY_PORT: port }))).toContain('port');
  });
});

describe('trusted proxies', () => {
  const read = (text: string): string => {
    const [[network, bits]] = load(`[server]\ntrusted_proxies = [${JSON.stringify(text)}]`).trustedProxies as [
      Config['trustedProxies'][number],
    ];
    return `${network.toString()}/${bits}`;
  };

  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.1', '10.0.0.1/32'],
    ['::1', '::1/128'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each([
    '',
    'proxy.test',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0',
    '10.1/8',
    '010.0.0.0/8',
    '0x0a000001',
    '167772161',
    '*',
    '2001:db8::/129',
    '10.0.0.0/8/8',
  ])('%j is refused', (text) => {
    expect(problem(() => read(text))).toContain('trusted_proxies');
  });
});

describe('the environment', () => {
  test('a variable of a connection is null when it is not there or empty', () => {
    expect(readEnvironmentVariable('PANICLY_NO_SUCH_VARIABLE')).toBeNull();
    expect(readEnvironmentVariable('PATH')).toBe(Bun.env['PATH']!);
  });

  test('the command line finds its server and its token', () => {
    writeFileSync(join(directory, 'operator.token'), 'po_live_x\n');
    expect(cliEnvironment({ PANICLY_DATA: directory })).toEqual({ url: 'http://127.0.0.1:3000', token: 'po_live_x', dataDir: directory });
    expect(cliEnvironment({ PANICLY_DATA: directory, PANICLY_TOKEN: 't', PANICLY_PORT: '5' })).toMatchObject({
      token: 't',
      url: 'http://127.0.0.1:5',
    });
    expect(cliEnvironment({ PANICLY_URL: 'https://p.test', PANICLY_DATA: '/nowhere' })).toMatchObject({
      url: 'https://p.test',
      token: null,
    });
  });
});
