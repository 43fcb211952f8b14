import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import ipaddr from 'ipaddr.js';
import { parseDocument } from './document-text.ts';
import { didYouMean } from './domain/nearest.ts';
import { LogTable, telemetrySettings, TelemetryTable, type TelemetrySettings } from './telemetry/settings.ts';

/**
 * Process-start settings: flags over environment over file over defaults.
 * This file and `boot.ts` are the only readers of the environment.
 */

const closed = { additionalProperties: false } as const;
const positiveInteger = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }));
const DAY_SECONDS = 86_400;
const HOUR_MS = 3_600_000;

/** The `[backup]` table. */
const BackupTable = Type.Object(
  { directory: Type.Optional(Type.String({ minLength: 1 })), every_hours: positiveInteger(24 * 366), keep: positiveInteger(10_000) },
  closed,
);

/** The `[retention]` table. Budgets look back 33 days, so nothing younger may go. */
const RetentionTable = Type.Object({ decisions_days: Type.Optional(Type.Integer({ minimum: 33, maximum: 36_500 })) }, closed);

/** The tables of panicly.toml. */
const FileSchema = Type.Object(
  {
    server: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String({ minLength: 1 })),
          port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
          data: Type.Optional(Type.String({ minLength: 1 })),
          trusted_proxies: Type.Optional(Type.Array(Type.String())),
          country_header: Type.Optional(Type.String({ minLength: 1 })),
          country_database: Type.Optional(Type.String({ minLength: 1 })),
          cors_origins: Type.Optional(Type.Array(Type.String())),
          shutdown_seconds: positiveInteger(DAY_SECONDS),
        },
        closed,
      ),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          body_bytes: positiveInteger(1 << 30),
          bodies_in_flight_bytes: positiveInteger(2 ** 36),
          receive_seconds: positiveInteger(3_600),
          requests_in_flight: positiveInteger(1_000_000),
          slow_client_seconds: positiveInteger(DAY_SECONDS),
        },
        closed,
      ),
    ),
    upstream: Type.Optional(
      Type.Object(
        {
          first_byte_seconds: positiveInteger(DAY_SECONDS),
          idle_seconds: positiveInteger(DAY_SECONDS),
          allow_http: Type.Optional(Type.Boolean()),
          proxy: Type.Optional(Type.String({ minLength: 1 })),
        },
        closed,
      ),
    ),
    backup: Type.Optional(BackupTable),
    retention: Type.Optional(RetentionTable),
    log: Type.Optional(LogTable),
    telemetry: Type.Optional(TelemetryTable),
    // For `panicly apply`, which checks them.
    workspaces: Type.Optional(Type.Unknown()),
    projects: Type.Optional(Type.Unknown()),
    prices: Type.Optional(Type.Unknown()),
    alerts: Type.Optional(Type.Unknown()),
  },
  closed,
);

const APPLIED: ReadonlySet<string> = new Set(['workspaces', 'projects', 'prices', 'alerts']);

/** The tables of the file that a starting server reads; the others are for `panicly apply`. */
export const SERVER_TABLES: readonly string[] = Object.keys(FileSchema.properties).filter((name) => !APPLIED.has(name));

/** Every field of those tables, as `server.port`. */
export const FILE_FIELDS: readonly string[] = SERVER_TABLES.flatMap((table) =>
  Object.keys(FileSchema.properties[table as 'server'].properties).map((field) => `${table}.${field}`),
);

/** Checks the form of the tables that a server reads, without using them. Throws `ConfigProblem`. */
export function checkServerTables(tables: object, path: string): void {
  for (const network of checked(FileSchema, tables, path).server?.trusted_proxies ?? []) parseNetwork(network);
}

/** The settings of the process. Paths are absolute, times in milliseconds. Only what `reload.ts` takes over ever changes. */
export interface Config extends TelemetrySettings {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly trustedProxies: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];
  readonly countryHeader: string | null;
  readonly countryDatabase: string | null;
  readonly corsOrigins: readonly string[];
  readonly shutdownMs: number;
  readonly bodyBytes: number;
  readonly bodiesInFlightBytes: number;
  readonly receiveMs: number;
  readonly requestsInFlight: number;
  readonly slowClientMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly allowHttpUpstream: boolean;
  readonly upstreamProxy: string | null;
  /** 32 bytes in base64, or null to keep a key file in the data directory. */
  readonly masterKey: string | null;
  /** The key that is to replace `masterKey`; only beside it. */
  readonly masterKeyNew: string | null;
  readonly operatorToken: string | null;
  /** Where backups are written, and nowhere else. */
  readonly backupDirectory: string;
  /** Null for no schedule. */
  readonly backupEveryMs: number | null;
  /** How many backups of the schedule stay. */
  readonly backupKeep: number;
  /** How long decisions are kept; null for ever. */
  readonly retentionDays: number | null;
}

/** What a person got wrong, in one line. The process ends with exit code 2. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
}

/** What flags may set; each beats environment and file. */
export interface ConfigFlags {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly config?: string | undefined;
}

/** Reads file and environment. Throws `ConfigProblem` with one sentence that names the field. */
export function loadConfig(flags: ConfigFlags, environment: Environment = process.env): Config {
  const file = readFile(configPath(flags, environment));
  const server = file.server ?? {};
  const limits = file.limits ?? {};
  const upstream = file.upstream ?? {};
  const backup = file.backup ?? {};
  const dataDir = resolve(flags.data ?? environment['PANICLY_DATA'] ?? server.data ?? './panicly-data');
  return {
    dataDir,
    host: flags.host ?? environment['PANICLY_HOST'] ?? server.host ?? '127.0.0.1',
    port: parsePort(flags.port ?? environment['PANICLY_PORT']) ?? server.port ?? 3000,
    trustedProxies: (server.trusted_proxies ?? []).map(parseNetwork),
    countryHeader: server.country_header?.toLowerCase() ?? null,
    countryDatabase: server.country_database === undefined ? null : resolve(server.country_database),
    corsOrigins: server.cors_origins ?? [],
    shutdownMs: (server.shutdown_seconds ?? 30) * 1000,
    bodyBytes: limits.body_bytes ?? 32 * 1024 * 1024,
    bodiesInFlightBytes: limits.bodies_in_flight_bytes ?? 512 * 1024 * 1024,
    receiveMs: (limits.receive_seconds ?? 25) * 1000,
    requestsInFlight: limits.requests_in_flight ?? 20_000,
    slowClientMs: (limits.slow_client_seconds ?? 20) * 1000,
    firstByteMs: (upstream.first_byte_seconds ?? 600) * 1000,
    idleMs: (upstream.idle_seconds ?? 300) * 1000,
    allowHttpUpstream: flagged(environment['PANICLY_ALLOW_HTTP_UPSTREAM']) ?? upstream.allow_http ?? false,
    upstreamProxy: upstream.proxy ?? null,
    masterKey: environment['PANICLY_MASTER_KEY'] ?? null,
    masterKeyNew: environment['PANICLY_MASTER_KEY_NEW'] ?? null,
    operatorToken: environment['PANICLY_OPERATOR_TOKEN'] ?? null,
    backupDirectory: resolve(backup.directory ?? join(dataDir, 'backups')),
    backupEveryMs: backup.every_hours === undefined ? null : backup.every_hours * HOUR_MS,
    backupKeep: backup.keep ?? 7,
    retentionDays: file.retention?.decisions_days ?? null,
    ...telemetrySettings(file, environment, fail),
  };
}

/** The configuration file that is named, or null. */
export function configPath(flags: ConfigFlags, environment: Environment = process.env): string | null {
  return flags.config ?? environment['PANICLY_CONFIG'] ?? null;
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of an environment variable that a provider connection refers to, read when it is needed. */
export function readEnvironmentVariable(name: string): string | null {
  const value = process.env[name];
  return value === undefined || value === '' ? null : value;
}

/** What the command line needs to reach a running server. */
export interface CliEnvironment {
  readonly url: string;
  /** From PANICLY_TOKEN, or from the token file that the server leaves in its data directory. */
  readonly token: string | null;
  readonly dataDir: string;
}

/** Where the server is and how to be let in, from the environment and the data directory. */
export function cliEnvironment(environment: Environment = process.env): CliEnvironment {
  const dataDir = resolve(environment['PANICLY_DATA'] ?? './panicly-data');
  const tokenFile = join(dataDir, 'operator.token');
  const url = environment['PANICLY_URL'] ?? `http://127.0.0.1:${environment['PANICLY_PORT'] ?? '3000'}`;
  const token = environment['PANICLY_TOKEN'] ?? (existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : null);
  return { url, token, dataDir };
}

function readFile(path: string | null): Static<typeof FileSchema> {
  if (path === null) return {};
  let parsed: unknown;
  try {
    parsed = parseDocument(readFileSync(path, 'utf8'), path).value;
  } catch (error) {
    throw new ConfigProblem(`cannot read the configuration: ${firstLine(error)}`, { cause: error });
  }
  return checked(FileSchema, parsed, path);
}

function checked<Schema extends TSchema>(schema: Schema, value: unknown, path: string): Static<Schema> {
  const problem = Value.Errors(schema, value).First();
  if (!problem) return value;
  const field = problem.path.slice(1).replaceAll('/', '.');
  if (problem.message !== 'Unexpected property') throw new ConfigProblem(`${path}: ${field}: ${problem.message.toLowerCase()}`);
  const [table = '', name] = field.split('.');
  const known: object = name === undefined ? FileSchema.properties : (FileSchema.properties[table as 'server']?.properties ?? {});
  throw new ConfigProblem(`${path}: the field ${field} is not known.${didYouMean(name ?? table, Object.keys(known))}`);
}

function fail(why: string): never {
  throw new ConfigProblem(why);
}

/** Null when the variable is not set: then the file may speak. */
function flagged(text: string | undefined): boolean | null {
  return text === undefined || text === '' ? null : text === '1';
}

function parsePort(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new ConfigProblem(`the port must be a number from 0 to 65535, not "${text}"`);
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    const [written = ''] = text.split('/');
    // The short and octal spellings of old would mean another network than they seem to.
    if (!written.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(written)) throw new Error('not four decimal numbers');
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (error) {
    throw new ConfigProblem(`server.trusted_proxies: "${text}" is not an address or a network such as 10.0.0.0/8`, { cause: error });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
