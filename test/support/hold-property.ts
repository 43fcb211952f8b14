import * as fc from 'fast-check';
import models from '../../db/models.json';
import type { RequestFacts } from '../../src/domain/facts.ts';
import { effectiveCap, holdFor } from '../../src/domain/hold.ts';
import type { ProviderKind } from '../../src/domain/project.ts';
import type { Usage } from '../../src/domain/usage.ts';
import { Catalogue, type CatalogueModel } from '../../src/pricing/catalogue.ts';
import { costOf, ratesFor } from '../../src/pricing/cost.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { factsOf, pricingRules } from './facts.ts';

const catalogue = Catalogue.parse(models);
const HOST_NAMES =
  'api.together.xyz api.fireworks.ai api.cerebras.ai api.perplexity.ai api.deepinfra.com integrate.api.nvidia.com api.moonshot.ai ' +
  'api.z.ai dashscope-intl.aliyuncs.com router.huggingface.co generativelanguage.googleapis.com';
const HOSTS = HOST_NAMES.split(' ').map((host) => `https://${host}`);
const providers = Object.entries((models as { providers: Record<string, { models: object }> }).providers);
const KINDS = new Set<string>(['openai', 'openrouter', 'anthropic', 'groq', 'mistral', 'deepseek', 'xai']);

interface Entry {
  readonly kind: ProviderKind;
  readonly model: CatalogueModel;
}

/** Every model of the price list that a connection can reach. */
const ENTRIES: readonly Entry[] = providers.flatMap(([provider, { models: list }]) =>
  Object.keys(list).flatMap((name) => {
    const kind = (KINDS.has(provider) ? provider : 'custom') as ProviderKind;
    const found = [null, ...HOSTS].map((host) => catalogue.resolve(kind, host, name)).find((model) => model?.provider === provider);
    return found ? [{ kind, model: found }] : [];
  }),
);

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.nat(20_000).map((length) => 'lorem '.repeat(length)),
);
const tool = fc.constantFrom(
  { type: 'function', function: { name: 'f', description: 'do it', parameters: { type: 'object' } } },
  { type: 'web_search' },
  { type: 'tool_search' },
);
const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const body = fc.record({
  messages: fc.array(fc.record({ role: fc.constantFrom('user', 'system', 'assistant'), content: text }), { maxLength: 5 }),
  tools: optional(fc.array(tool, { maxLength: 3 })),
  max_tokens: optional(fc.integer({ min: 1, max: 300_000 })),
  n: optional(fc.integer({ min: 1, max: 8 })),
  service_tier: optional(fc.constantFrom('auto', 'default', 'flex', 'priority', 'warp')),
  reasoning_effort: optional(fc.constantFrom('low', 'none')),
  enable_thinking: optional(fc.boolean()),
  prediction: optional(fc.record({ type: fc.constant('content'), content: text })),
  cache_control: optional(fc.constant({ type: 'ephemeral', ttl: '1h' })),
});

/** A usage that stays within what was held: parts of the bound and of the caps, `share` of 0 to 1 each. */
function usageWithin(facts: RequestFacts, inputBound: number, outputTokens: number, shares: readonly number[]): Usage {
  const [input, cached, written, audioIn, output, reasoning, audioOut] = shares.map((share) => share / 1_000) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const inputTokens = Math.round(inputBound * input);
  const made = Math.round((outputTokens + facts.predictionBytes * facts.choices) * output);
  return {
    inputTokens,
    cachedInputTokens: Math.round(inputTokens * cached),
    cacheWriteTokens: Math.round(inputTokens * written),
    audioInputTokens: Math.round(inputTokens * audioIn),
    outputTokens: made,
    reasoningTokens: Math.round(made * reasoning),
    audioOutputTokens: Math.round(made * audioOut),
    providerCostNanoUsd: null,
    toolCalls: null,
    flags: [],
  };
}

/**
 * Tries `runs` random requests, models and usages: the hold is at least the cost of whatever stays within bounds and caps.
 * Throws with a counterexample. The suite runs a few thousand, `make nightly` 100,000.
 */
export function checkHolds(runs: number, seed?: number): void {
  const share = fc.oneof(fc.constantFrom(0, 1_000), fc.nat(1_000));
  const shares = fc.array(share, { minLength: 7, maxLength: 7 });
  const entry = fc.constantFrom(...ENTRIES);
  const rules = pricingRules({ unknownModelPrice: { input: 3_000_000_000, output: 15_000_000_000 } });
  fc.assert(
    fc.property(body, entry, fc.option(entry), shares, fc.nat(300_000), (request, first, second, parts, put) => {
      const members = Object.fromEntries(Object.entries(request).filter(([, member]) => member !== undefined));
      const facts = factsOf('chat', { ...members, model: first.model.id });
      const reach = second === null ? [first.model] : [first.model, second.model];
      const profile = profileOf(first.kind);
      const quote = makeQuote(facts, reach, profile, rules, 1);
      const cap = Math.min(effectiveCap(quote), put + 1);
      const usage = usageWithin(facts, quote.inputTokenBound, cap * quote.choices, parts);
      const cost = costOf(usage, ratesFor(reach, facts, profile, rules));
      const hold = holdFor(quote, cap);
      if (!quote.priced) throw new Error('priced by the rules, and yet not');
      if (!Number.isSafeInteger(hold) || !Number.isSafeInteger(cost) || cost < 0) throw new Error(`no amount: ${hold} ${cost}`);
      if (cost > hold) throw new Error(`cost ${cost} above hold ${hold}`);
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
}

/** How many models the property draws from, and how many the price list has. */
export const ENTRY_COUNT = ENTRIES.length;
export const MODEL_COUNT = providers.reduce((sum, [, provider]) => sum + Object.keys(provider.models).length, 0);
