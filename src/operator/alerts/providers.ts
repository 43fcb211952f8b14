import type { StoredDelivery } from '../../ledger/alert-store.ts';
import type { StoredConnection } from '../../ledger/store.ts';
import type { AlertBook } from './book.ts';
import type { LivingAlert, ProviderFailureRule } from './definition.ts';
import { EVENT_TYPES, type AlertEvent, type EventType } from './event.ts';
import type { FailureWindow } from './failure-window.ts';
import type { AlertRoom } from './room.ts';

/** An event for one alert alone: each has its own rule. */
export interface OwnEvent {
  readonly living: LivingAlert;
  readonly event: AlertEvent;
}

/** The types by which an alert's last word on a connection is found in the outbox. */
export const PROVIDER_TYPES = Object.keys(EVENT_TYPES).filter((type) => type.startsWith('provider.')) as EventType[];

/** Which connections fail, by each alert's own rule. Said once, until they have recovered. */
export class ProviderWatch {
  /** The failures that were told and are not over, by alert and connection: since when, ledger time. */
  readonly #failing = new Map<string, number>();

  constructor(
    readonly room: AlertRoom,
    readonly book: AlertBook,
  ) {}

  /** What was told before a restart. */
  remember(last: readonly Pick<StoredDelivery, 'alertId' | 'subject' | 'type' | 'createdAtMs'>[]): void {
    for (const { alertId, subject, type, createdAtMs } of last) {
      if (type === 'provider.failing') this.#failing.set(`${alertId} ${subject}`, createdAtMs);
    }
  }

  /** What has changed. `windows` are by connection id; a connection without one was not used since the start. */
  events(windows: ReadonlyMap<number, FailureWindow>, monotonicMs: number): OwnEvent[] {
    const watching = this.book.list().filter(({ definition }) => definition.events.includes('provider'));
    if (watching.length === 0) return [];
    return [...windows].flatMap(([connectionId, window]) => {
      const stored = this.room.registry.connections.get(connectionId);
      if (stored === undefined) return [];
      return watching.flatMap((living) => this.#judge(living, stored, window, monotonicMs));
    });
  }

  #judge(living: LivingAlert, stored: StoredConnection, window: FailureWindow, monotonicMs: number): OwnEvent[] {
    const { alert, definition } = living;
    const project = this.room.registry.projects.get(stored.connection.projectId);
    if (project === undefined || project.workspaceId !== alert.workspaceId) return [];
    if (alert.projectId !== null && alert.projectId !== project.id) return [];
    const rule = definition.provider;
    const counted = window.count(rule.windowSeconds * 1_000, monotonicMs);
    const name = `${alert.id} ${stored.connection.publicId}`;
    const sinceMs = this.#failing.get(name);
    if (sinceMs === undefined ? !isFailing(counted, rule) : !hasRecovered(counted, rule)) return [];
    const startMs = sinceMs ?? this.room.engine.nowMs();
    if (sinceMs === undefined) this.#failing.set(name, startMs);
    else this.#failing.delete(name);
    const type = sinceMs === undefined ? 'provider.failing' : 'provider.recovered';
    const event = eventOf(type, stored, project, counted, rule, startMs);
    return [{ living, event }];
  }
}

interface Counted {
  readonly requests: number;
  readonly failures: number;
}

function isFailing({ requests, failures }: Counted, { percent, minRequests }: ProviderFailureRule): boolean {
  return requests >= minRequests && failures * 100 >= requests * percent;
}

/** Under half of the share that alarmed, and something went well: a provider that nobody calls has not recovered. */
function hasRecovered({ requests, failures }: Counted, { percent }: ProviderFailureRule): boolean {
  return requests > failures && failures * 200 < requests * percent;
}

function eventOf(
  type: 'provider.failing' | 'provider.recovered',
  { connection }: StoredConnection,
  project: { readonly id: number; readonly workspaceId: number },
  { requests, failures }: Counted,
  { windowSeconds, percent }: ProviderFailureRule,
  startMs: number,
): AlertEvent {
  return {
    type,
    subject: connection.publicId,
    workspaceId: project.workspaceId,
    projectId: project.id,
    dedupeKey: `${type} ${connection.publicId} ${startMs}`,
    happenedAtMs: null,
    facts: {
      connection: connection.name,
      connection_id: connection.publicId,
      kind: connection.kind,
      requests,
      failures,
      window_seconds: windowSeconds,
      threshold_percent: percent,
      since: new Date(startMs).toISOString(),
    },
  };
}
