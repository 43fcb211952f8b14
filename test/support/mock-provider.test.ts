import { afterAll, beforeAll, expect, test } from 'bun:test';
import { gunzipSync } from 'node:zlib';
import { compressed, replay, splitBody, startMockProvider, text, type MockProvider } from './mock-provider.ts';

let provider: MockProvider;
beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider.close());

/** The status and body of an answer, or what went wrong. */
async function post(model: string, stream = false): Promise<string> {
  try {
    const init = { method: 'POST', body: JSON.stringify({ model, stream }), redirect: 'manual' as const, signal: AbortSignal.timeout(300) };
    const response = await fetch(`${provider.baseUrl}/chat/completions`, init);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown';
  }
}

const rows: readonly [string, boolean, RegExp][] = [
  ['anything', false, /^200 .*Hello from mock/],
  ['anything', true, /^200 [^]*\[DONE\]\n\n$/],
  ['mock-cut', false, /^TypeError$/],
  ['mock-cut', true, /^TypeError$/],
  ['mock-reset', false, /^TypeError$/],
  ['mock-silence', false, /^TimeoutError$/],
  ['mock-stall', true, /^TimeoutError$/],
  ['mock-garbage', false, /^TypeError$/],
  ['mock-short', false, /^TypeError$/],
  ['mock-slow-stream', true, /^200 [^]*\[DONE\]\n\n$|^TimeoutError$/],
  ['mock-gzip', false, /^200 .*Hello from mock/],
  ['mock-br', false, /^200 .*Hello from mock/],
  ['mock-zstd', false, /^200 .*Hello from mock/],
  ['mock-redirect', false, /^307 $/],
  ['mock-401', false, /^401 .*Incorrect API key/],
  ['mock-429', false, /^429 /],
  ['mock-500-html', false, /^500 <html>/],
  ['mock-empty-error', false, /^503 $/],
];

test.each(rows)('%s, stream %p', async (model, stream, expected) => {
  expect(await post(model, stream)).toMatch(expected);
});

test('it notes what it saw, and holds requests until they are let go', async () => {
  provider.reset();
  const release = provider.hold();
  const pending = [post('one'), post('two')];
  await provider.arrived(2);
  expect(provider.seen.map((seen) => (seen.json() as { model: string }).model).sort()).toEqual(['one', 'two']);
  expect(provider.seen[0]!.headers['content-length']).toBe(String(provider.seen[0]!.body.length));
  release();
  expect(await Promise.all(pending)).toHaveLength(2);
});

test('recorded answers keep their headers and bytes, however they are split', async () => {
  const body = new TextEncoder().encode('data: 1\n\ndata: \u00e9\r\n\r\ndata: 3');
  expect(splitBody(body, 'event').map((part) => Buffer.from(part).toString())).toEqual(['data: 1\n\n', 'data: \u00e9\r\n\r\n', 'data: 3']);
  expect(splitBody(body, { bytes: 7 }).map(({ length }) => length)).toEqual([7, 7, 7, 7]);
  const recorded = {
    status: 201,
    headers: [
      ['X-One', 'a'],
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '3'],
    ] as const,
    body,
  };
  for (const split of ['whole', 'event', { bytes: 7 }] as const) {
    provider.behave(replay(recorded, split));
    const response = await fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-one')).toBe('a');
    expect(await response.bytes()).toEqual(body);
  }
  const packed = compressed(text('plain', 'text/plain'), 'gzip', { bytes: 3 });
  expect(gunzipSync(Buffer.concat(packed.chunks)).toString()).toBe('plain');
});
