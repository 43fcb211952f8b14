import { describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { Route } from '../../src/domain/candidate.ts';
import { NO_USAGE } from '../../src/domain/usage.ts';
import { decodeForReading, MAX_DECODED_BYTES, readAnswer } from '../../src/wire/answer.ts';
import { readUsage } from '../../src/wire/usage.ts';
import { usageFixtures } from '../fixtures/wire/usages.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const usage = '{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}';
const used = { ...NO_USAGE, inputTokens: 3, outputTokens: 4 };

describe('readAnswer', () => {
  const rows: readonly [string, Route, string, ReturnType<typeof readAnswer>][] = [
    ['usage last', 'chat', `{"id":"a","choices":[],"usage":${usage}}`, { usage: used, responseId: null }],
    ['usage in the middle', 'chat', `{"usage" : ${usage} , "choices":[{"message":{"content":"x"}}]}\n`, { usage: used, responseId: null }],
    ['usage in a text', 'chat', `{"usage":${usage},"x":"\\"usage\\":{\\"prompt_tokens\\":9}"}`, { usage: used, responseId: null }],
    ['usage as a value', 'chat', `{"usage":${usage},"x":"usage"}`, { usage: used, responseId: null }],
    ['a name that ends like usage', 'chat', `{"usage":${usage},"a\\"usage":{"prompt_tokens":9}}`, { usage: used, responseId: null }],
    ['a deeper usage behind', 'chat', `{"usage":${usage},"x":{"usage":{"prompt_tokens":9}}}`, { usage: used, responseId: null }],
    [
      'a deeper usage behind, with members after it',
      'chat',
      `{"usage":${usage},"x":{"usage":{"prompt_tokens":9},"y":1},"z":[]}`,
      { usage: used, responseId: null },
    ],
    ['a usage in an array behind', 'chat', `{"usage":${usage},"x":[{"usage":{"prompt_tokens":9}}]}`, { usage: used, responseId: null }],
    [
      'a second usage behind, whose name hides in an escape',
      'chat',
      `{"x":"${'x'.repeat(5_000)}","usage":{"prompt_tokens":1,"completion_tokens":1},"\\u0075sage":${usage}}`,
      { usage: used, responseId: null },
    ],
    ['only x_groq', 'chat', `{"choices":[],"x_groq":{"id":"r","usage":${usage}}}`, { usage: used, responseId: null }],
    ['a null usage', 'chat', '{"choices":[],"usage":null}', { usage: null, responseId: null }],
    [
      'a response with its id',
      'responses',
      `{"id":"resp_1","output":[],"usage":{"input_tokens":3,"output_tokens":4}}`,
      { usage: used, responseId: 'resp_1' },
    ],
    ['a response without usage', 'responses', '{"id":"resp_1","status":"queued","usage":null}', { usage: null, responseId: 'resp_1' }],
    ['a response with an id that is none', 'responses', '{"id":7,"usage":null}', { usage: null, responseId: null }],
    ['an error with usage', 'chat', `{"error":{"message":"x"},"usage":${usage}}`, { usage: used, responseId: null }],
    ['an error', 'chat', '{"detail":"no"}', { usage: null, responseId: null }],
    ['no JSON', 'chat', '<html>"usage"</html>', { usage: null, responseId: null }],
    ['nothing', 'chat', '', { usage: null, responseId: null }],
    ['an array', 'chat', '[]', { usage: null, responseId: null }],
    ['the end of a great answer', 'chat', `gs","more"],"usage":${usage}}`, { usage: used, responseId: null }],
    [
      'the end of a great response',
      'responses',
      `..."}],"usage":{"input_tokens":3,"output_tokens":4},"user":null}`,
      { usage: used, responseId: null },
    ],
    ['an answer that broke off', 'chat', `{"choices":[{"usage":${usage}`, { usage: null, responseId: null }],
  ];
  test.each(rows)('%s', (_, route, source, expected) => {
    expect(readAnswer(route, encode(source))).toEqual(expected);
  });

  test.each(usageFixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (_, { route, answer, expected }) => {
    expect(readAnswer(route, encode(JSON.stringify(answer))).usage).toEqual({ ...NO_USAGE, ...expected });
  });

  test('the short way to the usage finds what the long way finds', () => {
    const names = fc.constantFrom('usage', 'x_groq', 'choices', 'a', 'a"', '\\', 'usage"', '"usage');
    const leaves = fc.constantFrom<unknown>(
      'usage',
      '"usage":{"prompt_tokens":5}',
      '\\',
      1,
      null,
      { prompt_tokens: 3 },
      { total_tokens: 9 },
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaves, fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(names, tie('tree'), { maxKeys: 4 })),
    }));
    fc.assert(
      fc.property(fc.dictionary(names, tree), fc.constantFrom(undefined, 1), (answer, indent) => {
        const text = JSON.stringify(answer, null, indent);
        expect(readAnswer('chat', encode(text)).usage).toEqual(readUsage('chat', JSON.parse(text)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('decodeForReading', () => {
  const plain = encode('{"usage":null}'.repeat(20));
  const rows: readonly [string | null, Uint8Array][] = [
    [null, plain],
    ['', plain],
    ['identity', plain],
    ['gzip', gzipSync(plain)],
    ['GZIP ', gzipSync(plain)],
    ['x-gzip', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['deflate', deflateRawSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['zstd', zstdCompressSync(plain)],
  ];
  test.each(rows)('%p', (encoding, bytes) => {
    expect(Buffer.from(decodeForReading(bytes, encoding)!).equals(plain)).toBe(true);
  });

  const broken: readonly [string, string, Uint8Array][] = [
    ['an unknown encoding', 'compress', plain],
    ['two encodings', 'gzip, br', brotliCompressSync(gzipSync(plain))],
    ['plain bytes that claim gzip', 'gzip', plain],
    ['plain bytes that claim deflate', 'deflate', plain],
    ['plain bytes that claim brotli', 'br', plain],
    ['plain bytes that claim zstd', 'zstd', plain],
    ['nothing that claims gzip', 'gzip', new Uint8Array(0)],
    ['half of it', 'gzip', gzipSync(plain).subarray(0, 20)],
    ['more than the limit', 'gzip', gzipSync(new Uint8Array(MAX_DECODED_BYTES + 1))],
  ];
  test.each(broken)('%s is null', (_, encoding, bytes) => {
    expect(decodeForReading(bytes, encoding)).toBeNull();
  });
});
