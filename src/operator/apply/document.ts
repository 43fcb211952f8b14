import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { PROVIDER_KINDS } from '../../domain/project.ts';
import { ALERT_EVENTS, ALERT_FORMATS } from '../alerts/definition.ts';

/** Stands in a file for a secret that the server keeps: it is left as it is, and can make nothing new. */
export const STORED = 'stored';

const table = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: false });
const oneOf = <const Values extends readonly string[]>(values: Values) =>
  Type.Union(values.map((value) => Type.Literal(value as Values[number])));
const optionalList = <Item extends ReturnType<typeof table>>(item: Item, maxItems: number) => Type.Optional(Type.Array(item, { maxItems }));

const Name = Type.String({ minLength: 1, maxLength: 100 });
/** Checked with its own words, see `policy/document.ts`. */
const Policy = Type.Optional(Type.Object({}, { additionalProperties: true }));
/** The same bounds as the operator API has. */
const Usd = Type.Optional(Type.String({ pattern: '^\\d{1,6}(\\.\\d{1,9})?$' }));
const Tokens = Type.Optional(Type.Integer({ minimum: 1, maximum: 1e9 }));
const bounded = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }));

const WorkspaceTable = table({
  name: Name,
  plan: Type.Optional(oneOf(['unlimited', 'free', 'plus', 'business', 'custom'])),
  included_requests: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 1e12 }), Type.Null()])),
  policy: Policy,
});

const ProviderTable = table({
  name: Name,
  kind: oneOf(PROVIDER_KINDS),
  base_url: Type.Optional(Type.String()),
  api_key_env: Type.Optional(Type.String({ minLength: 1 })),
  api_key: Type.Optional(Type.Literal(STORED)),
  models: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
});

const ProjectTable = table({
  name: Name,
  workspace: Type.Optional(Name),
  policy: Policy,
  providers: Type.Optional(Type.Array(ProviderTable, { maxItems: 100 })),
});

const PriceTable = table({
  provider: Name,
  model: Type.String({ minLength: 1, maxLength: 200 }),
  input_usd: Usd,
  output_usd: Usd,
  cache_read_usd: Usd,
  cache_write_usd: Usd,
  reasoning_usd: Usd,
  input_audio_usd: Usd,
  output_audio_usd: Usd,
  context_tokens: Tokens,
  max_input_tokens: Tokens,
  max_output_tokens: Tokens,
});

const AlertTable = table({
  name: Name,
  workspace: Type.Optional(Name),
  project: Type.Optional(Name),
  format: Type.Optional(oneOf(ALERT_FORMATS)),
  url_env: Type.Optional(Type.String({ minLength: 1 })),
  url: Type.Optional(Type.Literal(STORED)),
  secret_env: Type.Optional(Type.String({ minLength: 1 })),
  secret: Type.Optional(Type.Literal(STORED)),
  events: Type.Optional(Type.Array(oneOf(ALERT_EVENTS), { minItems: 1 })),
  thresholds: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), { minItems: 1, maxItems: 10 })),
  failure_percent: bounded(1, 100),
  failure_window_seconds: bounded(60, 3_600),
  failure_min_requests: bounded(1, 1_000_000),
});

/** What a file may say of what operators manage. A list that is left out says nothing: what there is stays. */
export const ConfigurationSchema = table({
  workspaces: optionalList(WorkspaceTable, 1_000),
  projects: optionalList(ProjectTable, 5_000),
  prices: optionalList(PriceTable, 5_000),
  alerts: optionalList(AlertTable, 100),
});

export type ConfigurationFile = Static<typeof ConfigurationSchema>;
export type WorkspaceEntry = Static<typeof WorkspaceTable>;
export type ProjectEntry = Static<typeof ProjectTable>;
export type ProviderEntry = Static<typeof ProviderTable>;
export type PriceEntry = Static<typeof PriceTable>;
export type AlertEntry = Static<typeof AlertTable>;
