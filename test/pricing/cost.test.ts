import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import models from '../../db/models.json';
import { MAX_NANO_USD } from '../../src/domain/money.ts';
import { NO_USAGE, type Usage } from '../../src/domain/usage.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { costOf, estimateCost, type Rates, ratesFor } from '../../src/pricing/cost.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { holdFor } from '../../src/domain/hold.ts';
import { chatFacts, pricingRules } from '../support/facts.ts';

const catalogue = Catalogue.parse(models);
const openai = profileOf('openai');
const rules = pricingRules();
const ratesOf = (name: string, body: Record<string, unknown> = {}): Rates =>
  ratesFor([catalogue.resolve('openai', null, name)], chatFacts(body), openai, rules);
const used = (usage: Partial<Usage>): Usage => ({ ...NO_USAGE, ...usage });

describe('what a request costs', () => {
  const qwen = ratesFor(
    [catalogue.resolve('custom', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'qwen-plus')],
    chatFacts(),
    profileOf('custom'),
    rules,
  );
  const omni = ratesFor(
    [catalogue.resolve('custom', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'qwen3-omni-flash')],
    chatFacts(),
    profileOf('custom'),
    rules,
  );
  test.each<[string, Rates, Partial<Usage>, number]>([
    ['nothing', ratesOf('gpt-4.1'), {}, 0],
    ['one token rounds up', ratesOf('gpt-4.1-nano'), { inputTokens: 1 }, 100],
    ['input and output', ratesOf('gpt-4.1'), { inputTokens: 1_000, outputTokens: 100 }, 2_000_000 + 800_000],
    ['cached input is billed once', ratesOf('gpt-4.1'), { inputTokens: 1_000, cachedInputTokens: 900 }, 200_000 + 450_000],
    ['more cached than input is clamped', ratesOf('gpt-4.1'), { inputTokens: 100, cachedInputTokens: 900 }, 50_000],
    ['cached without a price is input', ratesOf('gpt-3.5-turbo'), { inputTokens: 100, cachedInputTokens: 100 }, 50_000],
    ['cache write without a price is twice the input', ratesOf('gpt-4.1'), { inputTokens: 100, cacheWriteTokens: 100 }, 400_000],
    ['reasoning is a part of output', ratesOf('o3'), { outputTokens: 100, reasoningTokens: 80 }, 800_000],
    ['dear reasoning lifts all output', qwen, { outputTokens: 100, reasoningTokens: 1 }, 400_000],
    ['no reasoning, no lift', qwen, { outputTokens: 100 }, 120_000],
    [
      'sound',
      omni,
      { inputTokens: 100, audioInputTokens: 60, outputTokens: 10, audioOutputTokens: 10 },
      60 * 3_810 + 40 * 430 + 10 * 15_110,
    ],
    ['below the long-context tier', ratesOf('gpt-5.4'), { inputTokens: 272_000 }, 272_000 * 2_500],
    ['above it, for the whole request', ratesOf('gpt-5.4'), { inputTokens: 272_001, outputTokens: 1 }, 272_001 * 5_000 + 22_500],
    ["the provider's own figure when it is greater", ratesOf('gpt-4.1'), { inputTokens: 1, providerCostNanoUsd: 5_000 }, 5_000],
    ['ours when it is greater', ratesOf('gpt-4.1'), { inputTokens: 1, providerCostNanoUsd: 5 }, 2_000],
    ['priority', ratesOf('gpt-5.5', { service_tier: 'priority' }), { inputTokens: 100 }, 1_250_000],
    ['a tier that nobody knows', ratesOf('gpt-4.1', { service_tier: 'warp' }), { inputTokens: 100 }, 500_000],
    [
      'hostile',
      ratesOf('gpt-4.1'),
      { inputTokens: Number.NaN, outputTokens: -5, cachedInputTokens: 1e9, providerCostNanoUsd: Number.NaN },
      0,
    ],
    ['beyond all measure', ratesOf('o1-pro'), { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 1e300 }, MAX_NANO_USD],
  ])('%s', (_name, rates, usage, expected) => {
    expect(costOf(used(usage), rates)).toBe(expected);
  });

  test('regional hosts cost a tenth more', () => {
    const eu = ratesFor(
      [catalogue.resolve('openai', null, 'gpt-4.1')],
      chatFacts(),
      profileOf('openai', 'https://eu.api.openai.com/v1'),
      rules,
    );
    expect(costOf(used({ inputTokens: 100 }), eu)).toBe(220_000);
  });

  test('fallbacks are billed at the dearest', () => {
    const reach = ['gpt-4.1-nano', 'o1'].map((name) => catalogue.resolve('openai', null, name));
    expect(costOf(used({ inputTokens: 100 }), ratesFor(reach, chatFacts(), openai, rules))).toBe(1_500_000);
  });

  test('hosted calls have fees, unknown ones the dearest', () => {
    const rates: Rates = { ...ratesOf('gpt-4.1'), toolFees: { web_search: 10_000_000, tool_search: 0 } };
    expect(costOf(used({ toolCalls: { web_search: 2, tool_search: 3 } }), rates)).toBe(20_000_000);
    expect(costOf(used({ toolCalls: { surprise: 1 } }), rates)).toBe(10_000_000);
  });
});

/** The same sum the slow way, to the nano-dollar. */
function reference(usage: Usage, rates: Rates): bigint {
  let set = rates.base;
  for (const tier of rates.tiers) if (usage.inputTokens > tier.aboveInputTokens) set = tier.rates;
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  const input = BigInt(usage.inputTokens);
  const cached = least(BigInt(usage.cachedInputTokens), input);
  const written = least(BigInt(usage.cacheWriteTokens), input - cached);
  const sound = least(BigInt(usage.audioInputTokens), input - cached - written);
  const output = BigInt(usage.outputTokens);
  const spoken = least(BigInt(usage.audioOutputTokens), output);
  const thought = least(BigInt(usage.reasoningTokens), output - spoken);
  const textRate = thought > 0n && set.reasoning > set.output ? set.reasoning : set.output;
  const parts: [bigint, number][] = [
    [cached, set.cacheRead],
    [written, set.cacheWrite],
    [sound, set.inputAudio],
    [input - cached - written - sound, set.input],
    [spoken, set.outputAudio],
    [thought, set.reasoning],
    [output - spoken - thought, textRate],
  ];
  const sum = parts.reduce((total, [tokens, rate]) => total + tokens * BigInt(rate), 0n);
  const list = (sum + 999_999n) / 1_000_000n;
  const own = BigInt(usage.providerCostNanoUsd ?? 0);
  return list > own ? list : own;
}

test('the cost equals a slow reference to the nano-dollar', () => {
  const entries = (['openai', 'openrouter', 'anthropic', 'xai'] as const)
    .flatMap((kind) => [...catalogue.list(kind)])
    .filter((model) => !model.unpriced);
  const tokens = fc.oneof(fc.nat(300), fc.nat(2_000_000), fc.nat(1_000_000_000));
  const usage = fc.record({
    inputTokens: tokens,
    cachedInputTokens: tokens,
    cacheWriteTokens: tokens,
    audioInputTokens: tokens,
    outputTokens: tokens,
    reasoningTokens: tokens,
    audioOutputTokens: tokens,
    providerCostNanoUsd: fc.option(fc.nat()),
    toolCalls: fc.constant(null),
    flags: fc.constant([]),
  });
  fc.assert(
    fc.property(fc.constantFrom(...entries), usage, (model, figures) => {
      const rates = ratesFor([model], chatFacts(), openai, rules);
      expect(BigInt(costOf(figures, rates))).toBe(reference(figures, rates));
    }),
    { numRuns: 2_000 },
  );
});

describe('an ending without usage', () => {
  const facts = chatFacts({ max_tokens: 100_000, stream: true });
  const quoteOf = (kind: 'openai' | 'mistral', name: string) => {
    const reach = [catalogue.resolve(kind, null, name)];
    const profile = profileOf(kind);
    return { quote: makeQuote(facts, reach, profile, rules, 1), rates: ratesFor(reach, facts, profile, rules), profile };
  };
  const ending = { capTokens: 30_000, deliveredTokens: 10, elapsedMs: 1_000, streamed: true };

  test('time bounds what can have been made', () => {
    const known = quoteOf('openai', 'gpt-4.1');
    const made = known.profile.greatestOutputTokensPerSecond * 8_000;
    expect(estimateCost({ ...known, ...ending })).toEqual({ costNanoUsd: known.quote.inputHoldNanoUsd + made, basis: 'estimated' });
  });

  test('what was delivered counts when it is more', () => {
    const known = quoteOf('openai', 'gpt-4.1');
    const { costNanoUsd } = estimateCost({ ...known, ...ending, elapsedMs: 0, deliveredTokens: 500 });
    expect(costNanoUsd).toBe(known.quote.inputHoldNanoUsd + 500 * 8_000);
  });

  test.each([
    ['never more than the hold', 'openai', 'gpt-4.1', { elapsedMs: 1e9 }, 'estimated'],
    ['not streamed', 'openai', 'gpt-4.1', { streamed: false }, 'held'],
    ['a provider that bills on', 'mistral', 'mistral-small-latest', {}, 'held'],
  ] as const)('%s: the whole hold', (_name, kind, name, part, basis) => {
    const known = quoteOf(kind, name);
    expect(estimateCost({ ...known, ...ending, ...part })).toEqual({ costNanoUsd: holdFor(known.quote, 30_000), basis });
  });
});

test.each(['constructor', '__proto__', 'toString'])('a service tier called %s is one that nobody lists', (tier) => {
  const known = catalogue.find('openai', 'gpt-4.1')!;
  const named = ratesFor([known], chatFacts({ service_tier: tier }), profileOf('openai'), pricingRules());
  const unknown = ratesFor([known], chatFacts({ service_tier: 'warp' }), profileOf('openai'), pricingRules());
  expect(named).toEqual(unknown);
});
