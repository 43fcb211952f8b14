import { describe, expect, test } from 'bun:test';
import type { Connection, ProviderKind } from '../../src/domain/project.ts';
import { PROVIDERS, ROUTE_PATHS, upstreamUrl } from '../../src/upstream/providers.ts';
import { checkBaseUrl } from '../../src/upstream/base-url.ts';
import { chooseConnection, matchesPattern } from '../../src/upstream/routing.ts';

function connection(id: number, name: string, kind: ProviderKind, models: readonly string[] = PROVIDERS[kind].models): Connection {
  return { id, publicId: `con_${id}`, projectId: 1, name, kind, baseUrl: 'https://x.example/v1', models, createdAtMs: 0 };
}

const openai = connection(1, 'openai', 'openai');
const openrouter = connection(2, 'openrouter', 'openrouter');
const anthropic = connection(3, 'anthropic', 'anthropic');
const local = connection(4, 'Local', 'custom', ['llama3', 'qwen*']);
const any = connection(5, 'any', 'custom', ['*']);
const pinned = connection(6, 'pinned', 'openai', ['gpt-4.1-mini', 'GPT-X']);

const rows: readonly [string, readonly Connection[], string, number | null, string][] = [
  ['a pattern', [openai, any], 'gpt-4.1', 1, 'gpt-4.1'],
  ['nothing takes it', [openai], 'claude-x', null, ''],
  ['no connections', [], 'gpt-4.1', null, ''],
  ['an empty name', [any], '', null, ''],
  ['a pattern before *', [any, openai], 'gpt-4.1', 1, 'gpt-4.1'],
  ['* takes the rest', [openai, any], 'unheard-of', 5, 'unheard-of'],
  ['an exact name before a pattern of a lower id', [openai, pinned], 'gpt-4.1-mini', 6, 'gpt-4.1-mini'],
  ['letter case of a pattern', [openai], 'GPT-4.1', 1, 'GPT-4.1'],
  ['the spelling of the list', [pinned], 'gpt-x', 6, 'GPT-X'],
  ['the lowest id first, whatever the order given', [any, connection(9, 'b', 'custom', ['*'])].toReversed(), 'm', 5, 'm'],
  ['a connection by name', [openai, any], 'any/gpt-4.1', 5, 'gpt-4.1'],
  ['a name in another case', [openai, local], 'LOCAL/llama3', 4, 'llama3'],
  ['a kind', [connection(7, 'main', 'openai'), any], 'openai/gpt-4.1', 7, 'gpt-4.1'],
  ['a name before a kind', [connection(7, 'main', 'openai'), connection(8, 'openai', 'custom', ['*'])], 'openai/gpt-4.1', 8, 'gpt-4.1'],
  ['an explicit connection does not take what its list leaves out', [local], 'local/mistral', null, ''],
  ['the second of a kind, when the first does not take it', [pinned, connection(7, 'b', 'openai')], 'openai/gpt-5', 7, 'gpt-5'],
  ['the name of OpenRouter without an openai connection', [openrouter], 'openai/gpt-4.1', 2, 'openai/gpt-4.1'],
  ['the openai connection before OpenRouter', [openai, openrouter], 'openai/gpt-4.1', 1, 'gpt-4.1'],
  ['OpenRouter when the openai connection does not take it', [pinned, openrouter], 'openai/gpt-5', 2, 'openai/gpt-5'],
  [
    'OpenRouter when its list names it exactly',
    [openai, connection(2, 'r', 'openrouter', ['openai/gpt-4.1'])],
    'openai/gpt-4.1',
    2,
    'openai/gpt-4.1',
  ],
  ['OpenRouter explicitly', [openai, openrouter], 'openrouter/openai/gpt-4.1', 2, 'openai/gpt-4.1'],
  ['a model of OpenRouter itself', [openai, openrouter], 'openrouter/auto', 2, 'openrouter/auto'],
  ['a variant', [openrouter], 'meta-llama/llama-3.1-8b:free', 2, 'meta-llama/llama-3.1-8b:free'],
  ['a plain name is not for OpenRouter', [openrouter], 'gpt-4.1', null, ''],
  ['anthropic', [openai, anthropic], 'claude-sonnet-4', 3, 'claude-sonnet-4'],
  ['a slash at the end', [any], 'openai/', 5, 'openai/'],
  ['a slash at the beginning', [any], '/gpt', 5, '/gpt'],
  ['a fine-tuned model', [openai], 'ft:gpt-4.1:org::id', 1, 'ft:gpt-4.1:org::id'],
];

describe('chooseConnection', () => {
  test.each(rows)('%s', (_, connections, model, id, name) => {
    const chosen = chooseConnection(connections, model);
    expect(chosen?.connection.id ?? null).toBe(id);
    expect(chosen?.model ?? '').toBe(name);
  });
});

const patterns: readonly [string, string, boolean][] = [
  ['*', '', true],
  ['*', 'anything', true],
  ['gpt-*', 'gpt-', true],
  ['gpt-*', 'GPT-4', true],
  ['gpt-*', 'xgpt-4', false],
  ['*mini', 'gpt-mini', true],
  ['*mini', 'minimal', false],
  ['a*b*c', 'aXbXc', true],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'acb', false],
  ['ab*ba', 'aba', false],
  ['a**b', 'ab', true],
  ['a.c', 'abc', false],
  ['gpt-4', 'gpt-4.1', false],
  ['*a*a*a*a*a*a*b', 'a'.repeat(5_000), false],
];

test.each(patterns)('%s against %s', (pattern, name, expected) => {
  expect(matchesPattern(pattern, name)).toBe(expected);
});

describe('providers', () => {
  const named = Object.entries(PROVIDERS).flatMap(([kind, { baseUrl }]) => (baseUrl === null ? [] : [[kind, baseUrl] as const]));
  test.each(named)('%s has a base URL that we would accept from an operator', (_, baseUrl) => {
    expect(checkBaseUrl(baseUrl, { allowHttp: false })).toBe(baseUrl);
  });

  test('URLs are base and path', () => {
    const urls = Object.keys(ROUTE_PATHS).map((route) => upstreamUrl(openai, route as keyof typeof ROUTE_PATHS));
    expect(urls).toEqual(['chat/completions', 'responses', 'embeddings', 'models'].map((path) => `https://x.example/v1/${path}`));
  });
});
