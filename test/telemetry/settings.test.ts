import { describe, expect, test } from 'bun:test';
import { telemetrySettings, type TelemetryTables } from '../../src/telemetry/settings.ts';
import { collectorUrl } from '../../src/upstream/collector-url.ts';

function settings(tables: TelemetryTables, environment: Readonly<Record<string, string>> = {}) {
  return telemetrySettings(tables, environment, (why) => {
    throw new Error(why);
  });
}

describe('where traces may go', () => {
  test.each([
    ['https://collector.example.com/v1/traces', true],
    ['https://203.0.113.7:4318/v1/traces', true],
    ['http://127.0.0.1:4318/v1/traces', true],
    ['http://localhost:4318/v1/traces', true],
    ['http://[::1]:4318/v1/traces', true],
    ['http://10.1.2.3:4318/v1/traces', true],
    ['http://[fd12::1]:4318/v1/traces', true],
    ['http://otel-collector:4318/v1/traces', true],
    ['http://otel.observability.svc.cluster.local:4318/v1/traces', true],
    ['http://collector.example.com:4318/v1/traces', false],
    ['http://203.0.113.7:4318/v1/traces', false],
    ['http://169.254.169.254/v1/traces', false],
    ['https://169.254.169.254/v1/traces', false],
    ['http://metadata/v1/traces', false],
    ['http://metadata.google.internal/v1/traces', false],
    ['http://0.0.0.0:4318/v1/traces', false],
    ['http://user:secret@localhost/v1/traces', false],
    ['ftp://localhost/v1/traces', false],
    ['grpc://localhost:4317', false],
    ['localhost:4318', false],
    ['https://collector.example.com/v1/traces#part', false],
    ['', false],
  ])('%s: %p', (text, allowed) => {
    expect('url' in collectorUrl(text)).toBe(allowed);
  });
});

describe('settings', () => {
  test.each([
    [{}, {}, null],
    [{ telemetry: { sample: 0.5 } }, {}, null],
    [{ telemetry: { otlp_endpoint: 'http://localhost:4318' } }, {}, 'http://localhost:4318/v1/traces'],
    [{ telemetry: { otlp_endpoint: 'http://localhost:4318/' } }, {}, 'http://localhost:4318/v1/traces'],
    [{ telemetry: { otlp_endpoint: 'http://one' } }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://two/otlp' }, 'http://two/otlp/v1/traces'],
    [{}, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://three/as/it/is' }, 'http://three/as/it/is'],
    [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, null],
  ])('%j with %j', (tables, environment, url) => {
    expect(settings(tables, environment as Record<string, string>).tracing?.url ?? null).toBe(url);
  });

  test('headers, name and share', () => {
    const { tracing } = settings(
      { telemetry: { otlp_endpoint: 'https://collector.example.com', sample: 0.25, service_name: 'file' } },
      { OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20abc=, x-tenant=a', OTEL_SERVICE_NAME: 'gate' },
    );
    expect(tracing).toMatchObject({ serviceName: 'gate', sample: 0.25, headers: { authorization: 'Basic abc=', 'x-tenant': 'a' } });
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost', OTEL_EXPORTER_OTLP_HEADERS: 'canary-secret' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost', OTEL_EXPORTER_OTLP_HEADERS: 'a=canary%0d%0ab' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.com' }, 'https'],
    [{ PANICLY_METRICS_TOKEN: 'canary-short' }, 'PANICLY_METRICS_TOKEN'],
    [{ PANICLY_METRICS_TOKEN: 'canary with spaces in between' }, 'PANICLY_METRICS_TOKEN'],
    [{ PANICLY_LOG: 'loud' }, 'PANICLY_LOG'],
  ])('%j is refused and not repeated', (environment, named) => {
    const problem = (() => {
      try {
        settings({}, environment);
        return 'was accepted';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(problem).toContain(named);
    expect(problem).not.toContain('canary');
  });

  test('the level of the log', () => {
    expect(settings({ log: { level: 'warn' } }).log).toEqual({ level: 'warn', requests: false });
    expect(settings({ log: { level: 'warn', requests: true } }, { PANICLY_LOG: 'DEBUG' }).log).toEqual({ level: 'debug', requests: true });
  });
});
