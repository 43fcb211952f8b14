import { belongingOf } from '../../src/domain/belonging.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Reason } from '../../src/domain/errors.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
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
import { candidateOf, compiled, NOTHING, settlementOf } from '../support/policies.ts';

/** The time of every scene. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);
const MONEY = { budgets: [{ scope: 'project', period: 'total', limit_usd: '1000' }] };

/** One request on each side of an edge. */
export interface Scene {
  readonly name: string;
  /** The control that refuses. */
  readonly by: Control;
  readonly reason: Reason;
  readonly policy: CompiledPolicy;
  /** Refused by this control and by no other. */
  readonly refused: Candidate;
  /** Just on the other side of the edge. */
  readonly passes: Candidate;
  readonly prepare?: (state: LedgerState) => void;
  /** The message must say this. */
  readonly says: readonly string[];
  readonly nowMs?: number;
  readonly passesAtMs?: number;
}

/** Admits `count` requests that stay in flight. */
export function admit(state: LedgerState, count: number, atMs: number, candidate: Candidate, holdNanoUsd = 0): void {
  for (let index = 0; index < count; index++) {
    const seq = state.openCount + 1;
    const verdict = {
      allow: true,
      holdNanoUsd,
      outputCap: null,
      heldOutputTokens: 1,
      remainingNanoUsd: null,
      draws: 'included',
      observed: [],
    } as const;
    state.open({ seq, atMs, candidate, policyVersion: 1, verdict }, belongingOf(candidate));
  }
}

const plain = candidateOf();
const off = (document: object, workspace: object = {}): CompiledPolicy => compiled({ ...NOTHING, ...document }, workspace);

/** At least one for each control. */
export const SCENES: readonly Scene[] = [
  {
    name: 'the free plan stops after its included requests',
    by: capacity,
    reason: 'included_volume_used',
    policy: compiled(NOTHING, {}, { plan: 'free', includedRequests: 150 }),
    prepare: (state) => admit(state, 150, NOW_MS, plain),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['150 requests', 'plan plus'],
  },
  {
    name: 'a paid plan stops after its credits',
    by: capacity,
    reason: 'credits_exhausted',
    policy: compiled(NOTHING, {}, { plan: 'plus', includedRequests: 0 }),
    prepare: (state) => state.grantCredits(2, 1),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['no credits left', 'panicly credits grant --workspace default'],
  },
  {
    name: 'a blocked network',
    by: network,
    reason: 'network_blocked',
    policy: off({ network: { block: ['203.0.113.0/24'] } }),
    refused: candidateOf({ ip: '203.0.113.255' }),
    passes: candidateOf({ ip: '203.0.114.0' }),
    says: ['203.0.113.255', 'block 203.0.113.0/24', 'panicly policy set FILE --project web'],
  },
  {
    name: 'a network that the workspace does not allow',
    by: network,
    reason: 'network_blocked',
    policy: off({ network: { allow: ['0.0.0.0/0'] } }, { network: { allow: ['2001:db8::/32', '10.0.0.0/8'] } }),
    refused: candidateOf({ ip: '11.0.0.0' }),
    passes: candidateOf({ ip: '10.255.255.255' }),
    says: ['panicly policy set FILE --workspace default'],
  },
  {
    name: 'an unknown address under a list',
    by: network,
    reason: 'network_blocked',
    policy: off({ network: { block: ['203.0.113.0/24'] } }),
    refused: candidateOf({ ip: null }),
    passes: plain,
    says: ['unknown address'],
  },
  {
    name: 'a blocked country',
    by: region,
    reason: 'region_blocked',
    policy: off({ region: { block: ['KP', 'region:example'], define: { example: ['FR'] } } }),
    refused: candidateOf({ country: 'FR' }),
    passes: candidateOf({ country: null }),
    says: ['block region:example'],
  },
  {
    name: 'an allow list of regions makes unknown a deny',
    by: region,
    reason: 'region_blocked',
    policy: off({ region: { allow: ['region:eu'] } }),
    refused: candidateOf({ country: null }),
    passes: candidateOf({ country: 'DE' }),
    says: ['unknown country'],
  },
  {
    name: 'unknown countries can be blocked by themselves',
    by: region,
    reason: 'region_blocked',
    policy: off({ region: { unknown: 'block' } }),
    refused: candidateOf({ country: null }),
    passes: candidateOf({ country: 'KP' }),
    says: ['region.unknown'],
  },
  {
    name: 'a blocked model',
    by: models,
    reason: 'model_blocked',
    policy: off({ models: { block: ['o1-pro'] } }),
    refused: candidateOf({ model: 'openai/o1-pro' }),
    passes: candidateOf({ model: 'openai/o1' }),
    says: ['openai/o1-pro', 'o1-pro'],
  },
  {
    name: 'a blocked spelling of a model that the catalogue knows under another name',
    by: models,
    reason: 'model_blocked',
    policy: off({ models: { block: ['gpt-4.1-2025-04-14'] } }),
    refused: candidateOf({ model: 'gpt-4.1', requestedModel: 'gpt-4.1-2025-04-14' }),
    passes: plain,
    says: ['gpt-4.1-2025-04-14'],
  },
  {
    name: 'a fallback that is not allowed',
    by: models,
    reason: 'model_blocked',
    policy: off({ models: { allow: ['gpt-4.1*'] } }),
    refused: candidateOf({ model: 'gpt-4.1', models: ['gpt-4.1', 'o3'] }),
    passes: candidateOf({ model: 'gpt-4.1', models: ['gpt-4.1', 'GPT-4.1-mini'] }),
    says: ['o3'],
  },
  {
    name: 'a model that nobody knows, though the allow list names it: only a price makes it known',
    by: models,
    reason: 'model_blocked',
    policy: off({ models: { allow: ['mystery'] } }),
    refused: candidateOf({ model: 'mystery', modelKnown: false }),
    passes: candidateOf({ model: 'mystery' }),
    says: ['not in the price list', 'panicly prices set PROVIDER/mystery'],
  },
  {
    name: 'a model without a price where money is limited',
    by: unpricedModel,
    reason: 'model_unpriced',
    policy: off(MONEY),
    refused: candidateOf({ model: 'mystery', modelKnown: false, quote: { priced: false } }),
    passes: candidateOf({ model: 'mystery', modelKnown: false }),
    says: ['mystery', 'panicly prices set'],
  },
  {
    name: 'a model without a price, whose name would be a command where people type what we say',
    by: unpricedModel,
    reason: 'model_unpriced',
    policy: off(MONEY),
    refused: candidateOf({ model: 'a; reboot', modelKnown: false, quote: { priced: false } }),
    passes: candidateOf({ model: 'a; reboot', modelKnown: false }),
    says: ["panicly prices set 'PROVIDER/a; reboot' --input"],
  },
  {
    name: 'Sentry Mode of the project',
    by: sentry,
    reason: 'sentry_mode',
    policy: off({}),
    prepare: (state) => state.setSentry({ projectId: 1 }, true),
    refused: plain,
    passes: candidateOf({ projectId: 2 }),
    says: ['Sentry Mode is on for project web. Turn it off with: panicly sentry off --project web'],
  },
  {
    name: 'Sentry Mode of the workspace',
    by: sentry,
    reason: 'sentry_mode',
    policy: off({}),
    prepare: (state) => state.setSentry({ workspaceId: 1 }, true),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['panicly sentry off --workspace default'],
  },
  {
    name: 'a burst of the project',
    by: burst,
    reason: 'burst_protection',
    policy: off({ burst: { requests: 3, window_seconds: 60 } }),
    prepare: (state) => admit(state, 3, NOW_MS - 59_999, candidateOf({ keyId: 2 })),
    refused: plain,
    passes: plain,
    passesAtMs: NOW_MS + 1,
    says: ['3 requests in 60 seconds', 'Try again in 1 second'],
  },
  {
    name: 'a burst of the key',
    by: burst,
    reason: 'burst_protection',
    policy: off({ burst: { requests: null, key_requests: 2, window_seconds: 60 } }),
    prepare: (state) => admit(state, 2, NOW_MS, plain),
    refused: plain,
    passes: candidateOf({ keyId: 2 }),
    says: ['burst.key_requests'],
  },
  {
    name: 'rolling spend of the key',
    by: abuse,
    reason: 'abuse_detection',
    policy: off({ abuse: { limit_usd: '1', window_seconds: 3600 } }),
    prepare: (state) => spend(state, plain, 900_000_000),
    refused: candidateOf({ quote: { inputHoldNanoUsd: 100_000_001 - 8_000_000, clientOutputCap: 1_000 } }),
    passes: candidateOf({ quote: { inputHoldNanoUsd: 100_000_000 - 8_000_000, clientOutputCap: 1_000 } }),
    says: ['spent 0.90 USD', '1.00 USD in 1 hour'],
  },
  {
    name: 'rolling spend of the sender, and of the key that invents senders',
    by: abuse,
    reason: 'abuse_detection',
    policy: off({ abuse: { limit_usd: '1', per: 'sender', key_limit_usd: '5' } }),
    prepare: (state) => spend(state, candidateOf({ keyId: 2, ip: '2001:db8::1' }), 995_000_000),
    refused: candidateOf({ ip: '2001:db8::ffff', quote: { clientOutputCap: 1_000 } }),
    passes: candidateOf({ ip: '2001:db8:0:1::1', quote: { clientOutputCap: 1_000 } }),
    says: ['This sender'],
  },
  {
    name: 'too much input',
    by: tokenGuard,
    reason: 'token_guard',
    policy: off({ token_guard: { max_input_tokens: 1_000 } }),
    refused: candidateOf({ quote: { inputTokenEstimate: 1_001 } }),
    passes: candidateOf({ quote: { inputTokenEstimate: 1_000, inputTokenBound: 9_000_000 } }),
    says: ['1001 tokens', 'token_guard.max_input_tokens'],
  },
  {
    name: 'too much output, in all choices together',
    by: tokenGuard,
    reason: 'token_guard',
    policy: off({ token_guard: { max_output_tokens: 1_000, on_output_exceed: 'block' } }),
    refused: candidateOf({ quote: { clientOutputCap: 501, choices: 2 } }),
    passes: candidateOf({ quote: { clientOutputCap: 500, choices: 2 } }),
    says: ['1002 tokens of output'],
  },
  {
    name: 'too much in total',
    by: tokenGuard,
    reason: 'token_guard',
    policy: off({ token_guard: { max_total_tokens: 2_000, on_output_exceed: 'block' } }),
    refused: candidateOf({ quote: { inputTokenEstimate: 1_500, clientOutputCap: 501 } }),
    passes: candidateOf({ quote: { inputTokenEstimate: 1_500, clientOutputCap: 500 } }),
    says: ['max_total_tokens'],
  },
  {
    name: 'the same payload again',
    by: loopGuard,
    reason: 'loop_guard',
    policy: off({ loop_guard: { repeats: 3, window_seconds: 60 } }),
    prepare: (state) => admit(state, 3, NOW_MS - 59_999, plain),
    refused: plain,
    passes: plain,
    passesAtMs: NOW_MS + 1,
    says: ['the same payload in 60 seconds', '3 times'],
  },
  {
    name: 'the same tool call again in one conversation',
    by: loopGuard,
    reason: 'loop_guard',
    policy: off({ loop_guard: { repeats: 3 } }),
    refused: candidateOf({ repeatedToolCalls: 3 }),
    passes: candidateOf({ repeatedToolCalls: 2 }),
    says: ['the same tool call'],
  },
  {
    name: 'too many in flight',
    by: concurrency,
    reason: 'concurrency_limit',
    policy: off({ concurrency: { requests: 2 } }),
    prepare: (state) => admit(state, 2, NOW_MS - 3_600_000, candidateOf({ keyId: 2 })),
    refused: plain,
    passes: candidateOf({ projectId: 2 }),
    says: ['2 requests in flight'],
  },
  {
    name: 'a feature without a bound where money is limited',
    by: features,
    reason: 'unpriced_feature',
    policy: off(MONEY),
    refused: candidateOf({ quote: { unpricedFeature: 'web_search_options' } }),
    passes: plain,
    says: ['web_search_options', 'allow_fields'],
  },
  {
    name: 'a stored reference',
    by: storedReferences,
    reason: 'unpriced_feature',
    policy: off({}),
    refused: candidateOf({ storedReferences: ['resp_123'] }),
    passes: plain,
    says: ['resp_123', 'allow_stored_references'],
  },
  {
    name: 'a request budget',
    by: budgets,
    reason: 'request_budget',
    policy: off({ budgets: [{ scope: 'request', limit_usd: '0.0082' }] }),
    refused: candidateOf({ quote: { clientOutputCap: 1_001 } }),
    passes: candidateOf({ quote: { clientOutputCap: 1_000 } }),
    says: ['needed 0.008208 USD', 'limit 0.0082 USD'],
  },
  {
    name: 'a user budget, which leaving the user out does not pass',
    by: budgets,
    reason: 'user_budget',
    policy: off({ budgets: [{ scope: 'user', period: 'day', limit_usd: '0.1' }] }),
    prepare: (state) => spend(state, candidateOf({ keyId: 5 }), 99_000_000),
    refused: candidateOf({ endUser: null }),
    passes: candidateOf({ endUser: 'ada' }),
    says: ['user day budget', 'spent 0.099 USD', 'It resets at 2026-11-23T00:00:00Z'],
  },
  {
    name: 'a budget for a model that is reached by a fallback',
    by: budgets,
    reason: 'project_budget',
    policy: off({ budgets: [{ scope: 'project', period: 'month', model: 'o3*', limit_usd: '0' }] }),
    refused: candidateOf({ models: ['gpt-4.1', 'openai/o3-mini'] }),
    passes: plain,
    says: ['project month budget for o3*', '2026-12-01T00:00:00Z'],
  },
  {
    name: 'a workspace budget, over its projects',
    by: budgets,
    reason: 'workspace_budget',
    policy: off({}, { budgets: [{ scope: 'workspace', period: 'total', limit_usd: '0.5' }] }),
    prepare: (state) => spend(state, candidateOf({ projectId: 9, keyId: 9 }), 499_000_000),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['It does not reset', 'panicly policy set FILE --workspace default'],
  },
];

function spend(state: LedgerState, candidate: Candidate, nanoUsd: number): void {
  admit(state, 1, NOW_MS - 1_000, candidate, nanoUsd);
  state.settle(settlementOf(1, nanoUsd), NOW_MS - 1_000);
}

/** A new state as the scene wants it. */
export function stateOf(scene: Scene): LedgerState {
  const state = new LedgerState();
  scene.prepare?.(state);
  return state;
}
