import { Type, type Static } from '@sinclair/typebox';
import { closed, listOf, named, nullable, oneOf } from './named.ts';
import { At, Id, Name, pageFields } from './operator-words.ts';

const EVENTS = ['budget', 'volume', 'sentry', 'overrun', 'provider', 'ledger', 'clock', 'restore'] as const;
const EventName = oneOf(EVENTS, { description: 'What is watched.' });
const Format = oneOf(['generic', 'slack', 'discord'], { description: 'generic is signed JSON.' });
const Threshold = Type.Integer({ minimum: 1, maximum: 100, description: 'Whole percent of a budget.' });
const DeliveryState = oneOf(['pending', 'delivered', 'failed'], { description: 'failed is given up, a day after the event.' });

const providerRule = {
  failure_percent: Type.Integer({ minimum: 1, maximum: 100, description: 'From this share of failures on a provider is failing; 50.' }),
  failure_window_seconds: Type.Integer({ minimum: 60, maximum: 3_600, description: 'Over so many seconds; 300.' }),
  failure_min_requests: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'With fewer requests nothing is said; 10.' }),
};

const alertFields = {
  id: Id('alert'),
  name: Type.String(),
  workspace_id: Id('workspace'),
  project_id: nullable(Type.String(), { description: 'Public id of the project, or null for the whole workspace.' }),
  events: Type.Array(EventName),
  thresholds: Type.Array(Threshold),
  ...providerRule,
  format: Format,
  url: Type.String({ description: 'Scheme and host; the rest is a secret.', examples: ['https://hooks.example.com/…'] }),
  created_at: At('When it was made'),
};

/** An alert without its secrets. */
export const Alert = named('Alert', Type.Object(alertFields));
export const AlertList = listOf('AlertList', Alert);

/** The only answer that holds the signing secret. */
export const NewAlert = named(
  'NewAlert',
  Type.Object({
    ...alertFields,
    secret: nullable(Type.String(), { description: 'What messages are signed with, shown only now. Null for Slack and Discord.' }),
  }),
);

/** What `POST /admin/v1/alerts` takes. */
export const AlertInput = named(
  'AlertInput',
  closed({
    name: Name,
    url: Type.String({
      minLength: 1,
      description: 'https; plain http only to this machine, where providers may have it. Stored encrypted.',
    }),
    format: Type.Optional(Format),
    project: Type.Optional(Type.String({ description: 'Name or id: only what happens in this project.' })),
    workspace: Type.Optional(Type.String({ description: 'Name or id; the first workspace when absent.' })),
    events: Type.Optional(Type.Array(EventName, { minItems: 1, description: 'All when absent.' })),
    thresholds: Type.Optional(Type.Array(Threshold, { minItems: 1, maxItems: 10, description: '50, 80 and 100 when absent.' })),
    failure_percent: Type.Optional(providerRule.failure_percent),
    failure_window_seconds: Type.Optional(providerRule.failure_window_seconds),
    failure_min_requests: Type.Optional(providerRule.failure_min_requests),
  }),
);

/** What became of a test event. */
export const AlertTest = named(
  'AlertTest',
  Type.Object({
    delivered: Type.Boolean(),
    status: nullable(Type.Integer(), { description: 'What the receiver answered, or null when it did not.' }),
    error: nullable(Type.String(), { examples: ['http_500', 'timeout', 'unreachable', 'redirect'] }),
  }),
);

/** A message of an alert: told, to be told, or given up. */
export const AlertDelivery = named(
  'AlertDelivery',
  Type.Object({
    id: Type.String({ description: 'The receiver gets it as panicly-event-id.' }),
    alert_id: Id('alert'),
    type: Type.String({ examples: ['budget.threshold', 'sentry.on'] }),
    subject: Type.String({ description: 'Public id of what it is about.' }),
    created_at: At('When it happened'),
    state: DeliveryState,
    attempts: Type.Integer(),
    next_attempt_at: nullable(Type.String(), { description: 'Null unless it is pending.' }),
    last_error: nullable(Type.String(), { examples: ['http_500', 'timeout'] }),
    event: Type.Object({}, { additionalProperties: true, description: 'What the generic format sends.' }),
  }),
);
export const AlertDeliveryList = listOf('AlertDeliveryList', AlertDelivery);

/** Parameters of `GET /admin/v1/alerts/deliveries`. */
export const AlertDeliveryQuery = closed({
  alert: Type.Optional(Type.String({ description: 'Id of an alert.' })),
  state: Type.Optional(DeliveryState),
  ...pageFields,
});

export type AlertJson = Static<typeof Alert>;
export type NewAlertJson = Static<typeof NewAlert>;
export type AlertTestJson = Static<typeof AlertTest>;
export type AlertDeliveryJson = Static<typeof AlertDelivery>;
