import { SERVER_BODY_FACTOR } from './server.ts';
import { ConfigProblem, type Config } from './config.ts';
import type { BodyBudget } from './gateway/body-budget.ts';
import type { Gateway, PathLimits } from './gateway/gateway.ts';
import { logEvent, type LogLevel } from './log.ts';

/** The settings of a running process: those that may change are replaced in place. */
export type LiveConfig = { -readonly [Name in keyof Config]: Config[Name] };

/** What of a running process follows its settings. */
export interface Running {
  readonly config: LiveConfig;
  readonly gateway: Pick<Gateway, 'limits' | 'origin'> & { readonly bodies: BodyBudget };
  readonly cors: { origins: readonly string[] };
  readonly log: { level: LogLevel };
  /** Schedules that begin when they were off before. */
  readonly schedules: readonly { start(): void }[];
  /** `limits.body_bytes` when the process started: what the HTTP server itself takes was fixed by it. */
  readonly startBodyBytes: number;
}

/** What reading the settings again did. Names are those of the file. */
export type Reloaded =
  | { readonly refused: string }
  | {
      readonly changed: readonly string[];
      /** Differ from what the process runs with, and come into force with its next start. */
      readonly needsRestart: readonly string[];
    };

interface Setting {
  /** As it stands in the file. */
  readonly name: string;
  readonly read: (config: Config) => unknown;
  /** Takes the value over; absent where only a start can. */
  readonly take?: (config: LiveConfig, next: Config) => void;
  /** False where this one value is too far from that of the start. */
  readonly fits?: (next: Config, running: Running) => boolean;
}

function live(name: string, key: keyof Config, fits?: Setting['fits']): Setting {
  return {
    name,
    read: (config) => config[key],
    take: (config, next) => void Object.assign(config, { [key]: next[key] }),
    ...(fits === undefined ? {} : { fits }),
  };
}

function fixed(name: string, read: Setting['read']): Setting {
  return { name, read };
}

/** Every field of the file that a server reads. A test goes red when one is not here. */
export const SETTINGS: readonly Setting[] = [
  fixed('server.host', ({ host }) => host),
  fixed('server.port', ({ port }) => port),
  fixed('server.data', ({ dataDir }) => dataDir),
  live('server.trusted_proxies', 'trustedProxies'),
  live('server.country_header', 'countryHeader'),
  fixed('server.country_database', ({ countryDatabase }) => countryDatabase),
  live('server.cors_origins', 'corsOrigins'),
  live('server.shutdown_seconds', 'shutdownMs'),
  live('limits.body_bytes', 'bodyBytes', (next, { startBodyBytes }) => next.bodyBytes <= startBodyBytes * SERVER_BODY_FACTOR),
  live('limits.bodies_in_flight_bytes', 'bodiesInFlightBytes'),
  live('limits.receive_seconds', 'receiveMs'),
  live('limits.requests_in_flight', 'requestsInFlight'),
  live('limits.slow_client_seconds', 'slowClientMs'),
  live('upstream.first_byte_seconds', 'firstByteMs'),
  live('upstream.idle_seconds', 'idleMs'),
  fixed('upstream.allow_http', ({ allowHttpUpstream }) => allowHttpUpstream),
  fixed('upstream.proxy', ({ upstreamProxy }) => upstreamProxy),
  live('retention.decisions_days', 'retentionDays'),
  fixed('backup.directory', ({ backupDirectory }) => backupDirectory),
  live('backup.every_hours', 'backupEveryMs'),
  live('backup.keep', 'backupKeep'),
  {
    name: 'log.level',
    read: ({ log }) => log.level,
    take: (config, next) => void (config.log = { ...config.log, level: next.log.level }),
  },
  fixed('log.requests', ({ log }) => log.requests),
  fixed('telemetry.otlp_endpoint', ({ tracing }) => tracing?.url),
  fixed('telemetry.service_name', ({ tracing }) => tracing?.serviceName),
  fixed('telemetry.sample', ({ tracing }) => tracing?.sample),
];

/**
 * Reads the settings again and takes over what is safe while requests are in flight: those go on with what they began with. What is
 * wrong with the file changes nothing.
 */
export function reload(running: Running, read: () => Config): Reloaded {
  let next: Config;
  try {
    next = read();
  } catch (error) {
    if (error instanceof ConfigProblem) return { refused: error.message };
    throw error;
  }
  const differing = SETTINGS.filter((setting) => !Bun.deepEquals(setting.read(running.config), setting.read(next)));
  const takes = (setting: Setting) => setting.take !== undefined && (setting.fits?.(next, running) ?? true);
  const changed = differing.filter(takes);
  for (const setting of changed) setting.take!(running.config, next);
  if (changed.length > 0) follow(running);
  return { changed: changed.map(({ name }) => name), needsRestart: differing.filter((setting) => !takes(setting)).map(({ name }) => name) };
}

/** Reads the settings again on SIGHUP, and says in the log what came of it. */
export function followReloads(running: Running, read: () => Config): void {
  process.on('SIGHUP', () => {
    const reloaded = reload(running, read);
    if ('refused' in reloaded) logEvent('configuration_refused', { why: reloaded.refused }, 'error');
    else logEvent('configuration_reloaded', { changed: reloaded.changed, needs_restart: reloaded.needsRestart });
  });
}

/** The limits of the path, as an object of their own: a request keeps the one that it began with. */
export function pathLimits(config: Config): PathLimits {
  const { bodyBytes, receiveMs, requestsInFlight, firstByteMs, idleMs, slowClientMs } = config;
  return { bodyBytes, receiveMs, requestsInFlight, firstByteMs, idleMs, slowClientMs };
}

function follow({ config, gateway, cors, log, schedules }: Running): void {
  gateway.limits = pathLimits(config);
  gateway.origin = { ...gateway.origin, trustedProxies: config.trustedProxies, countryHeader: config.countryHeader };
  gateway.bodies.capacityBytes = config.bodiesInFlightBytes;
  cors.origins = config.corsOrigins;
  log.level = config.log.level;
  for (const schedule of schedules) schedule.start();
}
