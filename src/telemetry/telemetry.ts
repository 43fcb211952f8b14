import { statSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { formatUsd } from '../domain/money.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { LedgerEngine } from '../ledger/engine.ts';
import { ledgerPath } from '../ledger/sqlite/open.ts';
import type { LedgerState } from '../ledger/state.ts';
import { log, logEvent, type Log } from '../log.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { VERSION } from '../version.ts';
import { writeBudgets } from './budget-metrics.ts';
import { SpanExporter } from './exporter.ts';
import { Exposition, type Sample } from './exposition.ts';
import { Follower, type RequestListener } from './follower.ts';
import { LedgerMetrics } from './ledger-metrics.ts';
import { PathMetrics } from './path-metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { RequestLog } from './request-log.ts';
import type { TelemetrySettings, TracingSettings } from './settings.ts';
import { SpanMaker } from './spans.ts';
import { Tracing } from './tracing.ts';

/** How long spans that wait may hold up the end of the process. */
const FLUSH_MS = 2_000;

/** What is watched, once the ledger is open. */
export interface Watched {
  readonly gateway: Gateway;
  readonly ledger: LedgerEngine;
  readonly memory: LedgerState;
  readonly dataDir: string;
}

/** What telemetry is made of. */
export interface TelemetryParts {
  readonly settings: TelemetrySettings;
  readonly clock: Clock;
  /** Makes the connection to the collector of traces. Called when traces are on. */
  readonly http: () => Upstream;
  readonly log?: Log;
  readonly batchEveryMs?: number;
}

/** Metrics, the log of requests, and traces. Made before the ledger is opened, so that its first commits are counted. */
export class Telemetry {
  readonly ledgerMetrics = new LedgerMetrics();
  readonly #process: ProcessMetrics;
  readonly #log: Log;
  #path: PathMetrics | null = null;
  #exporter: SpanExporter | null = null;
  #watched: Watched | null = null;

  constructor(readonly parts: TelemetryParts) {
    this.#process = new ProcessMetrics(parts.clock);
    this.#log = parts.log ?? log;
    this.#log.level = parts.settings.log.level;
  }

  /** Begins to look on. */
  watch(watched: Watched): void {
    const { gateway } = watched;
    const monotonicMs = () => gateway.monotonicMs();
    this.#watched = watched;
    this.#path = new PathMetrics({ monotonicMs, projectLabel: (id) => projectLabel(gateway, id) });
    gateway.observers.push(this.#path);
    const listeners = [...this.#requestLog(gateway), ...this.#tracing(gateway)];
    if (listeners.length === 0) return;
    const sample = this.parts.settings.tracing?.sample ?? null;
    const follower = new Follower({ clock: { nowMs: () => gateway.clock.nowMs(), monotonicMs }, sample, listeners });
    gateway.observers.push(follower);
    gateway.follow = follower.follow;
  }

  /** The metrics as text. */
  metricsText(): string {
    const out = new Exposition();
    this.#path?.writeTo(out);
    if (this.#watched !== null) writeWatched(out, this.#watched);
    this.ledgerMetrics.writeTo(out);
    out.counter('panicly_log_lines_dropped_total', 'Lines of the log that nobody read in time.', this.#log.dropped);
    this.#exporter?.writeTo(out);
    this.#process.writeTo(out);
    return out.text();
  }

  /** Sends the spans that wait. */
  async stop(): Promise<void> {
    this.#process.stop();
    await this.#exporter?.stop(FLUSH_MS);
  }

  #requestLog(gateway: Gateway): RequestListener[] {
    if (!this.parts.settings.log.requests) return [];
    return [
      new RequestLog({
        write: (event, fields) => this.#log.event('info', event, fields),
        monotonicMs: () => gateway.monotonicMs(),
        projectLabel: (id) => projectLabel(gateway, id),
        keyLabel: (id) => gateway.directory.keyPublicId(id),
      }),
    ];
  }

  #tracing(gateway: Gateway): RequestListener[] {
    const { tracing } = this.parts.settings;
    if (tracing === null) return [];
    const exporter = this.#exporterOf(tracing);
    this.#exporter = exporter;
    const spans = new SpanMaker((id) => projectLabel(gateway, id));
    return [new Tracing(spans, exporter, () => gateway.monotonicMs())];
  }

  #exporterOf({ url, headers, serviceName }: TracingSettings): SpanExporter {
    const { http, batchEveryMs } = this.parts;
    return new SpanExporter({
      url,
      headers,
      serviceName,
      version: VERSION,
      http: http(),
      onTrouble: (why) => logEvent(why === null ? 'traces_exported_again' : 'traces_not_exported', why === null ? {} : { why }, 'warn'),
      ...(batchEveryMs === undefined ? {} : { batchEveryMs }),
    });
  }
}

function projectLabel({ directory }: Gateway, projectId: number): string | null {
  return directory.project(projectId)?.project.publicId ?? null;
}

function writeWatched(out: Exposition, { gateway, ledger, memory, dataDir }: Watched): void {
  const held = (['live', 'test'] as const).map((environment): Sample => [{ environment }, formatUsd(memory.held(environment))]);
  out.gauge('panicly_held_usd', 'Money that requests in flight hold now.', held);
  out.gauge('panicly_open_holds', 'Holds that wait for their settlement.', memory.openCount);
  writeBudgets(out, gateway.directory, memory, ledger.nowMs());
  out.gauge('panicly_requests_in_flight', 'Attempts between admission and settlement.', gateway.inFlight.size);
  out.gauge('panicly_request_bodies_bytes', 'Bytes of request bodies in memory.', gateway.bodies.takenBytes);
  out.gauge('panicly_ledger_available', 'Whether a decision could be committed.', ledger.available ? 1 : 0);
  out.gauge('panicly_ledger_queue_length', 'Rows and commands that are not yet known to be committed.', ledger.queueLength);
  const { payloadsFallenOut, usersShared, sendersShared } = memory.pressure;
  out.counter('panicly_state_overflow_total', 'What was too much for a table of fixed size, and was counted cautiously.', [
    [{ table: 'payloads' }, payloadsFallenOut],
    [{ table: 'users' }, usersShared],
    [{ table: 'senders' }, sendersShared],
  ]);
  const path = ledgerPath(dataDir);
  out.gauge('panicly_ledger_file_bytes', 'Size of the ledger and of its write-ahead log.', [
    [{ file: 'database' }, sizeOf(path)],
    [{ file: 'wal' }, sizeOf(`${path}-wal`)],
  ]);
}

/** Looks at the file without opening it: closing it again would drop SQLite's own locks. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
