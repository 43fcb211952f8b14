import { describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { StreamReader } from '../../src/domain/answer.ts';
import { decodedBody, makeDecodingReader, makeStreamReader } from '../../src/wire/stream.ts';
import { MAX_EVENT_BYTES } from '../../src/wire/stream/splitter.ts';
import { streamFixtures, type StreamFixture } from '../fixtures/wire/streams.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const fixtures = streamFixtures.map((fixture) => [fixture.name, fixture] as const);

function reader(fixture: StreamFixture, stripUsage: 'none' | 'injected' = 'none'): StreamReader {
  return makeStreamReader(fixture.route, { stripUsage, choices: fixture.choices ?? 1 });
}

function factsOf({ usage, complete, failed, responseId, deliveredTokenBound }: StreamReader) {
  return { usage, complete, failed, responseId, text: deliveredTokenBound };
}

function expectedOf(fixture: StreamFixture): ReturnType<typeof factsOf> {
  const { usage, complete, failed = false, responseId = null, text } = fixture;
  return { usage, complete, failed, responseId, text };
}

function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
  return chunks;
}

/** What the client gets. Each piece is copied at once: a reader may use its arrays again. */
function passed(stream: StreamReader, chunks: readonly Uint8Array[]): string {
  const out: Uint8Array[] = [];
  for (const chunk of chunks) out.push(stream.push(chunk)?.slice() ?? new Uint8Array(0));
  out.push(stream.flush() ?? new Uint8Array(0));
  return new TextDecoder().decode(Buffer.concat(out));
}

const lineEnds: readonly [string, (body: string) => string][] = [
  ['LF', (body) => body],
  ['CRLF', (body) => body.replaceAll('\n', '\r\n')],
  ['CR', (body) => body.replaceAll('\n', '\r')],
];

describe('facts do not depend on how the bytes come', () => {
  for (const [lineEnd, convert] of lineEnds) {
    test.each(fixtures)(`${lineEnd}: %s`, (_, fixture) => {
      const bytes = encode(convert(fixture.body));
      for (const size of [1, 2, 3, 7, 64, 1000, bytes.length + 1]) {
        const stream = reader(fixture);
        expect(passed(stream, chunksOf(bytes, size))).toBe(convert(fixture.body));
        expect(factsOf(stream)).toEqual(expectedOf(fixture));
      }
    });
  }

  test.each(fixtures)('cut once at every byte: %s', (_, fixture) => {
    const bytes = encode(fixture.body);
    for (let at = 0; at <= bytes.length; at++) {
      const stream = reader(fixture);
      passed(stream, [bytes.slice(0, at), bytes.slice(at)]);
      expect(factsOf(stream)).toEqual(expectedOf(fixture));
    }
  });

  test.each(fixtures)('behind a byte order mark: %s', (_, fixture) => {
    const bytes = Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), encode(fixture.body)]);
    for (const size of [1, 2, 1000, bytes.length]) {
      const stream = reader(fixture);
      for (const chunk of chunksOf(bytes, size)) stream.push(chunk);
      stream.flush();
      expect(factsOf(stream)).toEqual(expectedOf(fixture));
    }
  });

  test.each(fixtures)('complete only on the protocol, never on "no more bytes": %s', (_, fixture) => {
    const stream = reader(fixture);
    stream.push(encode(fixture.body));
    expect(stream.complete).toBe(fixture.terminated);
  });
});

test('without stripping the very same array comes back, whatever is in it', () => {
  const stream = makeStreamReader('chat', { stripUsage: 'none' });
  for (const chunk of chunksOf(encode(streamFixtures[0]!.body), 50)) expect(stream.push(chunk)).toBe(chunk);
  expect(stream.flush()).toBeNull();
});

/** A stream as it comes with `include_usage`, and the same as it would have come without. */
const pairs: readonly [string, string, string][] = [
  ['null at the end', 'data: {"id":"1","choices":[{"index":0}],"usage":null}\n\n', 'data: {"id":"1","choices":[{"index":0}]}\n\n'],
  ['null in the middle', 'data: {"id":"1","usage":null,"choices":[]}\n\n', 'data: {"id":"1","choices":[]}\n\n'],
  ['null at the front', 'data: {"usage":null,"id":"1","choices":[]}\n\n', 'data: {"id":"1","choices":[]}\n\n'],
  ['null alone', 'data: {"usage":null}\n\n', 'data: {}\n\n'],
  ['null with spaces', 'data: {"id": "1", "usage" : null , "choices": []}\n\n', 'data: {"id": "1" , "choices": []}\n\n'],
  ['null as Python writes it', 'data: {"id": "1", "choices": [], "usage": null}\n\n', 'data: {"id": "1", "choices": []}\n\n'],
  ['null without a space behind the colon', 'data:{"id":"1","usage":null}\n\n', 'data:{"id":"1"}\n\n'],
  [
    'null behind big integers and escapes',
    'data: {"seed":12345678901234567890,"s":"\\u00e9\\/","usage":null}\n\n',
    'data: {"seed":12345678901234567890,"s":"\\u00e9\\/"}\n\n',
  ],
  ['a deeper null stays', 'data: {"x":{"usage":null},"s":"\\"usage\\":null"}\n\n', 'data: {"x":{"usage":null},"s":"\\"usage\\":null"}\n\n'],
  [
    'the usage chunk goes with its blank line',
    ': hi\n\ndata: {"choices":[],"usage":{"prompt_tokens":1}}\n\ndata: [DONE]\n\n',
    ': hi\n\ndata: [DONE]\n\n',
  ],
  ['the usage chunk goes with its event line', 'event: message\ndata: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n', 'data: [DONE]\n\n'],
  ['the usage chunk is the last', 'data: {"a":1}\n\ndata: {"choices":[],"usage":{"prompt_tokens":1}}\n\n', 'data: {"a":1}\n\n'],
  ['the usage chunk is the last and has no end', 'data: {"a":1}\n\ndata: {"choices":[],"usage":{"prompt_tokens":1}}', 'data: {"a":1}\n\n'],
  [
    'a usage beside choices stays',
    'data: {"choices":[{"index":0}],"usage":{"prompt_tokens":1}}\n\n',
    'data: {"choices":[{"index":0}],"usage":{"prompt_tokens":1}}\n\n',
  ],
  [
    'a chunk without choices and usage stays',
    'data: {"choices":[],"prompt_filter_results":[]}\n\n',
    'data: {"choices":[],"prompt_filter_results":[]}\n\n',
  ],
  [
    'comments and what cannot be read stay',
    ': ping\n\nid: 7\nretry: 5\n\ndata: oops\n\n\n\n',
    ': ping\n\nid: 7\nretry: 5\n\ndata: oops\n\n\n\n',
  ],
  ['an unfinished end stays', 'data: {"a":1}\n\ndata: {"cut', 'data: {"a":1}\n\ndata: {"cut'],
  ['nothing', '', ''],
];

describe('what an injected include_usage added is taken out, and nothing else', () => {
  for (const [lineEnd, convert] of lineEnds) {
    test.each(pairs)(`${lineEnd}: %s`, (_, asked, plain) => {
      const bytes = encode(convert(asked));
      for (const size of [1, 2, 5, 40, bytes.length + 1]) {
        const stream = makeStreamReader('chat', { stripUsage: 'injected' });
        expect(passed(stream, chunksOf(bytes, size))).toBe(convert(plain));
      }
    });
  }

  test('a whole stream is the one that would have come without', () => {
    const asked = streamFixtures[0]!;
    const plain = asked.body.replaceAll(',"usage":null', '').replace(/data: [^\n]*"choices":\[\],"usage".*\n\n/, '');
    expect(plain).not.toContain('usage');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const stream = reader(asked, 'injected');
        expect(passed(stream, chunksInSizes(encode(asked.body), sizes))).toBe(plain);
        expect(factsOf(stream)).toEqual(expectedOf(asked));
      }),
    );
  });

  test('whole events pass at once, only an unfinished one waits', () => {
    const stream = makeStreamReader('chat', { stripUsage: 'injected' });
    const whole = encode('data: {"a":1}\n\n');
    expect(stream.push(whole)).toBe(whole);
    expect(stream.push(encode('data: {"b"'))).toBeNull();
    expect(new TextDecoder().decode(stream.push(encode(':2}\n\ndata: {"c"'))!)).toBe('data: {"b":2}\n\n');
    expect(stream.push(encode(':3'))).toBeNull();
    expect(new TextDecoder().decode(stream.flush()!)).toBe('data: {"c":3');
  });

  test.each(['responses', 'embeddings'] as const)('%s is never changed', (route) => {
    const stream = makeStreamReader(route, { stripUsage: 'injected' });
    const chunk = encode('data: {"usage":null}\n\ndata: {"cho');
    expect(stream.push(chunk)).toBe(chunk);
  });
});

function chunksInSizes(bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

test('any bytes in any pieces never throw, and pass as they came', () => {
  const texts = fc.array(
    fc.constantFrom(
      'data: ',
      '{',
      '}',
      '"usage"',
      ':null',
      '[DONE]',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'x',
      '"',
      '\\',
      'error:',
      '{"choices":[],"a":1}',
      '🌟',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(texts, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, sizes) => {
      const body = parts.join('');
      const whole = makeStreamReader('chat', { stripUsage: 'injected' });
      const pieces = makeStreamReader('chat', { stripUsage: 'injected' });
      const out = passed(whole, [encode(body)]);
      expect(passed(pieces, chunksInSizes(encode(body), sizes))).toBe(out);
      expect(factsOf(pieces)).toEqual(factsOf(whole));
      if (!body.includes('usage')) expect(out).toBe(body);
    }),
    { numRuns: 1000 },
  );
});

test.each<[string, string, number]>([
  ['in one line', 'data: {"choices":[{"delta":{"content":"abcdefgh\n\n', 39],
  ['in several lines', 'data: {"choices":[{"delta":{"content":"abcdefgh"}}]\ndata: ,\n\n', 45],
  ['that is no object', 'data: ["abcdefgh"]\n\n', 12],
])('data that nobody can read counts as delivered, %s', (_, body, atLeastBytes) => {
  for (const size of [1, 7, body.length]) {
    const stream = makeStreamReader('chat', { stripUsage: 'none' });
    passed(stream, chunksOf(encode(body), size));
    expect(stream.deliveredTokenBound).toBeWithin(atLeastBytes, body.length + 1);
  }
});

describe('an event that is too great passes unread, and the next one is read', () => {
  const usage = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
  for (const [lineEnd, convert] of lineEnds) {
    test.each(['none', 'injected'] as const)(`${lineEnd}, %s`, (stripUsage) => {
      const stream = makeStreamReader('chat', { stripUsage });
      const great = `data: {"x":"${'y'.repeat(MAX_EVENT_BYTES + (2 << 20))}"}\ndata: {"error":{"message":"a part of the great event"}}`;
      const body = encode(convert(`${great}\n\n${usage}\n\n`));
      const out: Uint8Array[] = [];
      for (const chunk of chunksOf(body, 1 << 20)) out.push(stream.push(chunk)?.slice() ?? new Uint8Array(0));
      out.push(stream.flush() ?? new Uint8Array(0));
      expect(Buffer.concat(out).equals(body)).toBe(true);
      expect(stream.usage).toMatchObject({ inputTokens: 1, outputTokens: 2 });
      expect(stream.complete).toBe(true);
      expect(stream.failed).toBe(false);
      expect(stream.deliveredTokenBound).toBeGreaterThan(MAX_EVENT_BYTES);
    });
  }
});

test('choices without end are not remembered', () => {
  const completeAfter = (choices: number): boolean => {
    const stream = makeStreamReader('chat', { stripUsage: 'none' });
    for (let index = 0; index < choices; index++) stream.push(encode(`data: {"choices":[{"index":${index},"finish_reason":"stop"}]}\n\n`));
    stream.flush();
    return stream.complete;
  };
  expect([completeAfter(1_024), completeAfter(1_025)]).toEqual([true, false]);
});

test('an event that is too great and ends between two chunks, inside its CRLF', () => {
  const great = `data: ${'y'.repeat(MAX_EVENT_BYTES)}\r`;
  for (const rest of ['\n\r\ndata: [DONE]\r\n\r\n', '\n\r\n\r\ndata: [DONE]\r\n\r\n']) {
    const stream = makeStreamReader('chat', { stripUsage: 'none' });
    stream.push(encode(great));
    stream.push(encode(rest));
    expect(stream.complete).toBe(true);
  }
});

const encodings: readonly [string, (bytes: Uint8Array) => Uint8Array][] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes)],
  ['zstd', (bytes) => zstdCompressSync(bytes)],
];

describe('compressed streams', () => {
  const fixture = streamFixtures[0]!;

  test.each(encodings)('%s is read beside the bytes that pass', async (name, compress) => {
    const stream = makeDecodingReader('chat', name)!;
    for (const chunk of chunksOf(compress(encode(fixture.body)), 10)) expect(stream.push(chunk)).toBe(chunk);
    expect(stream.flush()).toBeNull();
    await stream.finish();
    expect(factsOf(stream)).toEqual(expectedOf(fixture));
  });

  test.each(encodings)('%s that broke off stays incomplete', async (name, compress) => {
    const stream = makeDecodingReader('chat', name)!;
    stream.push(compress(encode(fixture.body)).slice(0, -20));
    await stream.finish();
    expect(stream.complete).toBe(false);
  });

  test.each(encodings)('%s that is none says nothing and does no harm', async (name) => {
    const stream = makeDecodingReader('chat', name)!;
    const chunk = encode('this is not compressed at all');
    expect(stream.push(chunk)).toBe(chunk);
    expect(stream.push(chunk)).toBe(chunk);
    stream.flush();
    await stream.finish();
    expect(factsOf(stream)).toEqual({ usage: null, complete: false, failed: false, responseId: null, text: 0 });
  });

  test.each(encodings)('%s can be decoded before an ordinary reader', async (name, compress) => {
    const chunks = [...chunksOf(compress(encode(fixture.body)), 10)];
    const body = decodedBody({ read: () => Promise.resolve(chunks.shift() ?? null) }, name)!;
    const stream = reader(fixture, 'injected');
    const decoded: Uint8Array[] = [];
    for (let bytes = await body.read(); bytes !== null; bytes = await body.read()) decoded.push(bytes);
    expect(passed(stream, decoded)).not.toContain('usage');
    expect(factsOf(stream)).toEqual(expectedOf(fixture));
  });

  test('a decoded body breaks where the body breaks', async () => {
    const chunks = [gzipSync(encode(fixture.body)).subarray(0, 100)];
    const read = () => (chunks.length > 0 ? Promise.resolve(chunks.shift()!) : Promise.reject(new Error('reset')));
    const body = decodedBody({ read }, 'gzip')!;
    const all = async () => {
      while ((await body.read()) !== null);
    };
    expect(await all().catch(String)).toContain('reset');
  });

  test.each(['', 'identity', 'compress', 'gzip, br'])('%p has no reader', (name) => {
    expect(makeDecodingReader('chat', name)).toBeNull();
    expect(decodedBody({ read: () => Promise.resolve(null) }, name)).toBeNull();
  });
});
