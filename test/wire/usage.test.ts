import { describe, expect, test } from 'bun:test';
import { extractUsage, findProvider } from '@pydantic/genai-prices';
import * as fc from 'fast-check';
import type { Route } from '../../src/domain/candidate.ts';
import { NO_USAGE, type Usage } from '../../src/domain/usage.ts';
import { readUsage } from '../../src/wire/usage.ts';
import { MAX_COST_NANO_USD, MAX_TOKENS } from '../../src/wire/usage/figures.ts';
import { usageFixtures } from '../fixtures/wire/usages.ts';

const figures = (parts: Partial<Usage>): Usage => ({ ...NO_USAGE, ...parts });

describe('shapes of real providers', () => {
  test.each(usageFixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (_, { route, answer, expected }) => {
    expect(readUsage(route, answer)).toEqual(figures(expected));
  });
});

describe('an independent reader agrees', () => {
  const provider = (id: string) => findProvider({ providerId: id })!;
  const compared = usageFixtures.filter((fixture) => fixture.oracle !== undefined);

  test.each(compared.map((fixture) => [fixture.name, fixture] as const))('%s', (_, { answer, expected, oracle }) => {
    const { usage } = extractUsage(provider(oracle!.provider), answer, oracle!.flavor);
    const said = {
      input: usage.input_tokens ?? 0,
      output: usage.output_tokens ?? 0,
      cached: usage.cache_read_tokens ?? 0,
      written: usage.cache_write_tokens ?? 0,
    };
    const theirs = { ...said, ...oracle!.differs };
    // A difference that is gone must go from the fixture too.
    if (oracle!.differs !== undefined) expect(theirs).not.toEqual(said);
    const ours = figures(expected);
    expect(theirs).toEqual({
      input: ours.inputTokens,
      output: ours.outputTokens,
      cached: ours.cachedInputTokens,
      written: ours.cacheWriteTokens,
    });
  });

  test('most shapes are compared', () => {
    expect(compared.length).toBeGreaterThan(usageFixtures.length / 2);
  });
});

describe('nothing to count', () => {
  const rows: readonly [string, unknown][] = [
    ['no answer', undefined],
    ['null', null],
    ['a string', 'usage'],
    ['an array', [{ usage: { prompt_tokens: 1 } }]],
    ['no usage', { id: 'chatcmpl-1', choices: [] }],
    ['a null usage', { usage: null }],
    ['an empty usage', { usage: {} }],
    ['a usage that is a number', { usage: 12 }],
    ['a usage that is an array', { usage: [1, 2] }],
    ['figures that are none', { usage: { prompt_tokens: {}, completion_tokens: 'many', total_tokens: [] } }],
    ['only nulls', { usage: { prompt_tokens: null, completion_tokens: null, total_tokens: null } }],
  ];
  test.each(rows)('%s', (_, value) => {
    expect(readUsage('chat', value)).toBeNull();
  });
});

describe('hostile figures are mended and named', () => {
  const chat = (usage: Record<string, unknown>) => readUsage('chat', { usage });
  const rows: readonly [string, Record<string, unknown>, Partial<Usage>][] = [
    ['negative', { prompt_tokens: -5, completion_tokens: 3 }, { outputTokens: 3, flags: ['negative', 'half_told'] }],
    ['fractions go up', { prompt_tokens: 1.2, completion_tokens: 3 }, { inputTokens: 2, outputTokens: 3, flags: ['fraction'] }],
    ['a negative fraction', { prompt_tokens: 1, completion_tokens: -0.5 }, { inputTokens: 1, flags: ['negative', 'half_told'] }],
    [
      '2^60 and past every double',
      { prompt_tokens: 2 ** 60, completion_tokens: JSON.parse('1e400') as number },
      { inputTokens: MAX_TOKENS, outputTokens: MAX_TOKENS, flags: ['too_large'] },
    ],
    ['NaN', { prompt_tokens: NaN, completion_tokens: 2 }, { outputTokens: 2, flags: ['not_a_number', 'input_missing', 'half_told'] }],
    ['numbers as strings', { prompt_tokens: '7', completion_tokens: '2' }, { inputTokens: 7, outputTokens: 2, flags: ['numeric_string'] }],
    [
      'strings that are no numbers',
      { prompt_tokens: 7, completion_tokens: '0x10' },
      { inputTokens: 7, flags: ['not_a_number', 'output_missing', 'half_told'] },
    ],
    [
      'an object for a number',
      { prompt_tokens: 7, completion_tokens: {}, total_tokens: 12 },
      { inputTokens: 7, outputTokens: 5, flags: ['not_a_number'] },
    ],
    [
      'more cached than input',
      { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 25 } },
      { inputTokens: 10, outputTokens: 1, cachedInputTokens: 10, flags: ['cached_over_input'] },
    ],
    [
      'more written than is left beside the cached',
      { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 6 } },
      { inputTokens: 10, outputTokens: 1, cachedInputTokens: 6, cacheWriteTokens: 4, flags: ['cache_write_over_input'] },
    ],
    [
      'more audio than all',
      {
        prompt_tokens: 1,
        completion_tokens: 1,
        prompt_tokens_details: { audio_tokens: 5 },
        completion_tokens_details: { audio_tokens: 5 },
      },
      { inputTokens: 1, outputTokens: 1, audioInputTokens: 1, audioOutputTokens: 1, flags: ['audio_over_total'] },
    ],
    [
      'reasoning that was counted apart',
      { prompt_tokens: 1, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 30 } },
      { inputTokens: 1, outputTokens: 35, reasoningTokens: 30, flags: ['reasoning_over_output'] },
    ],
    [
      'the total leaves more output than is said',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 40 },
      { inputTokens: 10, outputTokens: 30 },
    ],
    [
      'the total is less than its parts',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 12 },
      { inputTokens: 10, outputTokens: 5 },
    ],
    ['only input', { prompt_tokens: 10 }, { inputTokens: 10, flags: ['output_missing', 'half_told'] }],
    ['output and total', { completion_tokens: 4, total_tokens: 10 }, { inputTokens: 6, outputTokens: 4, flags: ['input_missing'] }],
    ['only a total counts as the dearer output', { total_tokens: 10 }, { outputTokens: 10, flags: ['input_missing'] }],
    [
      'details that are none',
      { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: 7, completion_tokens_details: [] },
      { inputTokens: 1, outputTokens: 1 },
    ],
  ];
  test.each(rows)('%s', (_, usage, expected) => {
    expect(chat(usage)).toEqual(figures(expected));
  });

  test('a total less than the input makes nothing negative', () => {
    expect(chat({ prompt_tokens: 10, total_tokens: 4 })).toEqual(figures({ inputTokens: 10 }));
  });
});

describe('cost as the provider says it', () => {
  const rows: readonly [string, Record<string, unknown>, number | null, readonly string[]][] = [
    ['none', {}, null, []],
    ['binary noise does not round up', { cost: 0.000427 }, 427_000, []],
    ['a part of a nano-USD does', { cost: 1.5e-9 }, 2, []],
    ['zero is a claim', { cost: 0 }, 0, []],
    ['with our own key both are paid', { cost: 0.00001, is_byok: true, cost_details: { upstream_inference_cost: 0.0003 } }, 310_000, []],
    ['else the upstream cost is a part', { cost: 0.0004, is_byok: false, cost_details: { upstream_inference_cost: 0.0003 } }, 400_000, []],
    [
      'parts stand for a missing whole',
      {
        cost: 0,
        is_byok: true,
        cost_details: { upstream_inference_cost: null, upstream_inference_prompt_cost: 1e-6, upstream_inference_completions_cost: 2e-6 },
      },
      3000,
      [],
    ],
    ['ticks of 1e-10 USD', { cost_in_usd_ticks: 5_743_501 }, 574_351, []],
    ['an object in USD', { cost: { currency: 'USD', total_cost: 2.8e-8 } }, 28, []],
    ['another currency is no claim', { cost: { currency: 'EUR', total_cost: 1 } }, null, ['cost_not_usd']],
    ['an estimate', { estimated_cost: 0.5 }, 500_000_000, []],
    ['negative', { cost: -1 }, 0, ['negative']],
    ['past all sense', { cost: JSON.parse('1e400') as number }, MAX_COST_NANO_USD, ['too_large']],
    ['no number', { cost: true }, null, ['not_a_number']],
  ];
  test.each(rows)('%s', (_, cost, expected, flags) => {
    const usage = readUsage('chat', { usage: { prompt_tokens: 1, completion_tokens: 1, ...cost } })!;
    expect(usage.providerCostNanoUsd).toBe(expected);
    expect(usage.flags).toEqual(flags);
  });
});

test('odd and too many names of tools become one', () => {
  const names = Array.from({ length: 40 }, (_, index) => `tool_${index}_requests`);
  const server_tool_use = Object.fromEntries([...names, 'A B_requests', `${'x'.repeat(99)}_requests`].map((name) => [name, 2]));
  const { toolCalls } = readUsage('chat', { usage: { prompt_tokens: 1, completion_tokens: 1, server_tool_use } })!;
  expect(Object.keys(toolCalls!)).toHaveLength(13);
  expect(toolCalls!['other']).toBe(2);
});

test('whatever stands in a usage, the figures are whole, sane and within each other', () => {
  const names = fc.constantFrom(
    'prompt_tokens',
    'completion_tokens',
    'input_tokens',
    'output_tokens',
    'total_tokens',
    'prompt_tokens_details',
    'completion_tokens_details',
    'cached_tokens',
    'reasoning_tokens',
    'audio_tokens',
    'cache_read_input_tokens',
    'cache_creation_input_tokens',
    'cost',
    'cost_details',
    'cost_in_usd_ticks',
    'server_tool_use',
    'web_search_requests',
    '__proto__',
  );
  const numbers = fc.oneof(fc.integer({ min: -5, max: 50 }), fc.double(), fc.constantFrom(2 ** 60, -Infinity, Infinity));
  const leaves = fc.oneof(numbers, fc.string(), fc.constantFrom(null, true, '12', '-3', [], {}));
  const details = fc.dictionary(names, leaves);
  const usages = fc.dictionary(names, fc.oneof(leaves, details));
  const routes = fc.constantFrom<Route>('chat', 'responses', 'embeddings');
  fc.assert(
    fc.property(routes, usages, fc.jsonValue(), (route, usage, output) => {
      const read = readUsage(route, { usage, output });
      if (read === null) return;
      const { providerCostNanoUsd, toolCalls, flags, ...counts } = read;
      for (const count of [...Object.values(counts), ...Object.values(toolCalls ?? {}), providerCostNanoUsd ?? 0]) {
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      }
      expect(read.cachedInputTokens + read.cacheWriteTokens).toBeLessThanOrEqual(read.inputTokens);
      expect(read.audioInputTokens).toBeLessThanOrEqual(read.inputTokens);
      expect(read.audioOutputTokens).toBeLessThanOrEqual(read.outputTokens);
      expect(read.reasoningTokens).toBeLessThanOrEqual(read.outputTokens);
      expect(new Set(flags).size).toBe(flags.length);
    }),
    { numRuns: 1000 },
  );
});
