import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { belongingOf } from '../../src/domain/belonging.ts';
import type { Quote } from '../../src/domain/candidate.ts';
import { holdFor } from '../../src/domain/hold.ts';
import type { Allowed, Denied } from '../../src/domain/verdict.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { decide } from '../../src/policy/decide.ts';
import { candidateOf, compiled, NOTHING, quoteOf, settlementOf } from '../support/policies.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 12);
/** 8,000 nano-USD for a token of output; the input is free, so that the figures are plain. */
const PLAIN: Partial<Quote> = { inputHoldNanoUsd: 0 };

function daily(limitUsd: string, more: object = {}): CompiledPolicy {
  return compiled({ ...NOTHING, budgets: [{ scope: 'project', period: 'day', limit_usd: limitUsd }], ...more });
}

function used(settledNanoUsd: number, heldNanoUsd: number): LedgerState {
  const state = new LedgerState();
  const candidate = candidateOf();
  for (const [seq, holdNanoUsd] of [
    [1, settledNanoUsd],
    [2, heldNanoUsd],
  ] as const) {
    const verdict: Allowed = {
      allow: true,
      holdNanoUsd,
      outputCap: null,
      heldOutputTokens: 1,
      remainingNanoUsd: null,
      draws: 'none',
      observed: [],
    };
    state.open({ seq, atMs: NOW_MS, candidate, policyVersion: 1, verdict }, belongingOf(candidate));
  }
  state.settle(settlementOf(1, settledNanoUsd), NOW_MS);
  return state;
}

function allow(policy: CompiledPolicy, quote: Partial<Quote>, state = new LedgerState()): Allowed {
  const verdict = decide(policy, state, candidateOf({ quote }), NOW_MS);
  if (!verdict.allow) throw new Error(verdict.finding.message);
  return verdict;
}

function deny(policy: CompiledPolicy, quote: Partial<Quote>, state = new LedgerState()): Denied {
  const verdict = decide(policy, state, candidateOf({ quote }), NOW_MS);
  if (verdict.allow) throw new Error('was allowed');
  return verdict;
}

describe('the cap', () => {
  const rows: [name: string, policy: CompiledPolicy, quote: Partial<Quote>, cap: number | null, held: number, holdNanoUsd: number][] = [
    ['no limit on money: the model may say all it can', compiled(NOTHING), PLAIN, null, 32_768, 262_144_000],
    ['a large budget: the model limit stands', daily('1000'), PLAIN, null, 32_768, 262_144_000],
    ['a fifth of the tightest budget', daily('1'), PLAIN, 25_000, 25_000, 200_000_000],
    ['another share', daily('1', { pricing: { max_hold_share: 0.1 } }), PLAIN, 12_500, 12_500, 100_000_000],
    ['never under the floor', daily('0.03'), PLAIN, 1_024, 1_024, 8_192_000],
    ['a floor above the model limit is the model limit', daily('0.03'), { ...PLAIN, modelOutputLimit: 500 }, null, 500, 4_000_000],
    ['the client cap stands', daily('1'), { ...PLAIN, clientOutputCap: 30_000 }, null, 30_000, 240_000_000],
    [
      'a client cap above the model limit holds the model limit',
      daily('1'),
      { ...PLAIN, clientOutputCap: 99_999 },
      null,
      32_768,
      262_144_000,
    ],
    ['the input takes its part of the share', daily('1'), { inputHoldNanoUsd: 100_000_000 }, 12_500, 12_500, 200_000_000],
    ['choices share the cap', daily('1'), { ...PLAIN, choices: 4 }, 6_250, 6_250, 200_000_000],
    ['embeddings have no output', daily('1'), { inputHoldNanoUsd: 7, choices: 0, modelOutputLimit: 0 }, null, 0, 7],
    ['free output needs no cap', daily('1'), { ...PLAIN, outputNanoUsdPerMillion: 0 }, null, 32_768, 0],
    ['the abuse limit is a limit on money', compiled({ ...NOTHING, abuse: { limit_usd: '1' } }), PLAIN, 25_000, 25_000, 200_000_000],
    [
      'a request budget gives all of itself',
      compiled({ ...NOTHING, budgets: [{ scope: 'request', limit_usd: '0.1' }] }),
      PLAIN,
      12_500,
      12_500,
      100_000_000,
    ],
    [
      'an observed budget caps nothing',
      daily('1', { budgets: [{ scope: 'project', period: 'day', limit_usd: '1', mode: 'observe' }] }),
      PLAIN,
      null,
      32_768,
      262_144_000,
    ],
    [
      'the guard clamps what the client sent',
      compiled({ ...NOTHING, token_guard: { max_output_tokens: 300 } }),
      { ...PLAIN, clientOutputCap: 400 },
      300,
      300,
      2_400_000,
    ],
    ['the guard clamps what nobody sent', compiled({ ...NOTHING, token_guard: { max_output_tokens: 300 } }), PLAIN, 300, 300, 2_400_000],
    [
      'a guard that blocks caps what nobody sent',
      compiled({ ...NOTHING, token_guard: { max_output_tokens: 300, on_output_exceed: 'block' } }),
      PLAIN,
      300,
      300,
      2_400_000,
    ],
    [
      'an observed guard clamps nothing',
      compiled({ ...NOTHING, token_guard: { mode: 'observe', max_output_tokens: 300 } }),
      PLAIN,
      null,
      32_768,
      262_144_000,
    ],
    [
      'the guard counts all choices',
      compiled({ ...NOTHING, token_guard: { max_output_tokens: 1_001 } }),
      { ...PLAIN, choices: 2 },
      500,
      500,
      8_000_000,
    ],
    [
      'a total leaves its rest to the output',
      compiled({ ...NOTHING, token_guard: { max_total_tokens: 2_100 } }),
      PLAIN,
      2_000,
      2_000,
      16_000_000,
    ],
  ];
  test.each(rows)('%s', (_name, policy, quote, outputCap, heldOutputTokens, holdNanoUsd) => {
    expect(allow(policy, quote)).toMatchObject({ outputCap, heldOutputTokens, holdNanoUsd });
  });

  test('what is left is less than the share: the cap follows what is left', () => {
    expect(allow(daily('1'), PLAIN, used(850_000_000, 50_000_000))).toMatchObject({
      outputCap: 12_500,
      holdNanoUsd: 100_000_000,
      remainingNanoUsd: 0,
    });
  });

  test('what is left is one nano-USD short of the floor: refused, and it says all figures', () => {
    expect(allow(daily('1'), PLAIN, used(991_808_000, 0)).holdNanoUsd).toBe(8_192_000);
    const { finding } = deny(daily('1'), PLAIN, used(991_808_001, 0));
    expect(finding).toMatchObject({ reason: 'project_budget', control: 'budgets' });
    expect(finding.retryable ?? false).toBe(false);
    expect(finding.message).toStartWith(
      'The project day budget has no room for this request: spent 0.991808001 USD, held by requests in flight 0.00 USD, needed 0.008192 USD, limit 1.00 USD. It resets at 2026-11-23T00:00:00Z.',
    );
  });

  test('holds in flight are the cause: a retry may pass', () => {
    const verdict = deny(daily('1', { retryable_status: 429 }), PLAIN, used(0, 991_808_001));
    expect(verdict).toMatchObject({ status: 429, finding: { reason: 'project_budget', retryable: true, retryAfterSeconds: 2 } });
    expect(verdict.finding.message).toContain('held by requests in flight 0.991808001 USD');
  });

  test('holds fill one budget and another is spent: a retry would be in vain', () => {
    const budgets = [
      { scope: 'key', period: 'day', limit_usd: '1.5' },
      { scope: 'project', period: 'day', limit_usd: '0.5' },
    ];
    const { finding } = deny(compiled({ ...NOTHING, budgets }), PLAIN, used(499_000_000, 1_000_000_000));
    expect(finding.reason).toBe('key_budget');
    expect(finding.retryable ?? false).toBe(false);
  });

  test('a division that is rounded up does not make the hold one nano-USD too large', () => {
    const policy = compiled({ ...NOTHING, budgets: [{ scope: 'request', limit_usd: '2400.022091891' }] });
    const dear = { ...PLAIN, outputNanoUsdPerMillion: 599_999_972_973, modelOutputLimit: 5_000_000 };
    expect(allow(policy, dear)).toMatchObject({ outputCap: 4_000_036, heldOutputTokens: 4_000_036 });
  });

  test('an observed budget that is spent says so, whatever is in flight', () => {
    const policy = daily('1', { budgets: [{ scope: 'project', period: 'day', limit_usd: '1', mode: 'observe' }] });
    const [spent] = allow(policy, PLAIN, used(999_000_000, 500_000_000)).observed;
    expect(spent).toMatchObject({ reason: 'project_budget' });
    expect(spent?.retryable ?? false).toBe(false);
    const [held] = allow(policy, PLAIN, used(100_000_000, 950_000_000)).observed;
    expect(held).toMatchObject({ reason: 'project_budget', retryable: true });
  });

  test('the tightest budget is what remains', () => {
    const budgets = [
      { scope: 'key', period: 'day', limit_usd: '5' },
      { scope: 'project', period: 'day', limit_usd: '2' },
      { scope: 'key', period: 'week', limit_usd: '1', mode: 'observe' },
    ];
    expect(allow(compiled({ ...NOTHING, budgets }), { ...PLAIN, clientOutputCap: 1_000 }).remainingNanoUsd).toBe(1_992_000_000);
    expect(allow(compiled(NOTHING), PLAIN).remainingNanoUsd).toBeNull();
  });

  test('a total that leaves less than the floor is refused instead of cut', () => {
    const policy = compiled({ ...NOTHING, token_guard: { max_total_tokens: 1_123 } });
    expect(deny(policy, PLAIN).finding.reason).toBe('token_guard');
    expect(allow(compiled({ ...NOTHING, token_guard: { max_total_tokens: 1_124 } }), PLAIN).outputCap).toBe(1_024);
  });

  test('agents that send tools and no cap work on the default budget until its money is spent', () => {
    const state = new LedgerState();
    const candidate = candidateOf({ quote: { outputFloor: 16_384, inputHoldNanoUsd: 20_000_000 } });
    const policy = compiled();
    let spent = 0;
    for (let seq = 1; seq <= 400; seq++) {
      const atMs = NOW_MS + seq * 60_000;
      const verdict = decide(policy, state, { ...candidate, fingerprint: BigInt(seq) }, atMs);
      if (!verdict.allow) break;
      expect(verdict.heldOutputTokens).toBeGreaterThanOrEqual(16_384);
      state.open({ seq, atMs, candidate, policyVersion: 1, verdict }, belongingOf(candidate));
      state.settle(settlementOf(seq, 50_000_000), atMs + 30_000);
      spent += 50_000_000;
    }
    expect(spent).toBeGreaterThan(9_800_000_000);
  });
});

test('any quote and any room: the hold fits, and one token more would not', () => {
  const quotes = fc.record({
    inputHoldNanoUsd: fc.nat(2_000_000_000),
    outputNanoUsdPerMillion: fc.oneof(fc.constant(0), fc.nat(900_000_000), fc.integer({ min: 1_000_000_000, max: 600_000_000_000 })),
    choices: fc.integer({ min: 1, max: 8 }),
    modelOutputLimit: fc.integer({ min: 1, max: 200_000 }),
    outputFloor: fc.constantFrom(1, 1_024, 16_384),
    clientOutputCap: fc.constant(null),
  });
  let capped = 0;
  fc.assert(
    fc.property(quotes, fc.integer({ min: 1, max: 9_000 }), (partial, milliUsd) => {
      const quote = quoteOf(partial);
      const limitNanoUsd = milliUsd * 1_000_000;
      const verdict = decide(daily((milliUsd / 1000).toFixed(3)), new LedgerState(), candidateOf({ quote: partial }), NOW_MS);
      const least = Math.min(quote.outputFloor, quote.modelOutputLimit);
      expect(verdict.allow).toBe(holdFor(quote, least) <= limitNanoUsd);
      if (!verdict.allow) return;
      expect(verdict.holdNanoUsd).toBe(holdFor(quote, verdict.heldOutputTokens));
      expect(verdict.holdNanoUsd).toBeLessThanOrEqual(limitNanoUsd);
      if (verdict.outputCap === null || verdict.outputCap === least) return;
      capped++;
      expect(verdict.holdNanoUsd).toBeLessThanOrEqual(limitNanoUsd / 5);
      expect(holdFor(quote, verdict.outputCap + 1)).toBeGreaterThan(Math.floor(limitNanoUsd * 0.2));
    }),
    { numRuns: 2_000 },
  );
  expect(capped).toBeGreaterThan(100);
});
