import type { AlertEventName, LivingAlert } from './definition.ts';

/** Every type of event, by what an alert has to watch for it. */
export const EVENT_TYPES = {
  'budget.threshold': 'budget',
  'volume.threshold': 'volume',
  'credits.threshold': 'volume',
  'sentry.on': 'sentry',
  'sentry.off': 'sentry',
  'request.overrun': 'overrun',
  'provider.failing': 'provider',
  'provider.recovered': 'provider',
  'ledger.unavailable': 'ledger',
  'ledger.available': 'ledger',
  'ledger.row_refused': 'ledger',
  'clock.unconfirmed': 'clock',
  'restore.started': 'restore',
} as const satisfies Record<string, AlertEventName>;
export type EventType = keyof typeof EVENT_TYPES;

/** A fact of an event: flat, so that every receiver can read it. Money is a decimal string in a field that ends in `_usd`. */
export type Fact = string | number | boolean | null;

/** Something that happened and may have to be told. */
export interface AlertEvent {
  readonly type: EventType;
  /** The public id of what it is about. */
  readonly subject: string;
  /** Whose it is; both null concern the whole server. */
  readonly workspaceId: number | null;
  readonly projectId: number | null;
  /** The same event has the same key, whenever and however often it is noticed. */
  readonly dedupeKey: string;
  /** When it happened, ledger time: alerts that were made later do not tell it. Null for what is true now. */
  readonly happenedAtMs: number | null;
  readonly facts: Readonly<Record<string, Fact>>;
}

/** An event as it is stored and as the generic format sends it. */
export interface EventPayload {
  readonly id: string;
  readonly type: EventType | 'test';
  /** ISO 8601. */
  readonly at: string;
  readonly alert: { readonly id: string; readonly name: string };
  readonly workspace: { readonly id: string; readonly name: string } | null;
  readonly project: { readonly id: string; readonly name: string } | null;
  /** One sentence for people. */
  readonly message: string;
  readonly [fact: string]: Fact | { readonly id: string; readonly name: string };
}

/** Whether this alert tells such an event. Sentry Mode of a workspace stops its projects too, so their alerts tell it. */
export function tells({ alert, definition }: LivingAlert, event: AlertEvent): boolean {
  const name: AlertEventName = EVENT_TYPES[event.type];
  if (!definition.events.includes(name)) return false;
  if (event.happenedAtMs !== null && event.happenedAtMs < alert.createdAtMs) return false;
  const { threshold_percent: threshold } = event.facts;
  if (name === 'budget' && !definition.thresholds.includes(threshold as number)) return false;
  if (event.workspaceId === null) return true;
  if (event.workspaceId !== alert.workspaceId) return false;
  return alert.projectId === null || alert.projectId === event.projectId || (name === 'sentry' && event.projectId === null);
}
