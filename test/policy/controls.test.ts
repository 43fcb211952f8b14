import { describe, expect, test } from 'bun:test';
import { belongingOf } from '../../src/domain/belonging.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Reason } from '../../src/domain/errors.ts';
import type { ControlName, Verdict } from '../../src/domain/verdict.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { CONTROLS } from '../../src/policy/controls.ts';
import { decide, decideWith } from '../../src/policy/decide.ts';
import { candidateOf, compiled, NOTHING, settlementOf } from '../support/policies.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 12);
const MONEY = { budgets: [{ scope: 'project', period: 'total', limit_usd: '1000' }] };

interface Scene {
  readonly name: string;
  readonly control: ControlName;
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

function admit(state: LedgerState, count: number, atMs: number, candidate: Candidate, holdNanoUsd = 0): void {
  for (let index = 0; index < count; index++) {
    const seq = state.openCount + 1 + index * 0;
    const verdict = { allow: true, holdNanoUsd, outputCap: null, heldOutputTokens: 1, remainingNanoUsd: null, draws: 'included', observed: [] } as const;
    state.open({ seq, atMs, candidate, policyVersion: 1, verdict }, belongingOf(candidate));
  }
}

const plain = candidateOf();
const off = (document: object, workspace: object = {}): CompiledPolicy => compiled({ ...NOTHING, ...document }, workspace);

const SCENES: readonly Scene[] = [
  {
    name: 'the free plan stops after its included requests',
    control: 'capacity',
    reason: 'included_volume_used',
    policy: compiled(NOTHING, {}, { plan: 'free', includedRequests: 150 }),
    prepare: (state) => admit(state, 150, NOW_MS, plain),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['150 requests', 'plan plus'],
  },
  {
    name: 'a paid plan stops after its credits',
    control: 'capacity',
    reason: 'credits_exhausted',
    policy: compiled(NOTHING, {}, { plan: 'plus', includedRequests: 0 }),
    prepare: (state) => state.grantCredits(2, 1),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['no credits left', 'panicly credits grant --workspace default'],
  },
  {
    name: 'a blocked network',
    control: 'network',
    reason: 'network_blocked',
    policy: off({ network: { block: ['203.0.113.0/24'] } }),
    refused: candidateOf({ ip: '203.0.113.255' }),
    passes: candidateOf({ ip: '203.0.114.0' }),
    says: ['203.0.113.255', 'block 203.0.113.0/24', 'panicly policy set --project web'],
  },
  {
    name: 'a network that the workspace does not allow',
    control: 'network',
    reason: 'network_blocked',
    policy: off({ network: { allow: ['0.0.0.0/0'] } }, { network: { allow: ['2001:db8::/32', '10.0.0.0/8'] } }),
    refused: candidateOf({ ip: '11.0.0.0' }),
    passes: candidateOf({ ip: '10.255.255.255' }),
    says: ['panicly policy set --workspace default'],
  },
  {
    name: 'an unknown address under a list',
    control: 'network',
    reason: 'network_blocked',
    policy: off({ network: { block: ['203.0.113.0/24'] } }),
    refused: candidateOf({ ip: null }),
    passes: plain,
    says: ['unknown address'],
  },
  {
    name: 'a blocked country',
    control: 'region',
    reason: 'region_blocked',
    policy: off({ region: { block: ['KP', 'region:example'], define: { example: ['FR'] } } }),
    refused: candidateOf({ country: 'FR' }),
    passes: candidateOf({ country: null }),
    says: ['block region:example'],
  },
  {
    name: 'an allow list of regions makes unknown a deny',
    control: 'region',
    reason: 'region_blocked',
    policy: off({ region: { allow: ['region:eu'] } }),
    refused: candidateOf({ country: null }),
    passes: candidateOf({ country: 'DE' }),
    says: ['unknown country'],
  },
  {
    name: 'unknown countries can be blocked by themselves',
    control: 'region',
    reason: 'region_blocked',
    policy: off({ region: { unknown: 'block' } }),
    refused: candidateOf({ country: null }),
    passes: candidateOf({ country: 'KP' }),
    says: ['region.unknown'],
  },
  {
    name: 'a blocked model',
    control: 'models',
    reason: 'model_blocked',
    policy: off({ models: { block: ['o1-pro'] } }),
    refused: candidateOf({ model: 'openai/o1-pro' }),
    passes: candidateOf({ model: 'openai/o1' }),
    says: ['openai/o1-pro', 'o1-pro'],
  },
  {
    name: 'a fallback that is not allowed',
    control: 'models',
    reason: 'model_blocked',
    policy: off({ models: { allow: ['gpt-4.1*'] } }),
    refused: candidateOf({ model: 'gpt-4.1', models: ['gpt-4.1', 'o3'] }),
    passes: candidateOf({ model: 'gpt-4.1', models: ['gpt-4.1', 'GPT-4.1-mini'] }),
    says: ['o3'],
  },
  {
    name: 'a model without a price where money is limited',
    control: 'models',
    reason: 'model_unpriced',
    policy: off(MONEY),
    refused: candidateOf({ model: 'mystery', modelKnown: false, quote: { priced: false } }),
    passes: candidateOf({ model: 'mystery', modelKnown: false }),
    says: ['mystery', 'panicly prices set'],
  },
  {
    name: 'Sentry Mode of the project',
    control: 'sentry',
    reason: 'sentry_mode',
    policy: off({}),
    prepare: (state) => state.setSentry({ projectId: 1 }, true),
    refused: plain,
    passes: candidateOf({ projectId: 2 }),
    says: ['Sentry Mode is on for project web. Turn it off with: panicly sentry off --project web'],
  },
  {
    name: 'Sentry Mode of the workspace',
    control: 'sentry',
    reason: 'sentry_mode',
    policy: off({}),
    prepare: (state) => state.setSentry({ workspaceId: 1 }, true),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['panicly sentry off --workspace default'],
  },
  {
    name: 'a burst of the project',
    control: 'burst',
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
    control: 'burst',
    reason: 'burst_protection',
    policy: off({ burst: { requests: null, key_requests: 2, window_seconds: 60 } }),
    prepare: (state) => admit(state, 2, NOW_MS, plain),
    refused: plain,
    passes: candidateOf({ keyId: 2 }),
    says: ['burst.key_requests'],
  },
  {
    name: 'rolling spend of the key',
    control: 'abuse',
    reason: 'abuse_detection',
    policy: off({ abuse: { limit_usd: '1', window_seconds: 3600 } }),
    prepare: (state) => spend(state, plain, 900_000_000),
    refused: candidateOf({ quote: { inputHoldNanoUsd: 100_000_001 - 8_000_000, clientOutputCap: 1_000 } }),
    passes: candidateOf({ quote: { inputHoldNanoUsd: 100_000_000 - 8_000_000, clientOutputCap: 1_000 } }),
    says: ['spent 0.90 USD', '1.00 USD in 1 hour'],
  },
  {
    name: 'rolling spend of the sender, and of the key that invents senders',
    control: 'abuse',
    reason: 'abuse_detection',
    policy: off({ abuse: { limit_usd: '1', per: 'sender', key_limit_usd: '5' } }),
    prepare: (state) => spend(state, candidateOf({ keyId: 2, ip: '2001:db8::1' }), 995_000_000),
    refused: candidateOf({ ip: '2001:db8::ffff', quote: { clientOutputCap: 1_000 } }),
    passes: candidateOf({ ip: '2001:db8:0:1::1', quote: { clientOutputCap: 1_000 } }),
    says: ['This sender'],
  },
  {
    name: 'too much input',
    control: 'token_guard',
    reason: 'token_guard',
    policy: off({ token_guard: { max_input_tokens: 1_000 } }),
    refused: candidateOf({ quote: { inputTokenEstimate: 1_001 } }),
    passes: candidateOf({ quote: { inputTokenEstimate: 1_000, inputTokenBound: 9_000_000 } }),
    says: ['1001 tokens', 'token_guard.max_input_tokens'],
  },
  {
    name: 'too much output, in all choices together',
    control: 'token_guard',
    reason: 'token_guard',
    policy: off({ token_guard: { max_output_tokens: 1_000, on_output_exceed: 'block' } }),
    refused: candidateOf({ quote: { clientOutputCap: 501, choices: 2 } }),
    passes: candidateOf({ quote: { clientOutputCap: 500, choices: 2 } }),
    says: ['1002 tokens of output'],
  },
  {
    name: 'too much in total',
    control: 'token_guard',
    reason: 'token_guard',
    policy: off({ token_guard: { max_total_tokens: 2_000, on_output_exceed: 'block' } }),
    refused: candidateOf({ quote: { inputTokenEstimate: 1_500, clientOutputCap: 501 } }),
    passes: candidateOf({ quote: { inputTokenEstimate: 1_500, clientOutputCap: 500 } }),
    says: ['max_total_tokens'],
  },
  {
    name: 'the same payload again',
    control: 'loop_guard',
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
    control: 'loop_guard',
    reason: 'loop_guard',
    policy: off({ loop_guard: { repeats: 3 } }),
    refused: candidateOf({ repeatedToolCalls: 3 }),
    passes: candidateOf({ repeatedToolCalls: 2 }),
    says: ['the same tool call'],
  },
  {
    name: 'too many in flight',
    control: 'concurrency',
    reason: 'concurrency_limit',
    policy: off({ concurrency: { requests: 2 } }),
    prepare: (state) => admit(state, 2, NOW_MS - 3_600_000, candidateOf({ keyId: 2 })),
    refused: plain,
    passes: candidateOf({ projectId: 2 }),
    says: ['2 requests in flight'],
  },
  {
    name: 'a feature without a bound where money is limited',
    control: 'features',
    reason: 'unpriced_feature',
    policy: off(MONEY),
    refused: candidateOf({ quote: { unpricedFeature: 'web_search_options' } }),
    passes: plain,
    says: ['web_search_options', 'allow_fields'],
  },
  {
    name: 'a stored reference',
    control: 'features',
    reason: 'unpriced_feature',
    policy: off({}),
    refused: candidateOf({ storedReferences: ['resp_123'] }),
    passes: plain,
    says: ['resp_123', 'allow_stored_references'],
  },
  {
    name: 'a request budget',
    control: 'budgets',
    reason: 'request_budget',
    policy: off({ budgets: [{ scope: 'request', limit_usd: '0.0082' }] }),
    refused: candidateOf({ quote: { clientOutputCap: 1_001 } }),
    passes: candidateOf({ quote: { clientOutputCap: 1_000 } }),
    says: ['needed 0.008208 USD', 'limit 0.0082 USD'],
  },
  {
    name: 'a user budget, which leaving the user out does not pass',
    control: 'budgets',
    reason: 'user_budget',
    policy: off({ budgets: [{ scope: 'user', period: 'day', limit_usd: '0.1' }] }),
    prepare: (state) => spend(state, candidateOf({ keyId: 5 }), 99_000_000),
    refused: candidateOf({ endUser: null }),
    passes: candidateOf({ endUser: 'ada' }),
    says: ['user day budget', 'spent 0.099 USD', 'It resets at 2026-11-23T00:00:00Z'],
  },
  {
    name: 'a budget for a model that is reached by a fallback',
    control: 'budgets',
    reason: 'project_budget',
    policy: off({ budgets: [{ scope: 'project', period: 'month', model: 'o3*', limit_usd: '0' }] }),
    refused: candidateOf({ models: ['gpt-4.1', 'openai/o3-mini'] }),
    passes: plain,
    says: ['project month budget for o3*', '2026-12-01T00:00:00Z'],
  },
  {
    name: 'a workspace budget, over its projects',
    control: 'budgets',
    reason: 'workspace_budget',
    policy: off({}, { budgets: [{ scope: 'workspace', period: 'total', limit_usd: '0.5' }] }),
    prepare: (state) => spend(state, candidateOf({ projectId: 9, keyId: 9 }), 499_000_000),
    refused: plain,
    passes: candidateOf({ workspaceId: 2 }),
    says: ['It does not reset', 'panicly policy set --workspace default'],
  },
];

function spend(state: LedgerState, candidate: Candidate, nanoUsd: number): void {
  admit(state, 1, NOW_MS - 1_000, candidate, nanoUsd);
  state.settle(settlementOf(1, nanoUsd), NOW_MS - 1_000);
}

function stateOf(scene: Scene): LedgerState {
  const state = new LedgerState();
  scene.prepare?.(state);
  return state;
}

function reasonOf(verdict: Verdict): Reason | null {
  return verdict.allow ? null : verdict.finding.reason;
}

describe.each(SCENES.map((scene) => [scene.name, scene] as const))('%s', (_name, scene) => {
  test('is refused, with words that help', () => {
    const verdict = decide(scene.policy, stateOf(scene), scene.refused, NOW_MS);
    expect(reasonOf(verdict)).toBe(scene.reason);
    if (verdict.allow) throw new Error('not refused');
    const { finding } = verdict;
    expect(finding.control).toBe(scene.control);
    for (const words of scene.says) expect(`${finding.rule} ${finding.message}`).toContain(words);
    expect(finding.message).toContain(finding.remedy);
    for (const part of [finding.rule, finding.limit, finding.observed, finding.remedy]) expect(part).not.toBe('');
  });

  test('passes on the other side of the edge', () => {
    expect(reasonOf(decide(scene.policy, stateOf(scene), scene.passes, scene.passesAtMs ?? NOW_MS))).toBeNull();
  });

  test('passes when the control is taken out of the list, and only then', () => {
    const needed = CONTROLS.filter((control) => {
      const others = CONTROLS.filter((other) => other !== control);
      return decideWith(others, scene.policy, stateOf(scene), scene.refused, NOW_MS).allow;
    });
    expect(needed.map(({ name }) => name)).toEqual([scene.control]);
  });
});

test('every control of the list has a scene, and the order is the one that is promised', () => {
  expect([...new Set(CONTROLS.map(({ name }) => name))]).toEqual([
    'capacity', 'network', 'region', 'models', 'sentry', 'burst', 'abuse', 'token_guard', 'loop_guard', 'concurrency', 'features', 'budgets',
  ]);
  for (const control of CONTROLS) {
    const scenes = SCENES.filter((scene) => {
      const others = CONTROLS.filter((other) => other !== control);
      return decideWith(others, scene.policy, stateOf(scene), scene.refused, NOW_MS).allow;
    });
    expect(scenes.length).toBeGreaterThan(0);
  }
});

describe('modes', () => {
  const document = (mode: string): object => ({
    ...NOTHING,
    network: { mode, block: ['192.0.2.0/24'] },
    budgets: [{ scope: 'project', period: 'day', limit_usd: '0', mode }],
  });

  test('observe lets pass and leaves what it would have said', () => {
    const verdict = decide(compiled(document('observe')), new LedgerState(), plain, NOW_MS);
    expect(verdict.allow).toBe(true);
    expect(verdict.observed.map(({ reason }) => reason)).toEqual(['network_blocked', 'project_budget']);
  });

  test('off does not look', () => {
    expect(decide(compiled(document('off')), new LedgerState(), plain, NOW_MS).observed).toEqual([]);
  });

  test('what an enforced control refuses still says what was observed before it', () => {
    const policy = compiled({ ...document('observe'), burst: { requests: 0 } });
    const verdict = decide(policy, new LedgerState(), plain, NOW_MS);
    expect(reasonOf(verdict)).toBe('burst_protection');
    expect(verdict.observed.map(({ reason }) => reason)).toEqual(['network_blocked']);
  });

  test('the first control of the order names the reason', () => {
    const policy = compiled({ ...document('enforce'), region: { unknown: 'block' } });
    expect(reasonOf(decide(policy, new LedgerState(), candidateOf({ country: null }), NOW_MS))).toBe('network_blocked');
    expect(reasonOf(decide(policy, new LedgerState(), candidateOf({ country: null, ip: '198.51.100.1' }), NOW_MS))).toBe('region_blocked');
  });
});

describe('0 blocks, null is unlimited', () => {
  const rows: [string, object, Reason][] = [
    ['burst', { burst: { requests: 0 } }, 'burst_protection'],
    ['concurrency', { concurrency: { requests: 0 } }, 'concurrency_limit'],
    ['loop guard', { loop_guard: { repeats: 0 } }, 'loop_guard'],
    ['input', { token_guard: { max_input_tokens: 0 } }, 'token_guard'],
    ['output', { token_guard: { max_output_tokens: 0 } }, 'token_guard'],
    ['abuse', { abuse: { limit_usd: '0' } }, 'abuse_detection'],
    ['budget', { budgets: [{ scope: 'project', period: 'day', limit_usd: '0' }] }, 'project_budget'],
    ['request budget', { budgets: [{ scope: 'request', limit_usd: '0.00' }] }, 'request_budget'],
  ];
  const free = candidateOf({ quote: { inputHoldNanoUsd: 0, outputNanoUsdPerMillion: 0 } });
  test.each(rows)('%s', (_name, document, reason) => {
    const verdict = decide(compiled({ ...NOTHING, ...document }), new LedgerState(), free, NOW_MS);
    expect(reasonOf(verdict)).toBe(reason);
    if (!verdict.allow) expect(verdict.finding.retryable ?? false).toBe(false);
    const unlimited = JSON.parse(JSON.stringify(document).replaceAll(/:"?0(?:\.00)?"?(?=[,}])/g, ':null')) as object;
    expect(reasonOf(decide(compiled({ ...NOTHING, ...unlimited }), new LedgerState(), free, NOW_MS))).toBeNull();
  });
});

describe('refusals that a retry may pass', () => {
  test('take the status that the policy names', () => {
    const scene = SCENES.find(({ name }) => name === 'too many in flight')!;
    const policy = compiled({ ...NOTHING, concurrency: { requests: 2 }, retryable_status: 429 });
    expect(decide(policy, stateOf(scene), plain, NOW_MS)).toMatchObject({ allow: false, status: 429, finding: { retryAfterSeconds: 1 } });
    expect(decide(scene.policy, stateOf(scene), plain, NOW_MS)).not.toHaveProperty('status');
  });

  test('a burst says when there is room', () => {
    const state = new LedgerState();
    admit(state, 2, NOW_MS - 40_500, plain);
    const policy = off({ burst: { requests: 2, window_seconds: 60 } });
    expect(decide(policy, state, plain, NOW_MS)).toMatchObject({ finding: { retryAfterSeconds: 20 } });
  });

  test('others keep theirs', () => {
    const policy = compiled({ ...NOTHING, network: { block: ['192.0.2.0/24'] }, retryable_status: 429 });
    expect(decide(policy, new LedgerState(), plain, NOW_MS)).not.toHaveProperty('status');
  });
});
