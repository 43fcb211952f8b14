import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import type { Route } from '../../src/domain/candidate.ts';
import { makeStreamReader } from '../../src/wire/stream.ts';

/** Texts as models write them, and as nobody should: escapes, other scripts, what looks like JSON. */
const text = fc.oneof(
  fc.constantFrom(' oak', '', 'a "quote"', 'line\n', '\\', 'é', '樹', '🌳', '"usage":null', '}', 'tab\t', '\u2028', '\u007f', ','),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);

const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const chat = (fields: object, more: object = {}) => ({ ...base, choices: [{ index: 0, finish_reason: null, ...fields }], ...more });

/** Events of a chat: the same shapes again and again, and now and then one that says more. */
const chatEvent: fc.Arbitrary<object> = fc.oneof(
  { weight: 12, arbitrary: text.map((content) => chat({ delta: { content } }, { usage: null })) },
  {
    weight: 6,
    arbitrary: fc.tuple(text, text).map(([content, obfuscation]) => chat({ delta: { content } }, { usage: null, obfuscation })),
  },
  { weight: 4, arbitrary: text.map((reasoning_content) => chat({ delta: { content: null, reasoning_content } })) },
  { weight: 4, arbitrary: fc.tuple(text, text).map(([one, two]) => chat({ delta: { reasoning: one, reasoning_content: two } })) },
  { weight: 4, arbitrary: text.map((arguments_) => chat({ delta: { tool_calls: [{ index: 0, function: { arguments: arguments_ } }] } })) },
  { weight: 4, arbitrary: text.map((both) => chat({ delta: { content: both }, text: both }, { usage: null })) },
  {
    weight: 8,
    arbitrary: fc.tuple(text, fc.integer()).map(([id, created]) => ({ usage: null, ...chat({ delta: { content: 'x' } }), id, created })),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 }).map((index) => chat({ index, delta: { content: 'x' } }, { usage: null })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('stop', '', 'error').map((reason) => chat({ delta: {}, finish_reason: reason }, { usage: null })),
  },
  { weight: 1, arbitrary: text.map((content) => chat({ delta: { role: content, content } }, { usage: null })) },
  { weight: 1, arbitrary: text.map((content) => chat({ delta: { content }, message: { content } }, { content, usage: null })) },
  { weight: 1, arbitrary: fc.nat(99).map((prompt_tokens) => chat({ delta: { content: 'x' } }, { usage: { prompt_tokens } })) },
  { weight: 1, arbitrary: fc.nat(99).map((prompt_tokens) => ({ ...base, choices: [], usage: { prompt_tokens } })) },
  { weight: 1, arbitrary: text.map((message) => ({ error: { message } })) },
);

const responsesEvent: fc.Arbitrary<object> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.tuple(text, fc.integer({ min: -1, max: 30 }), text).map(([delta, sequence_number, obfuscation]) => ({
      type: 'response.output_text.delta',
      sequence_number,
      item_id: 'i',
      delta,
      obfuscation,
    })),
  },
  { weight: 4, arbitrary: text.map((delta) => ({ type: 'response.function_call_arguments.delta', item_id: 'i', delta })) },
  { weight: 2, arbitrary: text.map((delta) => ({ type: 'response.audio.delta', delta: { delta } })) },
  { weight: 1, arbitrary: text.map((content) => ({ type: 'response.output_item.done', item: { content } })) },
  {
    weight: 1,
    arbitrary: text.map((id) => ({ type: 'response.completed', response: { id, usage: { input_tokens: 1, output_tokens: 2 } } })),
  },
  { weight: 1, arbitrary: text.map((message) => ({ type: 'error', message })) },
);

const formats: readonly ((event: object) => string)[] = [
  (event) => `data: ${JSON.stringify(event)}\n\n`,
  (event) => `event: message\ndata:${JSON.stringify(event)}\n\n`,
  // As Python writes it.
  (event) => `data: ${JSON.stringify(event, null, 1).replaceAll(/\n */g, ' ')}\n\n`,
  (event) => `data: ${JSON.stringify(event)}\r\n\r\n`,
  (event) => `data: ${JSON.stringify(event)}\r\r`,
];

function read(route: Route, chunks: readonly Uint8Array[], stripUsage: 'none' | 'injected') {
  const reader = makeStreamReader(route, { stripUsage });
  const out: Buffer[] = [];
  for (const chunk of chunks) out.push(Buffer.from(reader.push(chunk) ?? []));
  out.push(Buffer.from(reader.flush() ?? []));
  const { usage, complete, failed, responseId, deliveredTokenBound } = reader;
  return { usage, complete, failed, responseId, deliveredTokenBound, out: Buffer.concat(out).toString('latin1') };
}

/** Pieces that never hold the beginning and the end of an event: each is then parsed. */
function inBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, at) => bytes.slice(at, at + 1));
}

describe('an event like the last one is read as if it had been parsed', () => {
  test.each([
    ['chat', chatEvent, 'injected'],
    ['chat', chatEvent, 'none'],
    ['responses', responsesEvent, 'none'],
  ] as const)('%s, usage taken out: %#', (route, event, stripUsage) => {
    const streams = fc.tuple(fc.array(event, { maxLength: 40 }), fc.constantFrom(...formats), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(streams, ([events, format, together]) => {
        const texts = events.map(format);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < texts.length; at += together) chunks.push(Buffer.from(texts.slice(at, at + together).join('')));
        expect(read(route, chunks, stripUsage)).toEqual(read(route, inBytes(Buffer.from(texts.join(''))), stripUsage));
      }),
      { numRuns: 150 },
    );
  });

  const event = (bytes: readonly number[]) =>
    Buffer.concat([Buffer.from('data: {"choices":[{"delta":{"content":"'), Buffer.from(bytes), Buffer.from('"}}],"usage":null}\n\n')]);

  test.each<[string, number[]]>([
    ['a byte that is no UTF-8', [0xff]],
    ['half a character', [0x61, 0xe6, 0xa8]],
    ['half a pair', [0xed, 0xa0, 0x80]],
    ['a control character, which JSON does not allow', [0x01]],
    ['a character of four bytes', [0xf0, 0x9f, 0x8c, 0xb3]],
  ])('%s', (_, bytes) => {
    const events = [event([0x61]), event([0x62]), event(bytes), event([0x63, 0x64])];
    expect(read('chat', events, 'injected')).toEqual(read('chat', inBytes(Buffer.concat(events)), 'injected'));
  });

  const content = (value: string) => `{"choices":[{"delta":{"content":"${value}"}}]}`;
  const twoReasonings = (one: string) => `{"choices":[{"delta":{"reasoning":"${one}","reasoning_content":"bbbb"}}]}`;
  const used = (tokens: number, model: string) =>
    `{"model":"${model}","choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":${tokens}}}`;
  const idOf = (id: string, type: string) => `{"type":"${type}","delta":"a","response":{"id":"resp_${id}"}}`;
  const item = '{"type":"response.output_item.done","item":{"text":"abc"}}';

  test.each<[string, Route, string[]]>([
    [
      'a name that stands twice',
      'chat',
      ['b', 'b', 'bbbbb', 'bbbbb'].map((value) => `{"content":"${value}","choices":[{"delta":{"content":"a"}}]}`),
    ],
    [
      'a name of two spellings',
      'chat',
      ['b', 'b', 'bbb'].map((value) => `{"choices":[{"delta":{"cont\\u0065nt":"a"}}],"content":"${value}"}`),
    ],
    ['an error that comes late', 'chat', [content('a'), content('a'), '{"choices":[{"delta":{"content":"a"}}],"error":{"message":"x"}}']],
    ['a finish reason', 'chat', [content('a'), content('a'), '{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}']],
    ['another choice', 'chat', [0, 0, 1, 1].map((index) => `{"choices":[{"index":${index},"delta":{"content":"a"}}]}`)],
    ['two choices in one', 'chat', Array<string>(3).fill('{"choices":[{"delta":{"content":"a"}},{"index":1,"delta":{"content":"bcd"}}]}')],
    ['two names for the reasoning', 'chat', ['a', 'aa', 'aaa', 'aaaaaa'].map(twoReasonings)],
    ['a usage that comes again', 'chat', [used(1, 'm'), used(1, 'm'), used(2, '\\u006d'), used(1, 'm')]],
    [
      'a number that is none',
      'chat',
      ['1', '2', '01', '3.5', '-4', '5'].map((created) => content('a').replace('{', `{"created":${created},`)),
    ],
    ['a content that is a number', 'chat', ['1', '1', '22', '333'].map((value) => content('a').replace('"a"', value))],
    ['a cut end', 'chat', [content('a'), content('a'), '{"choices":[{"delta":{"content":"a']],
    ['items, of which the greater sum counts', 'responses', [item, item, item]],
    ['an id that comes again', 'responses', [idOf('a', 'x.delta'), idOf('a', 'x.delta'), idOf('b', '\\u0078.delta'), idOf('a', 'x.delta')]],
  ])('%s', (_, route, data) => {
    const events = data.map((text) => Buffer.from(`data: ${text}\n\n`));
    const stripUsage = route === 'chat' ? 'injected' : 'none';
    expect(read(route, events, stripUsage)).toEqual(read(route, inBytes(Buffer.concat(events)), stripUsage));
  });
});

test('what is passed on is not the array that came, even when that is a Buffer, and that stays as it was', () => {
  const text = 'data: {"choices":[{"delta":{"content":"a"}}],"usage":null,"z":1}\n\n';
  const reader = makeStreamReader('chat', { stripUsage: 'injected' });
  for (let round = 0; round < 3; round++) {
    const chunk = Buffer.from(text);
    expect(Buffer.from(reader.push(chunk)!).toString()).toBe(text.replace(',"usage":null', ''));
    expect(chunk.toString()).toBe(text);
  }
});
