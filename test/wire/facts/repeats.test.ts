import { describe, expect, test } from 'bun:test';
import { chatFacts, responsesFacts } from '../../support/facts.ts';

const call = (id: string, args = '{"path":"a"}', name = 'read') => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
});
const output = { role: 'tool', tool_call_id: 'x', content: 'no such file' };
const user = { role: 'user', content: 'go' };

describe('tool calls repeated at the end of a chat', () => {
  test.each([
    ['none', [user], 0],
    ['one', [user, call('1'), output], 0],
    ['three in a row', [user, call('1'), output, call('2'), output, call('3'), output], 2],
    ['other arguments between', [user, call('1'), output, call('2', '{}'), output, call('3'), output], 0],
    ['another tool', [user, call('1'), output, call('2', '{"path":"a"}', 'write'), output], 0],
    ['a row of before', [user, call('1'), output, call('2'), output, user], 0],
    ['an answer in between', [user, call('1'), output, { role: 'assistant', content: 'hm' }, call('2'), output], 0],
    ['two calls in one message', [user, { role: 'assistant', tool_calls: [...call('1').tool_calls, ...call('2').tool_calls] }], 1],
    [
      'function_call of before',
      [
        user,
        { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: '' },
        { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
      ],
      1,
    ],
  ])('%s', (_name, messages, expected) => {
    expect(chatFacts({ messages }).repeatedToolCalls).toBe(expected);
  });
});

describe('tool calls repeated at the end of an input', () => {
  const item = (id: string, args = '{}') => ({ type: 'function_call', call_id: id, name: 'f', arguments: args });
  const result = { type: 'function_call_output', call_id: 'x', output: 'no' };
  test.each([
    ['text', 'hi', 0],
    [
      'three in a row',
      [{ role: 'user', content: 'go' }, item('1'), result, { type: 'reasoning', summary: [] }, item('2'), result, item('3'), result],
      2,
    ],
    ['other arguments between', [item('1'), result, item('2', '{"a":1}'), result, item('3'), result], 0],
    ['a message after it', [item('1'), result, item('2'), result, { role: 'user', content: 'stop' }], 0],
    [
      'custom tools',
      [
        { type: 'custom_tool_call', call_id: '1', name: 'p', input: 'x' },
        { type: 'custom_tool_call', call_id: '2', name: 'p', input: 'x' },
      ],
      1,
    ],
  ])('%s', (_name, input, expected) => {
    expect(responsesFacts({ input }).repeatedToolCalls).toBe(expected);
  });
});
