import { describe, expect, test } from 'bun:test';
import models from '../../db/models.json';
import type { ProviderKind } from '../../src/domain/project.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';

const catalogue = Catalogue.parse(models);
const USD = 1_000_000_000;
const model = (kind: ProviderKind, name: string, baseUrl: string | null = null) => {
  const found = catalogue.resolve(kind, baseUrl, name);
  if (found === null) throw new Error(`${name} is not in the catalogue`);
  return found;
};
const NVIDIA = 'https://integrate.api.nvidia.com/v1';
const ZAI = 'https://api.z.ai/api/paas/v4';
const GEMINI = 'https://generativelanguage.googleapis.com/v1beta/openai';

describe("each rule of the price list's own notes", () => {
  test.each<[ProviderKind, string, string | null, boolean]>([
    ['openrouter', 'openai/gpt-oss-20b:free', null, false],
    ['openrouter', 'google/lyria-3-pro-preview', null, true],
    ['openrouter', 'openrouter/free', null, true],
    ['mistral', 'labs-devstral-small-2512', null, true],
    ['custom', 'qwen/qwen-image', NVIDIA, true],
    ['custom', 'glm-4.7-flash', ZAI, true],
    ['openai', 'gpt-4.1', null, false],
  ])('0/0 is free only by name: %s %s', (kind, name, baseUrl, unpriced) => {
    expect(model(kind, name, baseUrl).unpriced).toBe(unpriced);
  });

  test('every 0/0 entry without :free is unpriced', () => {
    const gifts = (['openai', 'openrouter', 'mistral', 'groq', 'xai', 'deepseek', 'anthropic'] as const)
      .flatMap((kind) => catalogue.list(kind))
      .filter((entry) => entry.price.input === 0 && entry.price.output === 0 && !entry.unpriced);
    expect(gifts.length).toBeGreaterThan(0);
    expect(gifts.filter((entry) => !entry.id.endsWith(':free'))).toEqual([]);
  });

  test('a limit of 0 is unknown', () => {
    expect(model('openai', 'gpt-image-2').limits).toEqual({ context: null, input: null, output: null });
  });

  test.each([
    ['xiaomi/mimo-v2.5', 131_072],
    ['z-ai/glm-5.1', 202_752],
    ['openai/gpt-3.5-turbo-0613', 4_096],
  ])('an output above the context takes the largest context: %s', (name, context) => {
    const { limits } = model('openrouter', name);
    expect(limits.context).toBeGreaterThanOrEqual(context);
    expect(limits.context).toBeGreaterThanOrEqual(limits.output ?? 0);
  });

  test.each<[ProviderKind, string, string | null]>([
    ['openai', 'text-embedding-3-small', null],
    ['mistral', 'mistral-embed', null],
    ['custom', 'gemini-embedding-001', GEMINI],
  ])('the dimension of a vector is no output limit: %s %s', (kind, name, baseUrl) => {
    expect(model(kind, name, baseUrl)).toMatchObject({ isEmbedding: true, limits: { output: null } });
  });

  test.each<[ProviderKind, string, string | null]>([
    ['openrouter', 'google/gemini-2.5-pro', null],
    ['custom', 'glm-4.6', ZAI],
    ['anthropic', 'claude-3-sonnet-20240229', null],
  ])('a cache write below input costs input: %s %s', (kind, name, baseUrl) => {
    const { price } = model(kind, name, baseUrl);
    expect(price.cacheWrite).toBe(price.input);
  });

  test.each<[ProviderKind, string, string | null]>([
    ['openai', 'gpt-3.5-turbo', null],
    ['custom', 'zai-glm-4.7', 'https://api.cerebras.ai/v1'],
  ])('a cache read of 0 is silence: %s %s', (kind, name, baseUrl) => {
    expect(model(kind, name, baseUrl).price.cacheRead).toBeNull();
  });

  test.each([
    ['openai/gpt-5.4', 272_000, 5 * USD, 22.5 * USD],
    ['openai/gpt-5.5', 272_000, 10 * USD, 45 * USD],
    ['google/gemini-2.5-pro', 200_000, 2.5 * USD, 15 * USD],
  ])('OpenRouter inherits long-context tiers: %s', (name, aboveInputTokens, input, output) => {
    expect(model('openrouter', name).tiers).toEqual([{ aboveInputTokens, price: expect.objectContaining({ input, output }) }]);
  });

  test('a -latest name is as dear as anywhere', () => {
    const price = { input: 1.5 * USD, output: 9 * USD };
    expect(model('custom', 'gemini-flash-latest', GEMINI).price).toMatchObject(price);
    expect(model('openrouter', '~google/gemini-flash-latest').price).toMatchObject(price);
  });

  test('reasoning above output is kept apart', () => {
    const { price } = model('custom', 'qwen-plus', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1');
    expect(price).toMatchObject({ output: 1.2 * USD, reasoning: 4 * USD });
  });

  test.each([
    ['gpt-3.5-turbo-0613', 1.5 * USD, 2 * USD],
    ['gpt-3.5-turbo-0125', 0.5 * USD, 1.5 * USD],
    ['gpt-4o-2024-05-13', 5 * USD, 15 * USD],
    ['gpt-4o-mini-2024-07-18', 0.15 * USD, 0.6 * USD],
  ])('a dated name has its own price: %s', (name, input, output) => {
    expect(model('openai', name).price).toMatchObject({ input, output });
  });

  test('a date that is on no list is unknown', () => {
    expect(catalogue.resolve('openai', null, 'gpt-4.1-2031-01-01')).toBeNull();
  });

  test("names are compared case-folded and keep the catalogue's spelling", () => {
    expect(model('openai', 'GPT-4.1').id).toBe('gpt-4.1');
    expect(model('custom', 'zai-org/glm-5.1', 'https://api.together.xyz/v1').id).toBe('zai-org/GLM-5.1');
  });
});

describe('resolve', () => {
  test.each<[ProviderKind, string | null, string, string | null]>([
    ['openrouter', null, 'openai/gpt-4.1', 'openrouter openai/gpt-4.1'],
    ['openrouter', null, 'openai/gpt-4.1:nitro', 'openrouter openai/gpt-4.1'],
    ['openrouter', null, 'openai/gpt-4.1:online', 'openrouter openai/gpt-4.1'],
    ['openrouter', null, 'openai/gpt-4.1:wat', null],
    ['openrouter', null, '@preset/cheap', null],
    ['openrouter', null, 'anthropic/claude-sonnet-4-5', 'openrouter anthropic/claude-sonnet-4.5'],
    ['openrouter', null, 'openai/text-embedding-3-small', 'openrouter openai/text-embedding-3-small'],
    ['openrouter', null, 'gpt-4.1', null],
    ['openai', null, 'openai/gpt-4.1', null],
    ['openai', null, 'gpt-4.1:nitro', null],
    ['openai', null, 'constructor', null],
    ['anthropic', null, 'claude-3-7-sonnet-latest', 'anthropic claude-3-7-sonnet-20250219'],
    ['custom', GEMINI, 'models/gemini-2.5-pro', 'google gemini-2.5-pro'],
    ['custom', 'https://api.together.xyz/v1', 'openai/gpt-oss-20b', 'togetherai openai/gpt-oss-20b'],
    [
      'custom',
      'https://api.fireworks.ai/inference/v1',
      'accounts/fireworks/models/kimi-k2p6',
      'fireworks-ai accounts/fireworks/models/kimi-k2p6',
    ],
    ['custom', 'https://api.openai.com/v1', 'gpt-4.1', 'openai gpt-4.1'],
    ['custom', 'https://api.openai.com.evil.test/v1', 'gpt-4.1', null],
    ['custom', 'http://127.0.0.1:11434/v1', 'gpt-4.1', null],
    ['custom', null, 'gpt-4.1', null],
  ])('%s %s %s', (kind, baseUrl, name, expected) => {
    const found = catalogue.resolve(kind, baseUrl, name);
    expect(found === null ? null : `${found.provider} ${found.id}`).toBe(expected);
  });
});

describe('overrides', () => {
  test('a part inherits the others', () => {
    const raised = catalogue.withOverrides([{ provider: 'openai', model: 'GPT-5.4', price: { input: 7 * USD } }]);
    const found = raised.resolve('openai', null, 'gpt-5.4');
    expect(found?.price).toMatchObject({ input: 7 * USD, output: 15 * USD, cacheRead: 0.25 * USD });
    expect(found?.id).toBe('gpt-5.4');
    // A long request is never the cheaper one.
    expect(found?.tiers[0]?.price.input).toBe(7 * USD);
  });

  test('a price for a model that nobody knows', () => {
    const known = catalogue.withOverrides([
      { provider: 'custom', model: 'Llama3:8b', price: { input: 0, output: 0 }, limits: { context: 8_192, output: 2_048 } },
    ]);
    const found = known.resolve('custom', 'http://127.0.0.1:11434/v1', 'llama3:8b');
    expect(found).toMatchObject({ id: 'Llama3:8b', unpriced: false, limits: { context: 8_192, output: 2_048 } });
  });

  test('only a whole price confirms', () => {
    const half = catalogue.withOverrides([{ provider: 'mistral', model: 'labs-devstral-small-2512', price: { input: 0 } }]);
    expect(half.resolve('mistral', null, 'labs-devstral-small-2512')?.unpriced).toBe(true);
    const whole = catalogue.withOverrides([{ provider: 'mistral', model: 'labs-devstral-small-2512', price: { input: 0, output: 0 } }]);
    expect(whole.resolve('mistral', null, 'labs-devstral-small-2512')?.unpriced).toBe(false);
  });

  test('the version stands for the content', () => {
    const same = Catalogue.parse(structuredClone(models));
    const other = catalogue.withOverrides([{ provider: 'openai', model: 'gpt-4.1', price: { input: 1 } }]);
    expect(Number.isSafeInteger(catalogue.version)).toBe(true);
    expect(same.version).toBe(catalogue.version);
    expect(other.version).not.toBe(catalogue.version);
    expect(catalogue.withOverrides([])).toBe(catalogue);
  });
});

test.each([
  ['a negative price', -1],
  ['a fraction', 0.5],
  ['no number', '1'],
])('%s in the file is an error, never a guess', (_name, input) => {
  const raw = { price: { input, output: 1 }, limit: { context: 1, output: 1 }, modalities: { input: ['text'], output: ['text'] } };
  expect(() => Catalogue.parse({ providers: { openai: { models: { m: raw } } } })).toThrow(RangeError);
});
