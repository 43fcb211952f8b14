import type { Route } from '../../src/domain/candidate.ts';
import type { Reason } from '../../src/domain/errors.ts';
import type { Plan } from '../../src/domain/project.ts';
import type { Control } from '../../src/policy/control.ts';
import { abuse } from '../../src/policy/controls/abuse.ts';
import { budgets } from '../../src/policy/controls/budgets.ts';
import { burst } from '../../src/policy/controls/burst.ts';
import { capacity } from '../../src/policy/controls/capacity.ts';
import { concurrency } from '../../src/policy/controls/concurrency.ts';
import { features } from '../../src/policy/controls/features.ts';
import { loopGuard } from '../../src/policy/controls/loop-guard.ts';
import { models } from '../../src/policy/controls/models.ts';
import { network } from '../../src/policy/controls/network.ts';
import { region } from '../../src/policy/controls/region.ts';
import { sentry } from '../../src/policy/controls/sentry.ts';
import { storedReferences } from '../../src/policy/controls/stored-references.ts';
import { tokenGuard } from '../../src/policy/controls/token-guard.ts';
import { unpricedModel } from '../../src/policy/controls/unpriced-model.ts';

/** What is in force in one cell of the matrix. */
export interface InForce {
  readonly project?: object;
  readonly workspace?: object;
  readonly capacity?: { readonly plan: Plan; readonly includedRequests: number | null };
  readonly sentry?: boolean;
}

/** One rule of one control, and a request that it speaks against. */
export interface MatrixRow {
  readonly name: string;
  readonly by: Control;
  readonly reason: Reason;
  /** All that speaks against the requests of the matrix, in a mode; what cannot be observed has no such mode. */
  readonly rule: (mode: 'off' | 'observe' | 'enforce') => InForce;
  readonly canObserve: boolean;
  /** What the request has beside a model and a text. */
  readonly body?: (route: Route) => object;
  /** Routes on which the control has nothing to judge. */
  readonly notOn?: readonly Route[];
}

const rule = (name: string, by: Control, reason: Reason, section: string, value: object): MatrixRow => ({
  name,
  by,
  reason,
  canObserve: true,
  rule: (mode) => ({ project: { [section]: { ...value, mode } } }),
});

const budget = (scope: string, reason: Reason): MatrixRow => ({
  name: `a ${scope} budget`,
  by: budgets,
  reason,
  canObserve: true,
  rule: (mode) => {
    const list = { budgets: [{ scope, ...(scope === 'request' ? {} : { period: 'day' }), limit_usd: '0.000000001', mode }] };
    return scope === 'workspace' ? { workspace: list } : { project: list };
  },
});

/** Money is limited, and there is enough of it. */
const WEALTH = { budgets: [{ scope: 'project', period: 'total', limit_usd: '1000000' }] };

const STORED: Readonly<Record<Route, object>> = {
  chat: { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-7' } }] }] },
  responses: { previous_response_id: 'resp_7' },
  embeddings: { input: [{ type: 'file', file: { file_id: 'file-7' } }] },
};

/** At least one row for each control of the live list. The fixture of the test has one request in flight, and one of each payload behind it. */
export const MATRIX: readonly MatrixRow[] = [
  {
    name: 'the volume of a plan',
    by: capacity,
    reason: 'included_volume_used',
    canObserve: false,
    rule: (mode) => ({ capacity: mode === 'off' ? { plan: 'unlimited', includedRequests: null } : { plan: 'free', includedRequests: 1 } }),
  },
  rule('a blocked network', network, 'network_blocked', 'network', { block: ['203.0.113.0/24'] }),
  rule('a network that is not allowed', network, 'network_blocked', 'network', { allow: ['198.51.100.0/24', '2001:db8::/32'] }),
  {
    name: 'a network that the workspace blocks',
    by: network,
    reason: 'network_blocked',
    canObserve: true,
    rule: (mode) => ({ workspace: { network: { block: ['203.0.113.5'], mode } } }),
  },
  rule('a blocked country', region, 'region_blocked', 'region', { block: ['KP'] }),
  rule('a country out of the allowed regions', region, 'region_blocked', 'region', { allow: ['region:eu', 'region:north-america'] }),
  rule('a region of the operator', region, 'region_blocked', 'region', { block: ['region:ours'], define: { ours: ['KP', 'IR'] } }),
  rule('a blocked model', models, 'model_blocked', 'models', { block: ['gpt-4.1-mini', 'text-embedding-3-*'] }),
  rule('a model that is not allowed', models, 'model_blocked', 'models', { allow: ['o3'] }),
  {
    name: 'a model without a price',
    by: unpricedModel,
    reason: 'model_unpriced',
    canObserve: false,
    rule: (mode) => (mode === 'off' ? {} : { project: WEALTH }),
    body: () => ({ model: 'nobody-knows-this' }),
  },
  { name: 'Sentry Mode', by: sentry, reason: 'sentry_mode', canObserve: false, rule: (mode) => ({ sentry: mode !== 'off' }) },
  rule('a burst of the project', burst, 'burst_protection', 'burst', { requests: 1, window_seconds: 3_600 }),
  rule('a burst of the key', burst, 'burst_protection', 'burst', { requests: null, key_requests: 1, window_seconds: 3_600 }),
  ...['key', 'project', 'sender', 'user'].map((per) =>
    rule(`spend of a ${per}`, abuse, 'abuse_detection', 'abuse', { limit_usd: '0.000000001', key_limit_usd: '1000', per }),
  ),
  rule('input', tokenGuard, 'token_guard', 'token_guard', { max_input_tokens: 1 }),
  rule('input of all', tokenGuard, 'token_guard', 'token_guard', { max_total_tokens: 1 }),
  {
    ...rule('output', tokenGuard, 'token_guard', 'token_guard', { max_output_tokens: 5, on_output_exceed: 'block' }),
    notOn: ['embeddings'],
  },
  rule('a payload that comes again', loopGuard, 'loop_guard', 'loop_guard', { repeats: 1, window_seconds: 3_600 }),
  rule('requests in flight of the project', concurrency, 'concurrency_limit', 'concurrency', { requests: 1 }),
  rule('requests in flight of the key', concurrency, 'concurrency_limit', 'concurrency', { requests: null, key_requests: 1 }),
  {
    name: 'a field that nobody knows',
    by: features,
    reason: 'unpriced_feature',
    canObserve: false,
    rule: (mode) => (mode === 'off' ? {} : { project: WEALTH }),
    body: () => ({ warp_factor: 9 }),
  },
  {
    name: 'what is stored at the provider',
    by: storedReferences,
    reason: 'unpriced_feature',
    canObserve: false,
    rule: (mode) => ({ project: { pricing: { allow_stored_references: mode === 'off' } } }),
    body: (route) => STORED[route],
  },
  budget('request', 'request_budget'),
  budget('key', 'key_budget'),
  budget('user', 'user_budget'),
  budget('project', 'project_budget'),
  budget('workspace', 'workspace_budget'),
];
