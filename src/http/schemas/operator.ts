import { Type, type Static } from '@sinclair/typebox';
import { PROVIDER_KINDS } from '../../domain/project.ts';
import { closed, listOf, named, nullable, oneOf } from './named.ts';
import { At, Id, Name, pageFields } from './operator-words.ts';

export * from './operator-alerts.ts';
export * from './operator-archive.ts';
export * from './operator-keep.ts';
export * from './operator-key-use.ts';
export * from './operator-configuration.ts';
export * from './operator-plane.ts';
export * from './operator-catalogue.ts';
export * from './operator-doctor.ts';
export * from './operator-prices.ts';
export * from './operator-replay.ts';

/** A workspace as operators see it. */
export const Workspace = named(
  'Workspace',
  Type.Object({
    id: Id('workspace'),
    name: Type.String(),
    plan: Type.String({ description: 'unlimited, free, plus, business or custom.' }),
    included_requests: nullable(Type.Integer(), { description: 'Included requests a month, or null for no limit.' }),
    created_at: At('When it was made'),
  }),
);

/** A project as operators see it. */
export const Project = named(
  'Project',
  Type.Object({
    id: Id('project'),
    workspace_id: Id('workspace'),
    name: Type.String(),
    created_at: At('When it was made'),
  }),
);

const PlanName = oneOf(['unlimited', 'free', 'plus', 'business', 'custom'], {
  description: 'free: 150 requests a month, plus: 50,000, business: 500,000, custom: a volume of its own.',
});
const IncludedRequests = nullable(Type.Integer({ minimum: 0, maximum: 1e12 }), {
  description: 'Included requests a month: 0 blocks all, null is no limit. Only for the plan custom, which it implies.',
});

/** What `POST /admin/v1/workspaces` takes. */
export const WorkspaceInput = named(
  'WorkspaceInput',
  closed({ name: Name, plan: Type.Optional(PlanName), included_requests: Type.Optional(IncludedRequests) }),
);

/** What `PATCH /admin/v1/workspaces/{id}` takes; what is left out stays. */
export const WorkspaceChange = named(
  'WorkspaceChange',
  closed({ name: Type.Optional(Name), plan: Type.Optional(PlanName), included_requests: Type.Optional(IncludedRequests) }),
);

/** What `PATCH /admin/v1/projects/{id}` takes. */
export const ProjectChange = named('ProjectChange', closed({ name: Type.Optional(Name) }));

/** What `POST /admin/v1/projects` takes. */
export const ProjectInput = named(
  'ProjectInput',
  closed({
    name: Name,
    workspace_id: Type.Optional(Type.String({ description: 'The first workspace when absent.' })),
  }),
);

const keyFields = {
  id: Id('key'),
  project_id: Id('project'),
  name: Type.String(),
  environment: oneOf(['live', 'test'], { description: 'Test keys are answered by the built-in simulator and never spend.' }),
  prefix: Type.String({ description: 'What may be shown of the key.', examples: ['pk_live_Ab3d'] }),
  created_at: At('When it was made'),
  expires_at: nullable(Type.String(), { description: 'When it stops working, or null.' }),
  revoked_at: nullable(Type.String(), { description: 'When it was revoked, or null.' }),
  last_used_at: nullable(Type.String(), {
    description:
      'When it was last accepted, or null for never. From before the last start of the server it is known to the hour, and of a key ' +
      'that was rotated as the last use of its line while the key was good.',
  }),
};

/** A key without its secret. */
export const Key = named('Key', Type.Object(keyFields));

/** The only answer that holds the secret. */
export const NewKey = named(
  'NewKey',
  Type.Object({ ...keyFields, key: Type.String({ description: 'The secret. It is shown only now.' }) }),
);

/** What `POST /admin/v1/projects/{id}/keys` takes. */
export const KeyInput = named(
  'KeyInput',
  closed({
    name: Name,
    environment: Type.Optional(oneOf(['live', 'test'], { description: '`live` when absent.' })),
    expires_at: Type.Optional(nullable(Type.String(), { description: 'ISO 8601, or null for a key that does not expire.' })),
  }),
);

/** What `POST /admin/v1/keys/{id}/rotate` takes. */
export const KeyRotation = named(
  'KeyRotation',
  closed({
    overlap_seconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 30 * 86_400, description: 'How long the old key works on; 0, the default, revokes it at once.' }),
    ),
    expires_at: Type.Optional(nullable(Type.String(), { description: 'When the new key expires, ISO 8601, or null.' })),
  }),
);

/** A provider connection. Its secret is never returned. */
export const Provider = named(
  'Provider',
  Type.Object({
    id: Id('provider connection'),
    project_id: Id('project'),
    name: Type.String(),
    kind: oneOf(PROVIDER_KINDS),
    base_url: Type.String(),
    models: Type.Array(Type.String(), { description: 'Names or patterns with `*`.' }),
    credential: oneOf(['stored', 'environment', 'none'], { description: 'Where the key of the provider is.' }),
    api_key_env: nullable(Type.String(), { description: 'The environment variable that holds the key, or null.' }),
    created_at: At('When it was made'),
  }),
);

/** What `POST /admin/v1/projects/{id}/providers` takes. */
export const ProviderInput = named(
  'ProviderInput',
  closed({
    name: Name,
    kind: oneOf(PROVIDER_KINDS),
    base_url: Type.Optional(Type.String({ description: 'Required for `custom`; the provider’s own address when absent.' })),
    api_key: Type.Optional(Type.String({ minLength: 1, description: 'Stored encrypted, never returned.' })),
    api_key_env: Type.Optional(Type.String({ minLength: 1, description: 'The name of an environment variable of the server instead.' })),
    models: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'Names or patterns with `*`; all when absent.' })),
  }),
);

/** Why a control spoke. */
export const Finding = named(
  'Finding',
  Type.Object({
    control: Type.String(),
    rule: Type.String(),
    limit: Type.String(),
    observed: Type.String(),
    remedy: Type.String({ description: 'What would have let the request pass.' }),
  }),
);

/** What a request used, in place of its hold. */
export const Settlement = named(
  'Settlement',
  Type.Object({
    outcome: Type.String({ examples: ['completed', 'client_aborted', 'unknown'] }),
    basis: Type.String({ description: 'reported, estimated, held or none: how sure the cost is.' }),
    cost_usd: Type.String({ examples: ['0.000123'] }),
    provider_cost_usd: nullable(Type.String(), { description: 'What the provider itself said, or null.' }),
    input_tokens: nullable(Type.Integer()),
    cached_input_tokens: nullable(Type.Integer()),
    output_tokens: nullable(Type.Integer()),
    reasoning_tokens: nullable(Type.Integer()),
    upstream_status: Type.Integer({ description: '0 when there was no answer.' }),
    first_byte_ms: nullable(Type.Integer()),
    duration_ms: Type.Integer(),
    overrun: Type.Boolean({ description: 'The provider used more than the hold.' }),
    flags: Type.Array(Type.String(), {
      description: 'What had to be mended in the provider’s figures; `half_told` when they leave out what surely was billed.',
    }),
  }),
);

/** What an operator says that a request cost in truth. */
export const Correction = named(
  'Correction',
  Type.Object({ cost_usd: Type.String(), note: Type.String(), author: Type.String(), at: At('When it was said') }),
);

/** What `POST /admin/v1/decisions/{id}/corrections` takes. */
export const CorrectionInput = named(
  'CorrectionInput',
  closed({
    cost_usd: Type.String({ description: 'What the request cost in truth, USD.', examples: ['0.0125'] }),
    note: Type.String({ minLength: 1, maxLength: 500, description: 'Why: it stands in the audit.' }),
  }),
);

/** A judged request with its settlement. */
export const Decision = named(
  'Decision',
  Type.Object({
    id: Id('decision'),
    at: At('When it was judged'),
    workspace_id: Id('workspace'),
    project_id: Id('project'),
    key_id: Id('key'),
    environment: oneOf(['live', 'test']),
    route: oneOf(['chat', 'responses', 'embeddings']),
    model: Type.String({ description: 'The catalogue name.' }),
    requested_model: Type.String({ description: 'As the client sent it.' }),
    stream: Type.Boolean(),
    decision: oneOf(['allow', 'deny']),
    reason: nullable(Type.String(), { description: 'Why it was denied, or null.' }),
    finding: nullable(Finding),
    observed: Type.Array(Finding, { description: 'What controls in observe mode would have said.' }),
    count: Type.Integer({ description: 'How many equal denials this row stands for.' }),
    policy_version: Type.Integer({
      description:
        'The newest change of the policies that judged it, of project or workspace: a number that only grows, not the `version` of a policy.',
    }),
    price_version: Type.Integer({ description: 'The change of prices that it was priced by: a number that only grows.' }),
    ip: nullable(Type.String()),
    country: nullable(Type.String()),
    end_user: nullable(Type.String()),
    hold_usd: Type.String(),
    output_cap: nullable(Type.Integer(), { description: 'The cap that was put into the request, or null.' }),
    input_tokens_bound: Type.Integer(),
    settlement: nullable(Settlement, { description: 'Null while the request is in flight, and for denials.' }),
    correction: nullable(Correction, {
      description: 'The newest correction: its cost counts instead of the settlement’s. Null when there is none.',
    }),
  }),
);

/** What `PATCH /admin/v1/providers/{id}` takes; what is left out stays. */
export const ProviderChange = named(
  'ProviderChange',
  closed({
    name: Type.Optional(Name),
    base_url: Type.Optional(Type.String()),
    api_key: Type.Optional(Type.String({ minLength: 1, description: 'Stored encrypted, never returned.' })),
    api_key_env: Type.Optional(Type.String({ minLength: 1 })),
    models: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  }),
);

/** What turns Sentry Mode on or off. */
export const SentryInput = named('SentryInput', closed({ enabled: Type.Boolean() }));

/** How the switch stands, and who turned it. */
export const SentryState = named(
  'SentryState',
  Type.Object({ enabled: Type.Boolean(), at: At('When it was turned'), author: Type.String() }),
);

/** A policy document; see README for its sections. */
export const PolicyInput = named(
  'PolicyInput',
  Type.Object({}, { additionalProperties: true, description: 'A policy document. Unknown fields are refused.' }),
);

/** Parameters of a policy that is stored. */
export const PolicyQuery = closed({
  dry_run: Type.Optional(
    oneOf(['true', 'false'], { description: '`true` checks the policy and answers with every default, without storing it.' }),
  ),
});

/** A policy with its version; 0 is the default that nobody stored. */
export const PolicyAnswer = named(
  'Policy',
  Type.Object({ version: Type.Integer(), author: nullable(Type.String()), at: nullable(Type.String()), policy: PolicyInput }),
);
export const PolicyVersionList = listOf('PolicyVersionList', PolicyAnswer);

/** What an operator did. */
export const AuditEvent = named(
  'AuditEvent',
  Type.Object({
    id: Id('event'),
    at: At('When it happened'),
    actor: Type.String(),
    action: Type.String({ examples: ['key.create', 'policy.set'] }),
    subject: Type.String({ description: 'Public id of what was changed.' }),
    ip: nullable(Type.String()),
    detail: Type.Object({}, { additionalProperties: true }),
  }),
);
export const AuditList = listOf('AuditList', AuditEvent);

export const ProjectList = listOf('ProjectList', Project);
export const KeyList = listOf('KeyList', Key);
export const ProviderList = listOf('ProviderList', Provider);
export const DecisionList = listOf('DecisionList', Decision);
export const WorkspaceList = listOf('WorkspaceList', Workspace);

/** Filters of decisions; all that are given must match. */
export const decisionFilters = {
  project: Type.Optional(Type.String({ description: 'Name or id of a project.' })),
  key: Type.Optional(Type.String({ description: 'Id of a key.' })),
  decision: Type.Optional(oneOf(['allow', 'deny'])),
  reason: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  environment: Type.Optional(oneOf(['live', 'test'])),
  observed: Type.Optional(oneOf(['true', 'false'], { description: 'Whether a control in observe mode spoke against it.' })),
  from: Type.Optional(Type.String({ description: 'ISO 8601: this moment and later.' })),
  to: Type.Optional(Type.String({ description: 'ISO 8601: before this moment.' })),
};

/** Filters of `GET /admin/v1/decisions`; all that are given must match. */
export const DecisionQuery = closed({
  ...decisionFilters,
  ...pageFields,
});

/** Filters of `GET /admin/v1/decisions/tail`. */
export const TailQuery = closed(decisionFilters);

export type WorkspaceJson = Static<typeof Workspace>;
export type ProjectJson = Static<typeof Project>;
export type PolicyJson = Static<typeof PolicyAnswer>;
export type AuditEventJson = Static<typeof AuditEvent>;
export type SentryStateJson = Static<typeof SentryState>;
export type KeyJson = Static<typeof Key>;
export type NewKeyJson = Static<typeof NewKey>;
export type ProviderJson = Static<typeof Provider>;
export type DecisionJson = Static<typeof Decision>;
export type SettlementJson = Static<typeof Settlement>;
