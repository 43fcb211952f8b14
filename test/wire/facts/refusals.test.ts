import { describe, expect, test } from 'bun:test';
import type { Route } from '../../../src/domain/candidate.ts';
import { type Reason, Refusal } from '../../../src/domain/errors.ts';
import { readFacts } from '../../../src/wire/facts.ts';

const chat = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'hi' }] };
const responses = { model: 'gpt-4.1', input: 'hi' };
const embeddings = { model: 'text-embedding-3-small', input: 'hi' };

const REFUSED: readonly [Route, Record<string, unknown>, Reason, string][] = [
  ['chat', { messages: [] }, 'missing_model', 'model'],
  ['chat', { ...chat, model: null }, 'missing_model', 'model'],
  ['chat', { ...chat, model: '' }, 'missing_model', 'model'],
  ['chat', { ...chat, model: 7 }, 'invalid_value', 'model'],
  ['chat', { ...chat, model: 'x'.repeat(257) }, 'invalid_value', 'model'],
  ['chat', { ...chat, models: 'gpt-4.1' }, 'invalid_value', 'models'],
  ['chat', { ...chat, models: ['gpt-4.1', 3] }, 'invalid_value', 'models'],
  ['chat', { model: 'gpt-4.1' }, 'invalid_value', 'messages'],
  ['chat', { ...chat, messages: 'hi' }, 'invalid_value', 'messages'],
  ['chat', { ...chat, messages: ['hi'] }, 'invalid_value', 'messages.0'],
  ['chat', { ...chat, stream: 'yes' }, 'invalid_value', 'stream'],
  ['chat', { ...chat, stream_options: true }, 'invalid_value', 'stream_options'],
  ['chat', { ...chat, provider: 'openai' }, 'invalid_value', 'provider'],
  ['chat', { ...chat, max_tokens: 0 }, 'invalid_value', 'max_tokens'],
  ['chat', { ...chat, max_tokens: -1 }, 'invalid_value', 'max_tokens'],
  ['chat', { ...chat, max_tokens: 1.5 }, 'invalid_value', 'max_tokens'],
  ['chat', { ...chat, max_tokens: '10' }, 'invalid_value', 'max_tokens'],
  ['chat', { ...chat, max_completion_tokens: 1e300 }, 'invalid_value', 'max_completion_tokens'],
  ['chat', { ...chat, n: 0 }, 'invalid_value', 'n'],
  ['chat', { ...chat, n: 1.5 }, 'invalid_value', 'n'],
  ['chat', { ...chat, max_tokens: 10, max_completion_tokens: 11 }, 'conflicting_caps', 'max_completion_tokens'],
  ['responses', { ...responses, background: true }, 'background_unsupported', 'background'],
  ['responses', { ...responses, background: 'yes' }, 'invalid_value', 'background'],
  ['responses', { ...responses, max_output_tokens: 0 }, 'invalid_value', 'max_output_tokens'],
  ['responses', { ...responses, max_tool_calls: 0.5 }, 'invalid_value', 'max_tool_calls'],
  ['responses', { ...responses, input: 7 }, 'invalid_value', 'input'],
  ['responses', { ...responses, input: ['hi'] }, 'invalid_value', 'input.0'],
  ['embeddings', { model: 'text-embedding-3-small' }, 'invalid_value', 'input'],
  ['embeddings', { ...embeddings, input: ['a', true] }, 'invalid_value', 'input.1'],
  ['embeddings', { ...embeddings, input: [[1, 'a']] }, 'invalid_value', 'input.0'],
];

describe('a body that cannot be judged is refused, and the member is named', () => {
  test.each(REFUSED)('%s %p: %s %s', (route, body, reason, param) => {
    const refusal = readFacts(route, body);
    expect(refusal).toBeInstanceOf(Refusal);
    if (!(refusal instanceof Refusal)) return;
    expect([refusal.reason, refusal.options.param, refusal.status]).toEqual([reason, param, 400]);
    expect(refusal.message.endsWith('.')).toBe(true);
  });
});

const ACCEPTED: readonly [Route, Record<string, unknown>][] = [
  ['chat', { ...chat, n: null, stream: null, max_tokens: null, stream_options: null, tools: null, models: null }],
  ['chat', { ...chat, max_tokens: 10, max_completion_tokens: 10 }],
  ['chat', { ...chat, messages: [{ role: 'developer', content: [{ type: 'text', text: 'hi' }] }] }],
  ['chat', { ...chat, messages: [{ role: 'assistant', content: null, tool_calls: [] }] }],
  ['chat', { ...chat, messages: [] }],
  ['chat', { ...chat, messages: [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }] }],
  ['responses', { model: 'gpt-4.1', prompt: { id: 'pmpt_1' } }],
  ['responses', { ...responses, background: false }],
  ['responses', { ...responses, background: null }],
  [
    'responses',
    {
      ...responses,
      input: [
        { role: 'user', content: 'hi' },
        { type: 'reasoning', summary: [] },
      ],
    },
  ],
  ['embeddings', { ...embeddings, input: [1, 2, 3] }],
  ['embeddings', { ...embeddings, input: [[1], [2, 3]] }],
  ['embeddings', { ...embeddings, input: [] }],
];

test.each(ACCEPTED)('%s %p is accepted', (route, body) => {
  const facts = readFacts(route, body);
  expect(facts).not.toBeInstanceOf(Refusal);
});
