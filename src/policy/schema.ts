import { Type, type Static, type TObject, type TProperties, type TSchema } from '@sinclair/typebox';

/** Greatest window of burst and loop guard: the state keeps their times for an hour. */
const MAX_SHORT_WINDOW_SECONDS = 3_600;
/** Greatest rolling window of money: the state keeps spend by the hour for 31 days. */
const MAX_ROLLING_SECONDS = 31 * 86_400;
/** The state's rings hold more than this many times, so that no count below it is ever cut off. */
const MAX_WINDOW_REQUESTS = 100_000;
const MAX_REPEATS = 1_000;
const MAX_NETWORKS = 2_000;
const MAX_PATTERNS = 500;
const MAX_BUDGETS = 40;
const MAX_NAMES = 200;

/** An object in which an unknown member is a mistake. A section that is left out takes its defaults. */
function section<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties, { additionalProperties: false, default: {} });
}

function nullable<T extends TSchema>(schema: T, value: Static<T> | null): ReturnType<typeof Type.Union<[T, ReturnType<typeof Type.Null>]>> {
  return Type.Union([schema, Type.Null()], { default: value });
}

const Mode = Type.Union([Type.Literal('off'), Type.Literal('observe'), Type.Literal('enforce')], { default: 'enforce' });

const Usd = Type.String({ pattern: '^\\d{1,7}(\\.\\d{1,9})?$', maxLength: 17 });

function count(maximum: number): ReturnType<typeof Type.Integer> {
  return Type.Integer({ minimum: 0, maximum });
}

function windowSeconds(maximum: number, value: number): ReturnType<typeof Type.Integer> {
  return Type.Integer({ minimum: 1, maximum, default: value });
}

function list(maximum: number, maxLength: number): ReturnType<typeof Type.Array<ReturnType<typeof Type.String>>> {
  return Type.Array(Type.String({ minLength: 1, maxLength }), { maxItems: maximum, default: [] });
}

const Network = section({ mode: Mode, allow: list(MAX_NETWORKS, 64), block: list(MAX_NETWORKS, 64) });

const Region = section({
  mode: Mode,
  allow: list(MAX_NAMES, 80),
  block: list(MAX_NAMES, 80),
  unknown: Type.Union([Type.Literal('allow'), Type.Literal('block')], { default: 'allow' }),
  define: Type.Record(Type.String({ pattern: '^[a-z0-9-]{1,40}$' }), Type.Array(Type.String({ maxLength: 2 }), { maxItems: 260 }), {
    default: {},
    additionalProperties: false,
    maxProperties: 50,
  }),
});

const Models = section({ mode: Mode, allow: list(MAX_PATTERNS, 200), block: list(MAX_PATTERNS, 200) });

const Burst = section({
  mode: Mode,
  requests: nullable(count(MAX_WINDOW_REQUESTS), 600),
  key_requests: nullable(count(MAX_WINDOW_REQUESTS), null),
  window_seconds: windowSeconds(MAX_SHORT_WINDOW_SECONDS, 60),
});

const Abuse = section({
  mode: Mode,
  limit_usd: nullable(Usd, '5.00'),
  key_limit_usd: nullable(Usd, null),
  window_seconds: windowSeconds(MAX_ROLLING_SECONDS, 3_600),
  per: Type.Union([Type.Literal('key'), Type.Literal('project'), Type.Literal('sender'), Type.Literal('user')], { default: 'key' }),
});

const TokenGuard = section({
  mode: Mode,
  max_input_tokens: nullable(count(1e12), 400_000),
  max_output_tokens: nullable(count(1e12), 128_000),
  max_total_tokens: nullable(count(1e12), null),
  on_output_exceed: Type.Union([Type.Literal('clamp'), Type.Literal('block')], { default: 'clamp' }),
});

const LoopGuard = section({
  mode: Mode,
  repeats: nullable(count(MAX_REPEATS), 30),
  window_seconds: windowSeconds(MAX_SHORT_WINDOW_SECONDS, 60),
});

const Concurrency = section({
  mode: Mode,
  requests: nullable(count(1_000_000), 200),
  key_requests: nullable(count(1_000_000), null),
});

const Budget = Type.Object(
  {
    scope: Type.Union(
      ['request', 'key', 'user', 'project', 'workspace'].map((scope) =>
        Type.Literal(scope as 'request' | 'key' | 'user' | 'project' | 'workspace'),
      ),
    ),
    period: Type.Optional(
      Type.Union(
        ['day', 'week', 'month', 'total', 'rolling'].map((period) =>
          Type.Literal(period as 'day' | 'week' | 'month' | 'total' | 'rolling'),
        ),
      ),
    ),
    window_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ROLLING_SECONDS })),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    limit_usd: Type.Union([Usd, Type.Null()]),
    mode: Mode,
  },
  { additionalProperties: false },
);

const Pricing = section({
  max_hold_share: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 0.2 }),
  unknown_model_price: nullable(
    Type.Object({ input_usd_per_million: Usd, output_usd_per_million: Usd }, { additionalProperties: false }),
    null,
  ),
  allow_fields: list(MAX_NAMES, 200),
  tool_prices: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,100}$' }), Usd, {
    default: {},
    additionalProperties: false,
    maxProperties: MAX_NAMES,
  }),
  max_tool_calls: Type.Integer({ minimum: 0, maximum: 10_000, default: 5 }),
  allow_stored_references: Type.Boolean({ default: false }),
});

/** The daily budget that a new project is born with: a leaked key without a cap is how people get hurt. */
const BORN_WITH = [{ scope: 'project', period: 'day', limit_usd: '10.00', mode: 'enforce' }] as const;

/** A project's policy. */
export const PolicySchema = section({
  sentry: section({ cut_streams: Type.Boolean({ default: true }) }),
  network: Network,
  region: Region,
  models: Models,
  burst: Burst,
  abuse: Abuse,
  token_guard: TokenGuard,
  loop_guard: LoopGuard,
  concurrency: Concurrency,
  budgets: Type.Array(Budget, { maxItems: MAX_BUDGETS, default: BORN_WITH }),
  pricing: Pricing,
  retryable_status: Type.Union([Type.Literal(403), Type.Literal(429)], { default: 403 }),
});

/** A workspace's policy: what holds for all of its projects together. */
export const WorkspacePolicySchema = section({
  network: Network,
  budgets: Type.Array(Budget, { maxItems: MAX_BUDGETS, default: [] }),
});

/** A project's policy with every default filled in. */
export type PolicyDocument = Static<typeof PolicySchema>;

/** A workspace's policy with every default filled in. */
export type WorkspacePolicyDocument = Static<typeof WorkspacePolicySchema>;

/** One budget of a document. */
export type BudgetDocument = Static<typeof Budget>;
