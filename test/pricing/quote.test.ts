import { describe, expect, test } from 'bun:test';
import models from '../../db/models.json';
import type { PricingRules, RequestFacts } from '../../src/domain/facts.ts';
import type { ProviderKind } from '../../src/domain/project.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { chatFacts, embeddingFacts, pricingRules, responsesFacts } from '../support/facts.ts';

const catalogue = Catalogue.parse(models);
const quoteOf = (facts: RequestFacts, kind: ProviderKind = 'openai', rules: Partial<PricingRules> = {}) => {
  const reach = [facts.model, ...facts.fallbackModels].map((name) => catalogue.resolve(kind, null, name));
  return makeQuote(facts, reach, profileOf(kind), pricingRules(rules), catalogue.version);
};
const bound = (facts: RequestFacts, kind: ProviderKind = 'openai'): number => quoteOf(facts, kind).inputTokenBound;
const user = (content: unknown, more: Record<string, unknown> = {}) => chatFacts({ messages: [{ role: 'user', content }], ...more });
const dataUrl = (width: number, height: number): string => {
  const png = Buffer.alloc(64);
  png.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  return `data:image/png;base64,${png.toString('base64')}`;
};
const image = (url: string, more: Record<string, unknown> = {}) => user([{ type: 'image_url', image_url: { url } }], more);
const empty = bound(user(''));

describe('the bound of the input', () => {
  test('a byte is at most a token', () => {
    expect(bound(user('x'.repeat(1_000))) - empty).toBe(1_000);
    expect(bound(user('é'.repeat(1_000))) - empty).toBe(2_000);
  });

  test('a tokenizer that may normalize counts what NFKC makes of it', () => {
    const plain = bound(user('', { model: 'mistral-small-latest' }), 'mistral');
    expect(bound(user('ﷺ', { model: 'mistral-small-latest' }), 'mistral') - plain).toBe(33);
    expect(bound(user('ﷺ')) - empty).toBe(3);
  });

  test('tools count at their multiplier and with what is put around them', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const profile = profileOf('openai');
    const bytes = JSON.stringify(tools).length;
    expect(bound(user('', { tools })) - empty).toBe(bytes * profile.toolMultiplier + profile.toolPreludeTokens + profile.perToolTokens);
  });

  test.each([
    ['gpt-4o', 512, 512, 85 + 170 * 2],
    ['gpt-4o', 1_024, 1_024, 2_522],
    ['gpt-4o-mini', 512, 512, 2_833 + 5_667],
    ['gpt-4o-mini', 4_096, 4_096, 2_833 + 5_667 * 8],
    ['gpt-5.4', 100_000, 100_000, 24_603],
  ])('an image for %s of %d x %d', (model, width, height, atLeast) => {
    const counted = bound(image(dataUrl(width, height), { model })) - bound(user('', { model }));
    expect(counted).toBeGreaterThanOrEqual(atLeast);
    expect(counted).toBeLessThan(atLeast * 2);
  });

  test.each([
    ['an image address', image('https://x.test/a.png')],
    ['an image that cannot be read', image('data:image/png;base64,AAAA')],
    ['a sound', user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])],
    ['a file', user([{ type: 'file', file: { file_data: 'AAAA' } }])],
    ['a stored file', user([{ type: 'file', file: { file_id: 'file-1' } }])],
    ['a stored response', responsesFacts({ input: 'hi', previous_response_id: 'resp_1' })],
    ['a conversation', responsesFacts({ input: 'hi', conversation: 'conv_1' })],
    ['an item', responsesFacts({ input: [{ type: 'item_reference', id: 'msg_1' }] })],
    ['a stored prompt', responsesFacts({ prompt: { id: 'pmpt_1' } })],
    ['a hosted tool that has no bound', responsesFacts({ input: 'hi', tools: [{ type: 'mcp' }] })],
  ])('%s: the context limit', (_name, facts) => {
    expect(bound(facts)).toBe(1_047_576);
  });

  test('the context limit never lowers what was counted', () => {
    const facts = user('x'.repeat(20_000), { model: 'gpt-4' });
    expect(bound(facts)).toBeGreaterThan(20_000);
    const stored = responsesFacts({ model: 'gpt-4', input: 'x'.repeat(20_000), previous_response_id: 'resp_1' });
    expect(bound(stored)).toBeGreaterThan(20_000);
  });

  test.each([
    ['texts', ['a'.repeat(9_000), 'b'.repeat(9_000)], 18_000 + 16],
    ['tokens', [1, 2, 3], 3 + 8],
    ['arrays of tokens', [[1, 2], [3]], 3 + 16],
  ])('embeddings count each item: %s', (_name, input, expected) => {
    const quote = quoteOf(embeddingFacts({ input }));
    expect(quote.inputTokenBound).toBe(expected);
    expect(quote).toMatchObject({ choices: 0, outputNanoUsdPerMillion: 0, modelOutputLimit: 0, outputFloor: 0, clientOutputCap: null });
    expect(quote.inputHoldNanoUsd).toBe(expected * 20);
  });

  test('the estimate is no worst case', () => {
    expect(quoteOf(image('https://x.test/a.png')).inputTokenEstimate).toBeLessThan(2_000);
    expect(quoteOf(user('x'.repeat(4_000))).inputTokenEstimate).toBe(1_004);
  });
});

describe('the price of the input', () => {
  const perToken = (facts: RequestFacts, kind: ProviderKind = 'openai'): number => {
    const quote = quoteOf(facts, kind);
    return Math.round(quote.inputHoldNanoUsd / quote.inputTokenBound);
  };
  test.each<[string, RequestFacts, ProviderKind, number]>([
    ['a silent cache write is twice the input', user('x'.repeat(9_999)), 'openai', 4_000],
    ['a known one counts as it is', user('x', { model: 'claude-sonnet-4-5' }), 'anthropic', 3_750],
    [
      'for an hour it is twice the input',
      user('x', { model: 'claude-sonnet-4-5', cache_control: { type: 'ephemeral', ttl: '1h' } }),
      'anthropic',
      6_000,
    ],
    ['long context', user('x'.repeat(300_000), { model: 'gpt-5.4' }), 'openai', 10_000],
    ['no long context', user('x', { model: 'gpt-5.4' }), 'openai', 5_000],
    ['priority', user('x', { service_tier: 'priority' }), 'openai', 10_000],
    ['auto is pinned', user('x', { service_tier: 'auto' }), 'openai', 4_000],
    ['the dearest fallback', user('x', { model: 'openai/gpt-4.1-nano', models: ['openai/o1'] }), 'openrouter', 30_000],
  ])('%s', (_name, facts, kind, expected) => {
    expect(perToken(facts, kind)).toBe(expected);
  });

  test('a prediction is held as output, for each choice', () => {
    const plain = quoteOf(user('')).inputHoldNanoUsd;
    const predicted = quoteOf(user('', { n: 2, prediction: { type: 'content', content: 'x'.repeat(100) } })).inputHoldNanoUsd;
    expect(predicted - plain).toBe(2 * 100 * 8_000);
  });

  describe('where the cap does not bound thinking (Alibaba), that is held beside it', () => {
    const url = 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1';
    const quoted = (facts: RequestFacts, baseUrl: string) => {
      const reach = [{ ...catalogue.resolve('openai', null, 'gpt-4.1')!, id: facts.model }];
      return makeQuote(facts, reach, profileOf('custom', baseUrl), pricingRules(), catalogue.version);
    };
    const thought = (facts: RequestFacts, baseUrl = url) => {
      const plain = quoted({ ...facts, reasoningBudgetTokens: 0 }, 'https://models.example.com/v1');
      const quote = quoted(facts, baseUrl);
      return {
        besideCap: (quote.inputHoldNanoUsd - plain.inputHoldNanoUsd) / 8_000,
        underCap: quote.modelOutputLimit - plain.modelOutputLimit,
      };
    };
    const asked = (model: string, more: Record<string, unknown> = {}) => user('x', { model, max_tokens: 10, ...more });

    test.each([
      ['a model that thinks by itself', asked('qwen3.5-plus'), 81_920],
      ['one that is asked to', asked('qwen-plus', { enable_thinking: true }), 81_920],
      ['one that is not', asked('qwen-plus'), 0],
      ['one that is asked not to', asked('qwen3.5-plus', { enable_thinking: false }), 0],
      ['one that thinks whatever it is asked', asked('qwen3-235b-a22b-thinking-2507', { enable_thinking: false }), 81_920],
      ['each choice', asked('qwq-plus', { n: 2 }), 163_840],
      ['a budget', asked('qwen3.5-plus', { thinking_budget: 500 }), 500],
      ['a budget of another dialect', asked('qwen3.5-plus', { thinking: { type: 'enabled', budget_tokens: 500 } }), 81_920],
      ['a budget that the model does not obey', asked('qwq-plus', { thinking_budget: 500 }), 81_920],
      ['a budget that the route does not obey', responsesFacts({ model: 'qwen3-max', input: 'x', max_output_tokens: 10 }), 81_920],
    ])('%s', (_name, facts, tokens) => {
      expect(thought(facts)).toEqual({ besideCap: tokens, underCap: 0 });
    });

    test.each([
      ['a cap of both', asked('qwen3.5-plus', { max_tokens: null, max_completion_tokens: 10 })],
      ['the cap that is put in where there is none', asked('qwen3.5-plus', { max_tokens: null })],
    ])('%s bounds both', (_name, facts) => {
      expect(thought(facts)).toEqual({ besideCap: 0, underCap: 81_920 });
    });

    test('on the responses route no cap is known to', () => {
      expect(thought(responsesFacts({ model: 'qwen3-max', input: 'x' }))).toEqual({ besideCap: 81_920, underCap: 0 });
    });
  });

  test('hosted calls are held with their fees, and what is said in between is read again', () => {
    const tools = [{ type: 'web_search' }];
    const plain = quoteOf(responsesFacts({ input: 'hi' }));
    const five = quoteOf(responsesFacts({ input: 'hi', tools }));
    const two = quoteOf(responsesFacts({ input: 'hi', tools, max_tool_calls: 2 }));
    expect(five.inputTokenBound - two.inputTokenBound).toBe(3 * 25_600);
    expect(five.inputHoldNanoUsd - two.inputHoldNanoUsd).toBe(3 * 25_600 * 4_000 + 3 * 10_000_000);
    expect(five.outputNanoUsdPerMillion - plain.outputNanoUsdPerMillion).toBe(4_000_000_000);
    expect(five.unpricedFeature).toBeNull();
  });
});

describe('the output', () => {
  test.each<[string, RequestFacts, Record<string, unknown>]>([
    ['no cap', user(''), { clientOutputCap: null, modelOutputLimit: 32_768, outputFloor: 1_024, choices: 1 }],
    ['a cap', user('', { max_tokens: 7 }), { clientOutputCap: 7 }],
    ['choices', user('', { n: 4 }), { choices: 4 }],
    ['tools', user('', { tools: [{ type: 'function' }] }), { outputFloor: 16_384 }],
    ['a model that reasons', user('', { model: 'o3' }), { outputFloor: 16_384 }],
    ['a model that chats', user('', { model: 'gpt-5-chat-latest' }), { outputFloor: 1_024 }],
    ['a small model', user('', { model: 'gpt-4', tools: [{ type: 'function' }] }), { outputFloor: 8_192, modelOutputLimit: 8_192 }],
    ['a reasoning budget', user('', { reasoning: { max_tokens: 20_000 } }), { outputFloor: 21_024 }],
  ])('%s', (_name, facts, expected) => {
    expect(quoteOf(facts)).toMatchObject(expected);
  });
});

describe('a model without a price', () => {
  test.each([
    ['unknown', 'gpt-99'],
    ['unconfirmed zero', 'google/lyria-3-pro-preview'],
  ])('%s', (_name, model) => {
    const facts = user('hi', { model });
    expect(quoteOf(facts, 'openrouter')).toMatchObject({ priced: false, inputHoldNanoUsd: 0, outputNanoUsdPerMillion: 0 });
    const ruled = quoteOf(facts, 'openrouter', { unknownModelPrice: { input: 1_000_000_000, output: 2_000_000_000 } });
    expect(ruled).toMatchObject({ priced: true, outputNanoUsdPerMillion: 2_000_000_000 });
    expect(ruled.inputHoldNanoUsd).toBe(ruled.inputTokenBound * 2_000);
  });

  test('an unknown fallback makes the whole request unpriced', () => {
    expect(quoteOf(user('', { model: 'openai/gpt-4.1', models: ['openai/gpt-99'] }), 'openrouter').priced).toBe(false);
  });
});

describe('what cannot be bounded is named, with the line that would allow it', () => {
  const tool = (type: string) => responsesFacts({ input: 'hi', tools: [{ type }] });
  test.each<[RequestFacts, ProviderKind, string]>([
    [user('', { best_of: 3 }), 'openai', '"allow_fields": ["best_of"]'],
    [user([{ type: 'hologram' }]), 'openai', '"allow_fields": ["content.hologram"]'],
    [tool('mcp'), 'openai', '"tool_prices": {"mcp": '],
    [tool('image_generation'), 'openai', '"tool_prices": {"image_generation": '],
    [tool('web_search'), 'xai', '"tool_prices": {"web_search": '],
    [user('', { web_search_options: {} }), 'openai', '"tool_prices": {"web_search_options": '],
    [user('', { plugins: [{ id: 'web' }] }), 'openrouter', '"tool_prices": {"plugins": '],
    [user('', { model: 'openai/gpt-4.1:online' }), 'openrouter', '"tool_prices": {"online": '],
    [user('', { model: 'o3-deep-research' }), 'openai', '"tool_prices": {"search_model": '],
    [user('', { model: 'perplexity/sonar' }), 'openrouter', '"tool_prices": {"search_model": '],
    [user('', { model: 'openai/gpt-4.1@preset/x' }), 'openrouter', 'name the model itself'],
    [user('', { modalities: ['text', 'image'] }), 'openai', '"allow_fields": ["modalities"]'],
    [user('', { model: 'openai/gpt-audio' }), 'openrouter', '"allow_fields": ["modalities"]'],
    [user('', { model: 'google/gemini-2.5-flash-image' }), 'openrouter', '"allow_fields": ["modalities"]'],
    [user([{ type: 'input_audio', input_audio: { data: 'AA' } }]), 'openai', 'panicly prices set openai/gpt-4.1'],
    [responsesFacts({ previous_response_id: 'resp_1' }), 'openai', '"allow_stored_references": true'],
  ])('%#', (facts, kind, line) => {
    expect(quoteOf(facts, kind).unpricedFeature).toContain(line);
  });

  test.each<[string, RequestFacts, Partial<PricingRules>]>([
    ['a field', user('', { best_of: 3 }), { allowFields: ['best_of'] }],
    ['a tool', tool('mcp'), { toolPrices: { mcp: 0 } }],
    ['a search model', user('', { model: 'o3-deep-research' }), { toolPrices: { search_model: 1 } }],
    ['output media', user('', { modalities: ['image'] }), { allowFields: ['modalities'] }],
    ['a stored reference', responsesFacts({ previous_response_id: 'resp_1' }), { allowStoredReferences: true }],
    [
      "today's coding agents",
      responsesFacts({
        input: [],
        instructions: 'x',
        store: false,
        stream: true,
        parallel_tool_calls: true,
        prompt_cache_key: 'k',
        include: ['reasoning.encrypted_content'],
        reasoning: { effort: 'medium', summary: 'auto' },
        text: { verbosity: 'low' },
        tool_choice: 'auto',
        tools: [
          { type: 'function', name: 'shell' },
          { type: 'custom', name: 'apply_patch' },
          { type: 'local_shell' },
          { type: 'web_search', external_web_access: false },
        ],
      }),
      {},
    ],
  ])('%s passes', (_name, facts, rules) => {
    expect(quoteOf(facts, 'openai', rules).unpricedFeature).toBeNull();
  });
});
