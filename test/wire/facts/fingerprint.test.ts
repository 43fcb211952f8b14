import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { fingerprintOf } from '../../../src/wire/facts/fingerprint.ts';

const base = {
  model: 'gpt-4.1',
  messages: [{ role: 'user', content: 'hi' }],
  tools: [{ type: 'function', function: { name: 'f', parameters: { properties: { id: { type: 'string' } } } } }],
};
const reordered = JSON.parse(
  '{ "tools": [{ "function": {"parameters":{"properties":{"id":{"type":"string"}}},"name":"f"}, "type":"function"}],\n "messages": [{"content":"hi","role":"user"}], "model": "gpt-4.1"}',
) as Record<string, unknown>;
const withCall = (id: string) => ({
  ...base,
  messages: [
    ...base.messages,
    { role: 'assistant', tool_calls: [{ id, function: { name: 'f' } }] },
    { role: 'tool', tool_call_id: id, content: 'x' },
  ],
});

describe('the same question', () => {
  test.each([
    ['order of keys and white space', reordered],
    ['another model', { ...base, model: 'gpt-5' }],
    ['user, metadata, seed, stream', { ...base, user: 'u', metadata: { a: '1' }, seed: 3, stream: true }],
    ['null members', { ...base, previous_response_id: null, messages: [{ role: 'user', content: 'hi', name: null }] }],
  ])('%s', (_name, body) => {
    expect(fingerprintOf(body)).toBe(fingerprintOf(base));
  });

  test('ids of tool calls', () => {
    expect(fingerprintOf(withCall('call_1'))).toBe(fingerprintOf(withCall('call_2')));
  });
});

describe('another question', () => {
  test.each<[string, Record<string, unknown>]>([
    ['text', { ...base, messages: [{ role: 'user', content: 'hi!' }] }],
    ['role', { ...base, messages: [{ role: 'system', content: 'hi' }] }],
    ['no tools', { ...base, tools: [] }],
    [
      'a property named id of another type',
      { ...base, tools: [{ type: 'function', function: { name: 'f', parameters: { properties: { id: { type: 'number' } } } } }] },
    ],
    ['a stored response', { ...base, previous_response_id: 'resp_1' }],
    ['a stored prompt', { ...base, prompt: { id: 'pmpt_1' } }],
    ['instructions', { ...base, instructions: 'be brief' }],
    ['order of messages', { messages: [{ content: 'a' }, { content: 'b' }] }],
    ['order of messages, other way', { messages: [{ content: 'b' }, { content: 'a' }] }],
    ['values swapped between keys', { messages: [{ role: 'hi', content: 'user' }] }],
    ['nested differently', { messages: [[{ content: 'a' }], { content: 'b' }] }],
  ])('%s', (_name, body) => {
    expect(fingerprintOf(body)).not.toBe(fingerprintOf(base));
  });

  test('10,000 texts have 10,000 fingerprints', () => {
    const seen = new Set<bigint>();
    for (let index = 0; index < 10_000; index++) seen.add(fingerprintOf({ input: `question ${index}` }));
    expect(seen.size).toBe(10_000);
    for (const fingerprint of seen) expect(BigInt.asUintN(64, fingerprint)).toBe(fingerprint);
  });
});

test('any JSON value keeps its fingerprint when its keys are turned around', () => {
  const turned = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turned);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, member]) => [key, turned(member)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (input) => {
      expect(fingerprintOf({ input: turned(input) })).toBe(fingerprintOf({ input }));
    }),
  );
});
