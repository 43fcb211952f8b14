import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_FIELDS, loadConfig } from '../src/config.ts';
import { BodyBudget } from '../src/gateway/body-budget.ts';
import { pathLimits, reload, SETTINGS, type Reloaded, type Running } from '../src/reload.ts';
import { temporaryDirectory } from './support/binary.ts';
import { World } from './support/gateway.ts';

/** A process that runs with the settings of a file, and what reading the file again does. */
class Process {
  readonly file = join(temporaryDirectory(), 'panicly.toml');
  readonly running: Running;
  starts = 0;

  constructor(text: string) {
    this.write(text);
    const config = this.#read();
    this.running = {
      config,
      gateway: {
        limits: pathLimits(config),
        origin: { trustedProxies: config.trustedProxies, countryHeader: config.countryHeader, lookup: () => null },
        bodies: new BodyBudget(config.bodiesInFlightBytes),
      },
      cors: { origins: config.corsOrigins },
      log: { level: config.log.level },
      schedules: [{ start: () => void this.starts++ }],
      startBodyBytes: config.bodyBytes,
    };
  }

  write(text: string): void {
    writeFileSync(this.file, text);
  }

  reload(text: string): Reloaded {
    this.write(text);
    return reload(this.running, () => this.#read());
  }

  #read() {
    return loadConfig({ config: this.file }, {});
  }
}

describe('settings that are read again', () => {
  test.each([
    ['', [], []],
    ['[server]\ntrusted_proxies = ["10.0.0.0/8"]', ['server.trusted_proxies'], []],
    [
      '[server]\ncountry_header = "cf-ipcountry"\ncors_origins = ["https://app.example.com"]',
      ['server.country_header', 'server.cors_origins'],
      [],
    ],
    ['[limits]\nbody_bytes = 1000\nrequests_in_flight = 5', ['limits.body_bytes', 'limits.requests_in_flight'], []],
    ['[upstream]\nfirst_byte_seconds = 5\nidle_seconds = 6', ['upstream.first_byte_seconds', 'upstream.idle_seconds'], []],
    ['[backup]\nevery_hours = 6\nkeep = 2', ['backup.every_hours', 'backup.keep'], []],
    ['[retention]\ndecisions_days = 90', ['retention.decisions_days'], []],
    ['[log]\nlevel = "debug"\nrequests = true', ['log.level'], ['log.requests']],
    ['[server]\nhost = "0.0.0.0"\nport = 1\ndata = "/elsewhere"', [], ['server.host', 'server.port', 'server.data', 'backup.directory']],
    ['[upstream]\nproxy = "http://proxy.example.com:8080"\nallow_http = true', [], ['upstream.allow_http', 'upstream.proxy']],
    // The HTTP server cuts bodies by what was set when it began to listen.
    ['[limits]\nbody_bytes = 300000000', [], ['limits.body_bytes']],
    ['[[projects]]\nname = "web"', [], []],
  ])('%j', (text, changed, needsRestart) => {
    expect(new Process('').reload(text)).toEqual({ changed, needsRestart });
  });

  test('are taken over together, in new objects; a second time nothing is left to do', () => {
    const process = new Process('');
    const { gateway, cors, log, config } = process.running;
    const [limits, origin] = [gateway.limits, gateway.origin];
    const text = `[server]\ntrusted_proxies = ["10.0.0.1"]\ncountry_header = "X-Country"\ncors_origins = ["https://app.example.com"]\nshutdown_seconds = 3
[limits]\nbody_bytes = 1000\nbodies_in_flight_bytes = 2000\n[upstream]\nidle_seconds = 7\n[log]\nlevel = "warn"\n`;
    process.reload(text);
    expect(gateway.limits).toMatchObject({ bodyBytes: 1000, idleMs: 7000, firstByteMs: 600_000 });
    expect(gateway.limits).not.toBe(limits);
    expect([limits.bodyBytes, limits.idleMs, origin.trustedProxies]).toEqual([32 * 1024 * 1024, 300_000, []]);
    expect([gateway.origin.countryHeader, gateway.origin.trustedProxies.length]).toEqual(['x-country', 1]);
    expect([gateway.bodies.capacityBytes, cors.origins, log.level, config.shutdownMs]).toEqual([
      2000,
      ['https://app.example.com'],
      'warn',
      3000,
    ]);
    expect(process.starts).toBe(1);
    expect(process.reload(text)).toEqual({ changed: [], needsRestart: [] });
    expect(process.starts).toBe(1);
  });

  test('a value that went back to its default goes back', () => {
    const process = new Process('[limits]\nbody_bytes = 1000');
    expect(process.reload('')).toEqual({ changed: [], needsRestart: ['limits.body_bytes'] });
    expect(process.reload('[limits]\nbody_bytes = 500')).toEqual({ changed: ['limits.body_bytes'], needsRestart: [] });
  });

  test.each([
    ['[limits]\nbody_bytes = "x"\n[upstream]\nidle_seconds = 1', 'limits.body_bytes'],
    ['[upstream]\nidle_seconds = 1\nidel_seconds = 1', 'Did you mean "idle_seconds"?'],
    ['[upstream]\nidle_seconds = 1\n[server]\ntrusted_proxies = ["nowhere"]', 'nowhere'],
    ['[upstream]\nidle_seconds = ', 'cannot read the configuration'],
  ])('a file that is wrong changes nothing: %j', (text, words) => {
    const process = new Process('[upstream]\nidle_seconds = 9');
    const before = structuredClone(process.running.gateway.limits);
    expect(process.reload(text)).toEqual({ refused: expect.stringContaining(words) });
    expect(process.running.gateway.limits).toEqual(before);
    expect(process.starts).toBe(0);
  });

  test('every field of the file is either taken over or known to need a start', () => {
    expect(SETTINGS.map(({ name }) => name).toSorted()).toEqual([...FILE_FIELDS].toSorted());
  });
});

test('a request goes on with the limits that it was admitted with', async () => {
  const world = await World.open();
  const { gateway } = world;
  gateway.observers.push({ admitted: () => (gateway.limits = { ...gateway.limits, firstByteMs: 11, idleMs: 12 }) });
  await world.call({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'hi' }] });
  await world.call({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'hi' }] });
  expect(world.upstream.arrived.map(({ firstByteMs, idleMs }) => [firstByteMs, idleMs])).toEqual([
    [5_000, 5_000],
    [11, 12],
  ]);
  await world.close();
});
