import { Type, type Static } from '@sinclair/typebox';
import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { collectorUrl } from '../upstream/collector-url.ts';

const closed = { additionalProperties: false } as const;

/** The `[log]` table of panicly.toml. */
export const LogTable = Type.Object(
  { level: Type.Optional(Type.Union(LOG_LEVELS.map((level) => Type.Literal(level)))), requests: Type.Optional(Type.Boolean()) },
  closed,
);

/** The `[telemetry]` table of panicly.toml. */
export const TelemetryTable = Type.Object(
  {
    otlp_endpoint: Type.Optional(Type.String({ minLength: 1 })),
    service_name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    sample: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  closed,
);

/** What is logged. */
export interface LogSettings {
  readonly level: LogLevel;
  /** A line for each request. */
  readonly requests: boolean;
}

/** Where traces go. */
export interface TracingSettings {
  /** The full address that spans are posted to. */
  readonly url: string;
  /** Secrets may be in here: never shown. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** The share of requests that are recorded when their caller does not say, 0 to 1. */
  readonly sample: number;
}

/** Everything that this room takes from the start of the process. */
export interface TelemetrySettings {
  /** Lets in to `/metrics` and to nothing else; null when only operators may look. */
  readonly metricsToken: string | null;
  readonly log: LogSettings;
  /** Null is off. */
  readonly tracing: TracingSettings | null;
}

/** The tables of the file, as far as they are there. */
export interface TelemetryTables {
  readonly log?: Static<typeof LogTable>;
  readonly telemetry?: Static<typeof TelemetryTable>;
}

/** Environment variables by name. */
type Environment = Readonly<Record<string, string | undefined>>;

/** A token that can be guessed would show what every project spends. */
const MIN_TOKEN_CHARACTERS = 24;

/** The settings, environment over file. `fail` is told in one sentence what is wrong and does not return. */
export function telemetrySettings(tables: TelemetryTables, environment: Environment, fail: (why: string) => never): TelemetrySettings {
  return {
    metricsToken: metricsToken(environment['PANICLY_METRICS_TOKEN'], fail),
    log: {
      level: logLevel(environment['PANICLY_LOG'], fail) ?? tables.log?.level ?? 'info',
      requests: tables.log?.requests ?? false,
    },
    tracing: tracing(tables.telemetry ?? {}, environment, fail),
  };
}

function metricsToken(text: string | undefined, fail: (why: string) => never): string | null {
  if (text === undefined || text === '') return null;
  if (text.length >= MIN_TOKEN_CHARACTERS && /^[!-~]+$/.test(text)) return text;
  return fail(`PANICLY_METRICS_TOKEN must have at least ${MIN_TOKEN_CHARACTERS} visible ASCII characters and no space`);
}

function logLevel(text: string | undefined, fail: (why: string) => never): LogLevel | null {
  if (text === undefined || text === '') return null;
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase());
  return level ?? fail(`PANICLY_LOG must be one of ${LOG_LEVELS.join(', ')}`);
}

function tracing(table: Static<typeof TelemetryTable>, environment: Environment, fail: (why: string) => never): TracingSettings | null {
  const full = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const base = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || table.otlp_endpoint;
  if (!full && !base) return null;
  const address = full || `${base!.replace(/\/+$/, '')}/v1/traces`;
  const url = collectorUrl(address);
  if ('problem' in url) return fail(`the address of the trace collector cannot be used: ${url.problem}`);
  return {
    url: url.url,
    headers: exportHeaders(environment, fail),
    serviceName: environment['OTEL_SERVICE_NAME'] || table.service_name || 'panicly',
    sample: table.sample ?? 1,
  };
}

/** `name=value,name=value`, values percent-encoded, as the OpenTelemetry specification has them. Values are never repeated in a complaint. */
function exportHeaders(environment: Environment, fail: (why: string) => never): Record<string, string> {
  const text = environment['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] || environment['OTEL_EXPORTER_OTLP_HEADERS'] || '';
  const headers: Record<string, string> = {};
  for (const pair of text.split(',').filter((some) => some.trim() !== '')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = decoded(pair.slice(at + 1).trim());
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) || value === null || !/^[\x20-\x7e]*$/.test(value))
      return fail('OTEL_EXPORTER_OTLP_HEADERS must be a list like name=value,name=value with percent-encoded values');
    headers[name] = value;
  }
  return headers;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
