import { describe, expect, test } from 'bun:test';
import type { Reason } from '../../src/domain/errors.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { decide } from '../../src/policy/decide.ts';
import { candidateOf, compiled, NOTHING } from '../support/policies.ts';
import { admit, NOW_MS, SCENES, stateOf } from './scenes.ts';

const plain = candidateOf();

function reasonOf(verdict: Verdict): Reason | null {
  return verdict.allow ? null : verdict.finding.reason;
}

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
    const policy = compiled({ ...NOTHING, burst: { requests: 2, window_seconds: 60 } });
    expect(decide(policy, state, plain, NOW_MS)).toMatchObject({ finding: { retryAfterSeconds: 20 } });
  });

  test('others keep theirs', () => {
    const policy = compiled({ ...NOTHING, network: { block: ['192.0.2.0/24'] }, retryable_status: 429 });
    expect(decide(policy, new LedgerState(), plain, NOW_MS)).not.toHaveProperty('status');
  });
});
