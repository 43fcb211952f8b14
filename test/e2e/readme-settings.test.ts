import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_FIELDS, loadConfig } from '../../src/config.ts';
import { newSecret } from '../../src/domain/key.ts';
import { runPanicly, startPanicly, temporaryDirectory } from '../support/binary.ts';
import { README, settings } from '../support/readme.ts';
import { projectFile } from '../support/sources.ts';

/** The table of settings in the README: each row is taken by the binary, and there is no other. */

const COUNTRIES = join(import.meta.dir, '..', '..', 'node_modules', '@ip-location-db', 'iptoasn-country-mmdb', 'iptoasn-country-ipv4.mmdb');
const ROWS = settings();

/** A value for each field, in TOML. */
const FIELDS: Readonly<Record<string, string>> = {
  'server.data': '"data"',
  'server.host': '"127.0.0.1"',
  'server.port': '0',
  'server.trusted_proxies': '["127.0.0.1", "10.0.0.0/8"]',
  'server.country_header': '"cf-ipcountry"',
  'server.country_database': JSON.stringify(COUNTRIES),
  'server.cors_origins': '["https://app.example.com"]',
  'server.shutdown_seconds': '10',
  'limits.body_bytes': '1_000_000',
  'limits.bodies_in_flight_bytes': '10_000_000',
  'limits.receive_seconds': '5',
  'limits.requests_in_flight': '100',
  'limits.slow_client_seconds': '5',
  'upstream.first_byte_seconds': '60',
  'upstream.idle_seconds': '60',
  'upstream.allow_http': 'true',
  'upstream.proxy': '"http://proxy.example.com:8080"',
  'backup.directory': '"copies"',
  'backup.every_hours': '24',
  'backup.keep': '3',
  'retention.decisions_days': '90',
  'log.level': '"debug"',
  'log.requests': 'true',
  'telemetry.otlp_endpoint': '"http://127.0.0.1:9"',
  'telemetry.service_name': '"gateway"',
  'telemetry.sample': '0.5',
};

/** A value for each variable; `PANICLY_CONFIG` names the file with all fields. */
const variables = (directory: string): Readonly<Record<string, string>> => ({
  PANICLY_DATA: join(directory, 'data'),
  PANICLY_HOST: '127.0.0.1',
  PANICLY_PORT: '0',
  PANICLY_CONFIG: fileOf(FIELDS, directory),
  PANICLY_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
  PANICLY_MASTER_KEY_NEW: Buffer.alloc(32, 2).toString('base64'),
  PANICLY_OPERATOR_TOKEN: newSecret('po_live_'),
  PANICLY_ALLOW_HTTP_UPSTREAM: '1',
  PANICLY_METRICS_TOKEN: 'scrape-0123456789-0123456789',
  PANICLY_LOG: 'warn',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x',
  OTEL_SERVICE_NAME: 'gateway',
});

const FLAGS = ['--data', '--host', '--port', '--config'];

/** Writes fields as a configuration file. */
function fileOf(fields: Readonly<Record<string, string>>, directory: string): string {
  const tables = Map.groupBy(Object.entries(fields), ([name]) => name.split('.')[0]!);
  const text = [...tables].map(
    ([table, entries]) => `[${table}]\n${entries.map(([name, value]) => `${name.slice(table.length + 1)} = ${value}\n`).join('')}`,
  );
  const path = join(directory, 'panicly.toml');
  writeFileSync(path, text.join('\n'));
  return path;
}

const named = (column: 'flag' | 'variable' | 'field') => ROWS.map((row) => row[column]).filter((name) => name !== '');

describe('the table of settings', () => {
  test('has what the program knows, and each row is tried below', () => {
    expect(named('field').toSorted()).toEqual(FILE_FIELDS.toSorted());
    expect(named('field').toSorted()).toEqual(Object.keys(FIELDS).toSorted());
    expect(named('variable').toSorted()).toEqual(Object.keys(variables(temporaryDirectory())).toSorted());
    expect(named('flag')).toEqual(FLAGS);
  });

  test('every variable that is read stands in the README', () => {
    const code = projectFile('src/config.ts') + projectFile('src/telemetry/settings.ts');
    const read = [...new Set([...code.matchAll(/environment\['(\w+)'\]/g)].map(([, name]) => name!))];
    expect(read.length).toBeGreaterThan(12);
    expect(read.filter((name) => !README.includes(`\`${name}`))).toEqual([]);
  });

  const defaults = ROWS.filter(({ field }) => field !== '').map(({ field, standard }) => [field, standard] as const);
  test.each(defaults)('%s: the default is %s', (field, standard) => {
    const traced = { 'telemetry.otlp_endpoint': FIELDS['telemetry.otlp_endpoint']! };
    const plain = loadConfig({ config: fileOf(traced, temporaryDirectory()) }, {});
    const written = tomlOf(standard);
    // In words: nothing, or something else than a value.
    if (written === null) expect(standard).toMatch(/^(?:none|off|built in|for ever|`backups` in the data directory)$/);
    else expect(loadConfig({ config: fileOf({ ...traced, [field]: written }, temporaryDirectory()) }, {})).toEqual(plain);
  });
});

/** A default as it stands in the table, as TOML; null for one in words. */
function tomlOf(standard: string): string | null {
  const size = /^(\d+) MiB$/.exec(standard);
  if (size) return String(Number(size[1]) * 1024 * 1024);
  const literal = /^`([^`]*)`$/.exec(standard)?.[1];
  if (literal === undefined) return null;
  return /^(?:[\d.]+|true|false)$/.test(literal) && !/\..*\./.test(literal) ? literal : JSON.stringify(literal);
}

describe('the binary', () => {
  test('starts with a file that has every field', async () => {
    const cwd = temporaryDirectory();
    const server = await startPanicly({ cwd, env: { PANICLY_CONFIG: fileOf(FIELDS, cwd) } });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(server.stderr()).not.toContain('"level":"error"');
    await server.kill();
  });

  test('starts with every variable', async () => {
    const directory = temporaryDirectory();
    const env = variables(directory);
    const server = await startPanicly({ cwd: directory, dataDir: env['PANICLY_DATA']!, env });
    const headers = { authorization: `Bearer ${env['PANICLY_OPERATOR_TOKEN']}` };
    expect((await fetch(`${server.url}/admin/v1/projects`, { headers })).status).toBe(200);
    await server.kill();
  });

  test('takes every flag, and they beat the rest', async () => {
    const directory = temporaryDirectory();
    const values = [join(directory, 'data'), '203.0.113.9', '0', fileOf(FIELDS, directory)];
    const args = FLAGS.flatMap((flag, index) => [flag, values[index]!]);
    const { code, stderr } = await runPanicly(['serve', ...args], { cwd: directory, env: { PANICLY_HOST: '127.0.0.1' } });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('203.0.113.9') });
  });

  test('does not start with a field that is not known', async () => {
    const directory = temporaryDirectory();
    const { code, stderr } = await runPanicly(['serve', '--config', fileOf({ 'server.colour': '"red"' }, directory)], { cwd: directory });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('server.colour is not known') });
  });
});
