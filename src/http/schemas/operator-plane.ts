import { Type, type Static } from '@sinclair/typebox';
import { closed, listOf, named, nullable, oneOf } from './named.ts';
import { At, Id, Name, pageFields } from './operator-words.ts';

const Usd = (description: string) => Type.String({ description: `${description}, USD.`, examples: ['1.25'] });
const Role = oneOf(['owner', 'viewer'], { description: 'An owner may do all, a viewer only look.' });

/** Credits that were granted to a workspace. */
export const CreditGrant = named(
  'CreditGrant',
  Type.Object({
    requests: Type.Integer({ description: 'How many; below 0 they were taken back.' }),
    note: Type.String(),
    author: Type.String(),
    at: At('When it was granted'),
  }),
);
export const CreditList = listOf('CreditList', CreditGrant);

/** What `POST /admin/v1/workspaces/{id}/credits` takes. */
export const CreditInput = named(
  'CreditInput',
  closed({
    requests: Type.Integer({ minimum: -1e12, maximum: 1e12, description: 'One credit is one request. Below 0 takes credits back.' }),
    note: Type.String({ minLength: 1, maxLength: 500 }),
  }),
);

/** The answer to a grant. */
export const CreditAnswer = named(
  'CreditAnswer',
  Type.Object({ grant: CreditGrant, credits_left: Type.Integer({ description: 'Those of requests in flight are taken off.' }) }),
);

const operatorFields = {
  id: Id('operator'),
  name: Type.String(),
  role: Role,
  workspace_id: nullable(Type.String(), { description: 'The one workspace that the operator sees, or null for the whole installation.' }),
  created_at: At('When it was made'),
  expires_at: nullable(Type.String(), { description: 'When the token stops working, or null.' }),
};

/** Somebody who may use the operator API. */
export const Operator = named('Operator', Type.Object(operatorFields));
export const OperatorList = listOf('OperatorList', Operator);

/** The only answer that holds the token. */
export const NewOperator = named(
  'NewOperator',
  Type.Object({ ...operatorFields, token: Type.String({ description: 'The token. It is shown only now.' }) }),
);

/** What `POST /admin/v1/operators` takes. */
export const OperatorInput = named(
  'OperatorInput',
  closed({
    name: Name,
    role: Role,
    expires_at: Type.Optional(nullable(Type.String(), { description: 'ISO 8601, or null for a token that does not expire.' })),
    workspace_id: Type.Optional(
      nullable(Type.String(), {
        description: 'Id or name of the one workspace to see, or null for the whole installation. When absent, the same as who asks.',
      }),
    ),
  }),
);

/** Parameters of `GET /admin/v1/usage`; all filters that are given must match. */
export const UsageQuery = closed({
  group_by: Type.Optional(
    Type.String({
      description: 'One or more of day, hour, model, project, key, reason, country, environment, with commas. day when absent.',
    }),
  ),
  workspace: Type.Optional(Type.String({ description: 'Name or id of a workspace.' })),
  project: Type.Optional(Type.String({ description: 'Name or id of a project.' })),
  key: Type.Optional(Type.String({ description: 'Id of a key; keys that were rotated count together.' })),
  environment: Type.Optional(oneOf(['live', 'test'])),
  from: Type.Optional(Type.String({ description: 'ISO 8601; counted by whole hours.' })),
  to: Type.Optional(Type.String({ description: 'ISO 8601: before this moment.' })),
});

/** Sums of one group; only the fields that were grouped by are there. */
export const UsageLine = named(
  'UsageLine',
  Type.Object({
    day: Type.Optional(Type.String({ examples: ['2026-11-22'] })),
    hour: Type.Optional(At('When the hour began')),
    model: Type.Optional(Type.String()),
    project_id: Type.Optional(Type.String()),
    key_id: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String({ description: 'Why requests were denied, or how they ended.' })),
    country: Type.Optional(nullable(Type.String())),
    environment: Type.Optional(oneOf(['live', 'test'])),
    requests: Type.Integer(),
    input_tokens: Type.Integer(),
    cached_input_tokens: Type.Integer(),
    output_tokens: Type.Integer(),
    cost_usd: Usd('What they cost'),
  }),
);
export const UsageList = listOf('UsageList', UsageLine);

/** Parameters of a list without filters. */
export const PageQuery = closed(pageFields);

const BudgetStatus = named(
  'BudgetStatus',
  Type.Object({
    rule: Type.String({ examples: ['project day budget'] }),
    mode: oneOf(['off', 'observe', 'enforce']),
    key_id: nullable(Type.String(), { description: 'For a budget of keys: which one.' }),
    limit_usd: Usd('The limit'),
    spent_usd: Usd('Settled in this period'),
    held_usd: Usd('Held by requests in flight'),
    remaining_usd: Usd('What is left'),
    resets_at: nullable(Type.String(), { description: 'Null for a budget over all time.' }),
  }),
);

/** How things stand. */
export const Status = named(
  'Status',
  Type.Object({
    at: At('When'),
    ledger: Type.Object({
      available: Type.Boolean(),
      clock_confirmed: Type.Boolean(),
      restored_at: nullable(Type.String(), { description: 'When a backup was restored that nobody has confirmed yet, or null.' }),
    }),
    requests_in_flight: Type.Integer(),
    price_version: Type.Integer(),
    test_requests_today: Type.Integer(),
    prices_as_of: Type.String({ description: 'The day of the prices in the price list.' }),
    providers: Type.Array(
      Type.Object({
        id: Id('provider connection'),
        name: Type.String(),
        project: Type.String(),
        attempts: Type.Integer({ description: 'The last that this process sent; at most 100.' }),
        ok: Type.Integer({ description: 'How many of them the provider answered as it should.' }),
        last_error: nullable(Type.Object({ kind: Type.String(), at: At('When') }), { description: 'Since the process started.' }),
        p50_first_byte_ms: nullable(Type.Integer(), { description: 'Half of the answers began within this.' }),
      }),
    ),
    alerts: nullable(Type.Object({ alerts: Type.Integer(), pending: Type.Integer(), failed: Type.Integer() }), {
      description: 'How many there are, and messages that wait or were given up; null for who is bound to a workspace.',
    }),
    workspaces: Type.Array(
      Type.Object({
        id: Id('workspace'),
        name: Type.String(),
        sentry: Type.Boolean(),
        plan: Type.String(),
        included_requests: nullable(Type.Integer()),
        used_requests: Type.Integer({ description: 'This month.' }),
        credits_left: Type.Integer(),
        budgets: Type.Array(BudgetStatus),
      }),
    ),
    projects: Type.Array(
      Type.Object({
        id: Id('project'),
        name: Type.String(),
        workspace_id: Id('workspace'),
        sentry: nullable(oneOf(['project', 'workspace']), { description: 'Where Sentry Mode was switched on, or null.' }),
        requests_today: Type.Integer({ description: 'Of live keys, since midnight UTC; denied ones included.' }),
        denied_today: Type.Integer(),
        denials_today: Type.Record(Type.String(), Type.Integer(), { description: 'By reason.' }),
        cost_today_usd: Usd('Settled today'),
        budgets: Type.Array(BudgetStatus),
      }),
    ),
  }),
);

/** The clock that was confirmed. */
export const ClockAnswer = named('ClockAnswer', Type.Object({ now: At('Ledger time') }));

export type CreditAnswerJson = Static<typeof CreditAnswer>;
export type CreditGrantJson = Static<typeof CreditGrant>;
export type OperatorJson = Static<typeof Operator>;
export type NewOperatorJson = Static<typeof NewOperator>;
export type UsageLineJson = Static<typeof UsageLine>;
export type BudgetStatusJson = Static<typeof BudgetStatus>;
export type StatusJson = Static<typeof Status>;
