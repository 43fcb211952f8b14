import { describe, expect, test } from 'bun:test';
import { readAnswer } from '../../src/wire/answer.ts';
import { LargeAnswer } from '../../src/wire/large-answer.ts';

const encoder = new TextEncoder();

function read(text: string, piece: number, route: 'responses' | 'chat' = 'responses') {
  const answer = new LargeAnswer(route);
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += piece) answer.push(bytes.subarray(at, at + piece));
  return answer.facts();
}

const search = { type: 'web_search_call', id: 'ws_1', action: { type: 'search', query: 'weather' } };
const OUTPUT = [
  search,
  { type: 'reasoning', summary: ['it said \n "type": "web_search_call" and "type":"file_search_call"'] },
  { type: 'function_call', name: 'x', arguments: '{"type":"code_interpreter_call"}' },
  { type: 'image_generation_call', result: 'A'.repeat(70_000) },
  search,
  { type: 'message', content: [{ type: 'output_text', text: 'a call: "_call"' }] },
  { type: 'code_interpreter_call' },
];
const RESPONSE = {
  id: 'resp_0123456789',
  object: 'response',
  output: OUTPUT,
  usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
  user: 'ann',
};

describe('an answer that is too large to hold', () => {
  test.each([
    ['in one line', JSON.stringify(RESPONSE)],
    ['over lines', JSON.stringify(RESPONSE, null, 2)],
  ])('tells what a small one tells, however its bytes are cut, %s', (_, text) => {
    const whole = readAnswer('responses', encoder.encode(text));
    expect(whole.usage?.toolCalls).toEqual({ web_search: 2, image_generation: 1, code_interpreter: 1 });
    for (const piece of [1, 2, 3, 7, 63, 64, 65, 127, 128, 129, 130, 255, 1_000, 65_536, 1_000_000])
      expect(read(text, piece)).toEqual(whole);
    for (let piece = 200; piece < 330; piece++) expect(read(text, piece)).toEqual(whole);
  });

  test('has its id when it begins with one, and of a chat completion only its usage', () => {
    expect(read('{"object":"response","id":"resp_1"}', 9)).toEqual({ usage: null, responseId: null });
    expect(read(`{"id":"${'r'.repeat(257)}"}`, 9).responseId).toBeNull();
    expect(read(`{"id":"a\\"b"}`, 9).responseId).toBeNull();
    const chat = read('{"id":"chatcmpl-1","output":[{"type":"web_search_call"}],"usage":{"prompt_tokens":3}}', 9, 'chat');
    expect([chat.usage?.inputTokens, chat.usage?.toolCalls, chat.responseId]).toEqual([3, null, null]);
  });

  test('counts an opened page as a search, because nobody can tell them apart at its end', () => {
    const page = { type: 'web_search_call', action: { type: 'open_page' } };
    expect(read(JSON.stringify({ ...RESPONSE, output: [search, page] }), 50).usage?.toolCalls).toEqual({ web_search: 2 });
  });

  test('keeps no more calls than an answer can have', () => {
    const text = JSON.stringify({ ...RESPONSE, output: Array.from({ length: 10_500 }, () => search) });
    expect(read(text, 65_536).usage?.toolCalls).toEqual({ web_search: 10_000 });
  });
});
