import type { Alert } from '../../ledger/store.ts';

/** What an alert may watch. */
export const ALERT_EVENTS = ['budget', 'volume', 'sentry', 'overrun', 'provider', 'ledger', 'clock', 'restore'] as const;
export type AlertEventName = (typeof ALERT_EVENTS)[number];

/** How a receiver wants to be told. */
export const ALERT_FORMATS = ['generic', 'slack', 'discord'] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

/** When a provider counts as failing. */
export interface ProviderFailureRule {
  /** From this share of failures on, in whole percent. */
  readonly percent: number;
  /** Over the last so many seconds. */
  readonly windowSeconds: number;
  /** With fewer requests than this in the window nothing is said. */
  readonly minRequests: number;
}

/** What is stored of an alert beside its owner and its secrets. */
export interface AlertDefinition {
  readonly name: string;
  readonly events: readonly AlertEventName[];
  /** Whole percent of a budget, ascending. */
  readonly thresholds: readonly number[];
  readonly format: AlertFormat;
  /** The scheme and host of the webhook: all that may be shown of its URL. */
  readonly origin: string;
  readonly provider: ProviderFailureRule;
  /** The variables of the server's environment that URL and signing secret were read from, where a file names them. */
  readonly urlEnv?: string;
  readonly secretEnv?: string;
}

/** An alert with its definition taken apart. */
export interface LivingAlert {
  readonly alert: Alert;
  readonly definition: AlertDefinition;
}

export const DEFAULT_THRESHOLDS: readonly number[] = [50, 80, 100];
export const DEFAULT_PROVIDER_RULE: ProviderFailureRule = { percent: 50, windowSeconds: 300, minRequests: 10 };

/** A stored alert, ready to be watched for. */
export function livingAlert(alert: Alert): LivingAlert {
  return { alert, definition: JSON.parse(alert.definition) as AlertDefinition };
}
