import { describe, expect, test } from 'bun:test';
import type { Decision } from '../../src/domain/decision.ts';
import { holdFor } from '../../src/domain/hold.ts';
import { NO_USAGE, type Usage } from '../../src/domain/usage.ts';
import { settlementOf, type Ending } from '../../src/gateway/settle.ts';
import type { Priced } from '../../src/gateway/price.ts';
import { OUTCOMES } from '../../src/ledger/sqlite/codes.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { candidateOf } from '../support/policies.ts';
import { allowed } from '../ledger/harness.ts';

const DOUBTFUL = [408, 502, 504, 520, 522, 524];

const set = { input: 2e9, cacheRead: 5e8, cacheWrite: 4e9, inputAudio: 2e9, output: 8e9, reasoning: 8e9, outputAudio: 8e9 };
const candidate = candidateOf();
const HELD_TOKENS = 1_000;
const hold = holdFor(candidate.quote, HELD_TOKENS);
const verdict = allowed({ holdNanoUsd: hold, heldOutputTokens: HELD_TOKENS });
const decision: Decision = { seq: 5, atMs: 1, candidate, policyVersion: 1, verdict };

const pricedBy = (kind: 'openai' | 'custom'): Priced =>
  ({ candidate, rates: { priced: true, base: set, tiers: [], toolFees: {} }, profile: profileOf(kind) }) as unknown as Priced;

const ending = (change: Partial<Ending>): Ending => ({
  outcome: 'completed',
  upstreamStatus: 200,
  usage: null,
  responseId: null,
  mayHaveBilled: true,
  streamed: false,
  deliveredTokens: 0,
  firstByteMs: null,
  durationMs: 10,
  ...change,
});

const usage: Usage = { ...NO_USAGE, inputTokens: 50, outputTokens: 10 };
const settle = (change: Partial<Ending>, kind: 'openai' | 'custom' = 'openai') => settlementOf(decision, pricedBy(kind), ending(change));

/** Every combination of outcome, status, usage, may have billed, and streamed. */
const all = OUTCOMES.flatMap((outcome) =>
  [0, 200, 400, 429, 500, 503, ...DOUBTFUL].flatMap((upstreamStatus) =>
    [null, usage].flatMap((use) =>
      [false, true].flatMap((mayHaveBilled) =>
        [false, true].map((streamed) => ({ outcome, upstreamStatus, usage: use, mayHaveBilled, streamed })),
      ),
    ),
  ),
);

describe('every ending', () => {
  test('costs what its facts say', () => {
    const wrong = all.filter((change) => {
      const { costNanoUsd, basis } = settle(change);
      const clean = change.upstreamStatus >= 300 && !DOUBTFUL.includes(change.upstreamStatus);
      if (change.usage) return basis !== 'reported' || costNanoUsd !== 180_000;
      if (!change.mayHaveBilled || clean) return basis !== 'none' || costNanoUsd !== 0;
      if (change.streamed) return basis !== 'estimated' || costNanoUsd < candidate.quote.inputHoldNanoUsd || costNanoUsd > hold;
      return basis !== 'held' || costNanoUsd !== hold;
    });
    expect(wrong).toEqual([]);
    expect(all.length).toBe(OUTCOMES.length * 12 * 8);
  });

  test('counts volume when anything may have been used, or it completed', () => {
    const wrong = all.filter((change) => {
      const { basis, countsVolume } = settle(change);
      return countsVolume !== (basis !== 'none' || change.outcome === 'completed');
    });
    expect(wrong).toEqual([]);
  });

  test('keeps its outcome, and is an overrun only past its hold', () => {
    expect(all.filter((change) => settle(change).outcome !== change.outcome)).toEqual([]);
    expect(all.filter((change) => settle(change).overrun)).toEqual([]);
    expect(settle({ usage: { ...usage, inputTokens: 100, outputTokens: 1_001 } }).overrun).toBe(true);
    expect(settle({ usage: { ...usage, inputTokens: 100, outputTokens: 1_000 } }).overrun).toBe(false);
  });
});

describe('an estimate', () => {
  test.each([
    ['grows with what was delivered', { deliveredTokens: 500, durationMs: 0 }, 200_000 + 500 * 8_000],
    ['grows with time, for hidden reasoning', { deliveredTokens: 1, durationMs: 100 }, 200_000 + 250 * 8_000],
    ['ends at the hold', { deliveredTokens: 1e9, durationMs: 0 }, 200_000 + 1_000 * 8_000],
    ['ends at the hold, also with time', { durationMs: 1e9 }, 200_000 + 1_000 * 8_000],
    ['is at least the input', { durationMs: 0 }, 200_000],
  ])('%s', (_, change, cost) => {
    expect(settle({ outcome: 'client_aborted', streamed: true, ...change }).costNanoUsd).toBe(cost);
  });

  test('is not made where nothing proves that cancelling stops billing', () => {
    expect(settle({ outcome: 'client_aborted', streamed: true }, 'custom')).toMatchObject({ basis: 'held', costNanoUsd: hold });
  });
});
