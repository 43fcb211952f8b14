/**
 * The tables, as drizzle sees them. `db/README.md` tells what they mean in plain words;
 * `bun db/generate.ts NAME` makes the next migration from this file.
 * Times are milliseconds since 1970, money is nano-USD. Enumerations in `decisions` and `settlements` are small numbers,
 * see `src/ledger/sqlite/codes.ts`. Rows of the ledger share one global `seq`.
 */
import { sql } from 'drizzle-orm';
import { blob, check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { balanceColumns, rollupColumns } from './sum-columns.ts';

export * from './schema-alerts.ts';
export * from './schema-catalogues.ts';

/** The columns that most tables have; the tables are looked up when they are there. */
const workspaceReference = () => integer('workspace_id').references(() => workspaces.id);
const projectReference = () => integer('project_id').references(() => projects.id);

export const workspaces = sqliteTable(
  'workspaces',
  {
    id: integer('id').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    name: text('name').notNull(),
    plan: text('plan', { enum: ['unlimited', 'free', 'plus', 'business', 'custom'] }).notNull(),
    includedRequests: integer('included_requests'),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [
    check('workspaces_plan', sql`${table.plan} IN ('unlimited', 'free', 'plus', 'business', 'custom')`),
    check('workspaces_included', sql`${table.includedRequests} >= 0`),
  ],
);

export const projects = sqliteTable(
  'projects',
  {
    id: integer('id').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    workspaceId: workspaceReference().notNull(),
    name: text('name').notNull(),
    /** The project whose spend this one goes on with, or null. */
    lineageId: integer('lineage_id'),
    createdAtMs: integer('created_at_ms').notNull(),
    deletedAtMs: integer('deleted_at_ms'),
  },
  (table) => [
    uniqueIndex('projects_name')
      .on(table.workspaceId, table.name)
      .where(sql`deleted_at_ms IS NULL`),
  ],
);

export const apiKeys = sqliteTable(
  'api_keys',
  {
    id: integer('id').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    projectId: projectReference().notNull(),
    name: text('name').notNull(),
    environment: text('environment', { enum: ['live', 'test'] }).notNull(),
    prefix: text('prefix').notNull(),
    sha256: text('sha256').notNull().unique(),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms'),
    revokedAtMs: integer('revoked_at_ms'),
    /** The first key of the line that this one rotates, or null when it is the first. */
    lineageId: integer('lineage_id'),
  },
  (table) => [
    index('api_keys_project').on(table.projectId),
    check('api_keys_environment', sql`${table.environment} IN ('live', 'test')`),
    check('api_keys_sha256', sql`length(${table.sha256}) = 64`),
  ],
);

export const operators = sqliteTable(
  'operators',
  {
    id: integer('id').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    name: text('name').notNull(),
    role: text('role', { enum: ['owner', 'viewer'] }).notNull(),
    /** SHA-256 of the token, hexadecimal. */
    tokenSha256: text('token_sha256').notNull().unique(),
    createdAtMs: integer('created_at_ms').notNull(),
    deletedAtMs: integer('deleted_at_ms'),
    /** When the token stops working; null for never. */
    expiresAtMs: integer('expires_at_ms'),
    /** The one workspace that the operator sees; null for the whole installation. */
    workspaceId: workspaceReference(),
  },
  (table) => [check('operators_role', sql`${table.role} IN ('owner', 'viewer')`)],
);

export const providerConnections = sqliteTable(
  'provider_connections',
  {
    id: integer('id').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    projectId: projectReference().notNull(),
    name: text('name').notNull(),
    kind: text('kind').notNull(),
    baseUrl: text('base_url').notNull(),
    /** JSON array of names and patterns. */
    models: text('models', { mode: 'json' }).$type<readonly string[]>().notNull(),
    /** AES-256-GCM: the ciphertext with its tag, and the nonce. Both null when there is no stored secret. */
    ciphertext: blob('ciphertext', { mode: 'buffer' }),
    nonce: blob('nonce', { mode: 'buffer' }),
    /** The environment variable that holds the secret, instead of a ciphertext. */
    secretEnv: text('secret_env'),
    createdAtMs: integer('created_at_ms').notNull(),
    deletedAtMs: integer('deleted_at_ms'),
  },
  (table) => [
    uniqueIndex('provider_connections_name')
      .on(table.projectId, table.name)
      .where(sql`deleted_at_ms IS NULL`),
    check('provider_connections_secret', sql`(${table.ciphertext} IS NULL) = (${table.nonce} IS NULL)`),
    check('provider_connections_one_secret', sql`${table.ciphertext} IS NULL OR ${table.secretEnv} IS NULL`),
    check('provider_connections_models', sql`json_valid(${table.models})`),
  ],
);

export const policies = sqliteTable(
  'policies',
  {
    seq: integer('seq').primaryKey(),
    /** Exactly one of the two is set. */
    workspaceId: workspaceReference(),
    projectId: projectReference(),
    version: integer('version').notNull(),
    document: text('document').notNull(),
    author: text('author').notNull(),
    atMs: integer('at_ms').notNull(),
  },
  (table) => [
    uniqueIndex('policies_workspace').on(table.workspaceId, table.version),
    uniqueIndex('policies_project').on(table.projectId, table.version),
    check('policies_owner', sql`(${table.workspaceId} IS NULL) <> (${table.projectId} IS NULL)`),
    check('policies_document', sql`json_valid(${table.document})`),
  ],
);

export const creditEntries = sqliteTable(
  'credit_entries',
  {
    seq: integer('seq').primaryKey(),
    workspaceId: workspaceReference().notNull(),
    requests: integer('requests').notNull(),
    note: text('note').notNull(),
    author: text('author').notNull(),
    atMs: integer('at_ms').notNull(),
  },
  (table) => [index('credit_entries_workspace').on(table.workspaceId)],
);

export const sentrySwitches = sqliteTable(
  'sentry_switches',
  {
    seq: integer('seq').primaryKey(),
    workspaceId: workspaceReference(),
    projectId: projectReference(),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    author: text('author').notNull(),
    atMs: integer('at_ms').notNull(),
  },
  (table) => [
    check('sentry_switches_owner', sql`(${table.workspaceId} IS NULL) <> (${table.projectId} IS NULL)`),
    check('sentry_switches_enabled', sql`${table.enabled} IN (0, 1)`),
  ],
);

export const decisions = sqliteTable(
  'decisions',
  {
    seq: integer('seq').primaryKey(),
    atMs: integer('at_ms').notNull(),
    projectId: projectReference().notNull(),
    keyId: integer('key_id')
      .notNull()
      .references(() => apiKeys.id),
    /** Null is the simulator. */
    connectionId: integer('connection_id').references(() => providerConnections.id),
    route: integer('route').notNull(),
    test: integer('test').notNull(),
    stream: integer('stream').notNull(),
    model: text('model').notNull(),
    modelKnown: integer('model_known').notNull(),
    /** Null when the client's spelling is `model`. */
    requestedModel: text('requested_model'),
    /** JSON array of every model that the request could reach; null when that is `model` alone. */
    models: text('models'),
    ip: text('ip'),
    country: text('country'),
    endUser: text('end_user'),
    /** 64 bits as a signed number. */
    fingerprint: integer('fingerprint').notNull(),
    repeatedToolCalls: integer('repeated_tool_calls').notNull(),
    /** JSON array, null when there is none. */
    storedReferences: text('stored_references'),
    priced: integer('priced').notNull(),
    priceVersion: integer('price_version').notNull(),
    inputTokenEstimate: integer('input_token_estimate').notNull(),
    inputTokenBound: integer('input_token_bound').notNull(),
    inputHoldNanoUsd: integer('input_hold_nano_usd').notNull(),
    outputNanoUsdPerMillion: integer('output_nano_usd_per_million').notNull(),
    choices: integer('choices').notNull(),
    clientOutputCap: integer('client_output_cap'),
    modelOutputLimit: integer('model_output_limit').notNull(),
    outputFloor: integer('output_floor').notNull(),
    unpricedFeature: text('unpriced_feature'),
    policyVersion: integer('policy_version').notNull(),
    /** Null is an allow; else why it was refused. */
    reason: text('reason'),
    /** How many equal denials this row stands for; 1 for an allow. */
    count: integer('count').notNull(),
    /** Of an allow; null on a denial. */
    holdNanoUsd: integer('hold_nano_usd'),
    outputCap: integer('output_cap'),
    heldOutputTokens: integer('held_output_tokens'),
    remainingNanoUsd: integer('remaining_nano_usd'),
    draws: integer('draws').notNull(),
    /** Of a denial: the status that overrides the reason's own. */
    status: integer('status'),
    /** JSON: the finding of a denial, and the findings of controls that only observe. Null when there is none. */
    finding: text('finding'),
    observed: text('observed'),
  },
  (table) => [
    index('decisions_project').on(table.projectId),
    index('decisions_key').on(table.keyId),
    index('decisions_reason')
      .on(table.reason)
      .where(sql`reason IS NOT NULL`),
    check('decisions_verdict', sql`(${table.reason} IS NULL) = (${table.holdNanoUsd} IS NOT NULL)`),
    check('decisions_hold', sql`${table.holdNanoUsd} >= 0 AND ${table.heldOutputTokens} >= 0`),
    check('decisions_count', sql`${table.count} >= 1 AND (${table.count} = 1 OR ${table.reason} IS NOT NULL)`),
    check('decisions_codes', sql`${table.route} BETWEEN 0 AND 2 AND ${table.test} IN (0, 1) AND ${table.draws} BETWEEN 0 AND 2`),
  ],
);

export const settlements = sqliteTable(
  'settlements',
  {
    seq: integer('seq').primaryKey(),
    decisionSeq: integer('decision_seq')
      .notNull()
      .unique()
      .references(() => decisions.seq),
    atMs: integer('at_ms').notNull(),
    outcome: integer('outcome').notNull(),
    basis: integer('basis').notNull(),
    costNanoUsd: integer('cost_nano_usd').notNull(),
    /** Null, like all that follow up to `flags`, when the provider reported no usage. */
    inputTokens: integer('input_tokens'),
    cachedInputTokens: integer('cached_input_tokens'),
    cacheWriteTokens: integer('cache_write_tokens'),
    audioInputTokens: integer('audio_input_tokens'),
    outputTokens: integer('output_tokens'),
    reasoningTokens: integer('reasoning_tokens'),
    audioOutputTokens: integer('audio_output_tokens'),
    providerCostNanoUsd: integer('provider_cost_nano_usd'),
    /** JSON object of calls by tool type, and JSON array of what was mended; null when there is none. */
    toolCalls: text('tool_calls'),
    flags: text('flags'),
    overrun: integer('overrun').notNull(),
    upstreamStatus: integer('upstream_status').notNull(),
    firstByteMs: integer('first_byte_ms'),
    durationMs: integer('duration_ms').notNull(),
    responseId: text('response_id'),
    countsVolume: integer('counts_volume').notNull(),
  },
  (table) => [
    index('settlements_response')
      .on(table.responseId)
      .where(sql`response_id IS NOT NULL`),
    check('settlements_cost', sql`${table.costNanoUsd} >= 0`),
    check('settlements_codes', sql`${table.outcome} BETWEEN 0 AND 9 AND ${table.basis} BETWEEN 0 AND 3`),
    check('settlements_flags', sql`${table.overrun} IN (0, 1) AND ${table.countsVolume} IN (0, 1)`),
  ],
);

export const corrections = sqliteTable(
  'corrections',
  {
    seq: integer('seq').primaryKey(),
    decisionSeq: integer('decision_seq')
      .notNull()
      .references(() => settlements.decisionSeq),
    /** What the request cost in truth; what counts until the next correction. */
    costNanoUsd: integer('cost_nano_usd').notNull(),
    note: text('note').notNull(),
    author: text('author').notNull(),
    atMs: integer('at_ms').notNull(),
  },
  (table) => [index('corrections_decision').on(table.decisionSeq), check('corrections_cost', sql`${table.costNanoUsd} >= 0`)],
);

export const auditEvents = sqliteTable(
  'audit_events',
  {
    seq: integer('seq').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    atMs: integer('at_ms').notNull(),
    /** The operator's public id, or a word such as `system`. */
    actor: text('actor').notNull(),
    /** `key.create`, `policy.set` ... */
    action: text('action').notNull(),
    /** The public id of what was changed. */
    subject: text('subject').notNull(),
    ip: text('ip'),
    /** JSON with what changed, without secrets. */
    detail: text('detail').notNull(),
    /** The workspace that the subject belongs to; null for what concerns the whole installation. */
    workspaceId: workspaceReference(),
  },
  (table) => [
    index('audit_events_subject').on(table.subject),
    index('audit_events_workspace')
      .on(table.workspaceId)
      .where(sql`workspace_id IS NOT NULL`),
    check('audit_events_detail', sql`json_valid(${table.detail})`),
  ],
);

export const priceOverrides = sqliteTable(
  'price_overrides',
  {
    seq: integer('seq').primaryKey(),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    /** JSON of the parts that are overridden; null takes the override away. */
    price: text('price'),
    author: text('author').notNull(),
    atMs: integer('at_ms').notNull(),
  },
  (table) => [
    index('price_overrides_model').on(table.provider, table.model),
    check('price_overrides_price', sql`${table.price} IS NULL OR json_valid(${table.price})`),
  ],
);

/** Derived: what happened in an hour. `reason` is a denial's reason or a settlement's outcome. */
export const usageRollups = sqliteTable('usage_rollups', rollupColumns(), (table) => [
  primaryKey({ columns: [table.hourMs, table.projectId, table.keyId, table.test, table.model, table.country, table.reason] }),
]);

/** Derived: sums that rollups do not hold. See `db/README.md` for the scopes. */
export const balances = sqliteTable('balances', balanceColumns(), (table) => [
  primaryKey({ columns: [table.scope, table.scopeId, table.test, table.periodStartMs, table.model] }),
]);

/** One row: where the ledger stands. Written in every transaction. */
export const checkpoint = sqliteTable(
  'checkpoint',
  {
    id: integer('id').primaryKey(),
    /** The number of the last committed transaction: tells whether one whose outcome is unknown is there. */
    batch: integer('batch').notNull(),
    lastSeq: integer('last_seq').notNull(),
    lastAtMs: integer('last_at_ms').notNull(),
    /** No decision under this seq is without its settlement. */
    lowestOpenSeq: integer('lowest_open_seq').notNull(),
    /** Grows with every write that only tries whether writing works. */
    probes: integer('probes').notNull(),
  },
  (table) => [check('checkpoint_one', sql`${table.id} = 1`)],
);

export * from './schema-chain.ts';
