import { describe, expect, test } from 'bun:test';
import models from '../../db/models.json';
import type { PricingRules, RequestFacts } from '../../src/domain/facts.ts';
import { PROVIDER_KINDS, type ProviderKind } from '../../src/domain/project.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { forwardEdits, injectsUsage } from '../../src/pricing/edits.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { chatFacts, embeddingFacts, pricingRules, responsesFacts } from '../support/facts.ts';

const catalogue = Catalogue.parse(models);

/** The edits as `path=json`. */
function editsOf(
  facts: RequestFacts,
  kind: ProviderKind,
  cap: number | null,
  rules: Partial<PricingRules> = {},
  baseUrl: string | null = null,
): string[] {
  const reach = [facts.model, ...facts.fallbackModels].map((name) => catalogue.resolve(kind, null, name));
  const profile = profileOf(kind, baseUrl);
  const full = pricingRules(rules);
  const quote = makeQuote(facts, reach, profile, full, catalogue.version);
  return forwardEdits(facts, profile, quote, full, cap).map((edit) => `${edit.path.join('.')}=${edit.json}`);
}

describe('the cap goes where the provider obeys it', () => {
  const open = { moneyLimited: false };
  test.each<[ProviderKind, string | null, string]>([
    ['openai', null, 'max_completion_tokens=9'],
    ['openrouter', null, 'max_tokens=9'],
    ['anthropic', null, 'max_tokens=9'],
    ['groq', null, 'max_completion_tokens=9'],
    ['mistral', null, 'max_tokens=9'],
    ['deepseek', null, 'max_tokens=9'],
    ['xai', null, 'max_completion_tokens=9'],
    ['custom', null, 'max_tokens=9'],
    ['custom', 'https://team.openai.azure.com/openai/v1', 'max_completion_tokens=9'],
    ['custom', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'max_completion_tokens=9'],
  ])('%s %p: %s', (kind, baseUrl, expected) => {
    expect(editsOf(chatFacts(), kind, 9, open, baseUrl)).toEqual([expected]);
  });

  test.each(PROVIDER_KINDS)('%s on responses', (kind) => {
    expect(editsOf(responsesFacts(), kind, 9, open)).toEqual(['max_output_tokens=9']);
  });

  test.each(PROVIDER_KINDS)('%s on embeddings: nowhere', (kind) => {
    expect(editsOf(embeddingFacts(), kind, 9, open)).toEqual([]);
  });

  test.each<[string, ProviderKind, Record<string, unknown>, number | null, string[]]>([
    ["a clamp replaces the client's own", 'openai', { max_tokens: 90 }, 9, ['max_tokens=9']],
    ['in both fields', 'openai', { max_tokens: 90, max_completion_tokens: 90 }, 9, ['max_tokens=9', 'max_completion_tokens=9']],
    [
      'and is said again where the provider reads it',
      'deepseek',
      { max_completion_tokens: 90 },
      9,
      ['max_completion_tokens=9', 'max_tokens=9'],
    ],
    ["a client's cap that is not read is said again", 'deepseek', { max_completion_tokens: 90 }, null, ['max_tokens=90']],
    ["a client's cap that is read stays", 'mistral', { max_tokens: 90 }, null, []],
  ])('%s', (_name, kind, body, cap, expected) => {
    const edits = editsOf(chatFacts(body), kind, cap).filter((edit) => edit.startsWith('max'));
    expect(edits.sort()).toEqual(expected.sort());
  });

  test("Alibaba's cap of the answer alone stays: what is thought beside it is held", () => {
    const edits = editsOf(chatFacts({ max_tokens: 90 }), 'custom', null, {}, 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1');
    expect(edits).toEqual([]);
  });
});

describe('what keeps the cost within the hold', () => {
  test.each<[string, RequestFacts, ProviderKind, Partial<PricingRules>, string[]]>([
    ['nothing when money is not limited', responsesFacts({ tools: [{ type: 'web_search' }] }), 'openai', { moneyLimited: false }, []],
    ['the tier is pinned', chatFacts(), 'openai', {}, ['service_tier="default"']],
    ['auto, too', chatFacts({ service_tier: 'auto' }), 'openai', {}, ['service_tier="default"']],
    ['a chosen tier stays', chatFacts({ service_tier: 'flex' }), 'openai', {}, []],
    ['embeddings have no tier', embeddingFacts(), 'openai', {}, []],
    ['other kinds have no such field', chatFacts(), 'groq', {}, []],
    [
      'tool calls are counted',
      responsesFacts({ service_tier: 'default', tools: [{ type: 'web_search' }] }),
      'openai',
      { maxToolCalls: 3 },
      ['max_tool_calls=3'],
    ],
    [
      "the client's own count stays",
      responsesFacts({ service_tier: 'default', max_tool_calls: 2, tools: [{ type: 'web_search' }] }),
      'openai',
      {},
      [],
    ],
    ['function tools need none', responsesFacts({ service_tier: 'default', tools: [{ type: 'function' }] }), 'openai', {}, []],
  ])('%s', (_name, facts, kind, rules, expected) => {
    expect(editsOf(facts, kind, null, rules)).toEqual(expected);
  });

  const maxPrice = (body: Record<string, unknown>): unknown => {
    const edit = editsOf(chatFacts({ model: 'anthropic/claude-sonnet-4.5', ...body }), 'openrouter', null)[0]!;
    expect(edit.startsWith('provider.max_price=')).toBe(true);
    return JSON.parse(edit.slice('provider.max_price='.length));
  };

  test('OpenRouter is told the price that is held', () => {
    const price = maxPrice({}) as { prompt: number; completion: number };
    expect(price.completion).toBe(15);
    expect(price.prompt).toBeCloseTo(3.75, 5);
    expect(price.prompt).toBeGreaterThanOrEqual(3.75);
  });

  test('a tighter price of the client stays', () => {
    expect(maxPrice({ provider: { max_price: { prompt: 1, completion: 99, image: 0 } } })).toEqual({ prompt: 1, completion: 15, image: 0 });
  });

  test('no price, no limit of it', () => {
    expect(editsOf(chatFacts({ model: 'nobody/knows' }), 'openrouter', null)).toEqual([]);
  });
});

test.each<[Record<string, unknown>, ProviderKind, boolean]>([
  [{ stream: true }, 'openai', true],
  [{ stream: true, stream_options: {} }, 'openai', true],
  [{ stream: true, stream_options: { include_usage: false } }, 'openai', true],
  [{ stream: true, stream_options: { include_usage: true } }, 'openai', false],
  [{ stream: false }, 'openai', false],
  [{ stream: true }, 'mistral', false],
  [{ stream: true }, 'custom', true],
])('usage is asked for: %p %s %p', (body, kind, expected) => {
  expect(injectsUsage(chatFacts(body), profileOf(kind))).toBe(expected);
  expect(injectsUsage(responsesFacts(body), profileOf(kind))).toBe(false);
});
