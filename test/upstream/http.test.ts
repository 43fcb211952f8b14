import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { httpUpstream } from '../../src/upstream/http.ts';
import { UpstreamBroken, type UpstreamAnswer, type UpstreamFailure, type UpstreamRequest } from '../../src/upstream/upstream.ts';
import {
  chatCompletion,
  chatStream,
  compressed,
  error,
  json,
  redirect,
  replay,
  sse,
  startMockProvider,
  type Behaviour,
  type MockProvider,
} from '../support/mock-provider.ts';

let provider: MockProvider;
const upstream = httpUpstream({ tickMs: 10 });

beforeAll(async () => {
  provider = await startMockProvider();
});
afterEach(() => {
  provider.reset();
  provider.behave(null);
});
afterAll(async () => {
  upstream.close();
  await provider.close();
});

function request(changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    url: `${provider.baseUrl}/chat/completions`,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'panicly/test', 'accept-encoding': 'identity' },
    body: new TextEncoder().encode('{"model":"mock-model"}'),
    signal: null,
    firstByteMs: 30_000,
    idleMs: 30_000,
    ...changes,
  };
}

async function sendTo(behaviour: Behaviour, changes: Partial<UpstreamRequest> = {}): Promise<UpstreamAnswer> {
  provider.behave(behaviour);
  const result = await upstream.send(request(changes));
  if (result.kind !== 'answer') throw new Error(`no answer: ${result.kind} ${result.code}`);
  return result;
}

async function drain(answer: UpstreamAnswer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let chunk = await answer.read(); chunk !== null; chunk = await answer.read()) parts.push(chunk);
  return Buffer.concat(parts);
}

test('a body in pieces leaves as one, with its length and without a type of its own', async () => {
  const pieces = ['{"model":"mock-model"', `,"a":"${'é'.repeat(200_000)}"`, '}'].map((piece) => new TextEncoder().encode(piece));
  await drain(await sendTo(json(chatCompletion()), { body: pieces[0]!, moreBody: pieces.slice(1) }));
  const { body, head } = provider.seen.at(-1)!;
  expect(body.equals(Buffer.concat(pieces))).toBe(true);
  expect(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]).toBe(String(body.length));
  expect(/\r\ncontent-type: ([^\r]*)/i.exec(head)?.[1]).toBe('application/json');
});

test.each([0, 3_000_000])(
  'the bytes of a request may be freed while a slow provider still reads them (%d in a second piece)',
  async (more) => {
    const bytes = randomBytes(4_000_000);
    const pieces = [bytes.slice(0, bytes.length - more), bytes.slice(bytes.length - more)].map((piece) => new Uint8Array(piece));
    await using slow = await lateReader();
    const url = `http://127.0.0.1:${slow.port}/`;
    const sent = upstream.send(request({ url, body: pieces[0]!, moreBody: more === 0 ? [] : pieces.slice(1) }));
    for (const piece of pieces) piece.buffer.transfer(0);
    const answer = await sent;
    Bun.gc(true);
    const arrived = slow.readOn();
    if (answer.kind !== 'answer') throw new Error(`no answer: ${answer.code}`);
    await drain(answer);
    expect((await arrived).equals(bytes)).toBe(true);
  },
);

const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** Answers each request as soon as its first bytes are there, and reads the rest when it is told to. */
async function lateReader() {
  const { promise: readOn, resolve } = Promise.withResolvers<void>();
  const whole = Promise.withResolvers<Buffer>();
  const answer = async (socket: Socket): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of socket) {
      if (parts.push(part as Buffer) === 1) socket.write(STREAM_HEAD);
      await readOn;
      const all = Buffer.concat(parts);
      const start = all.indexOf('\r\n\r\n') + 4;
      if (all.length - start < Number(/content-length: (\d+)/i.exec(all.subarray(0, start).toString())![1])) continue;
      whole.resolve(all.subarray(start));
      socket.end('0\r\n\r\n');
    }
  };
  const server = createServer((socket) => void answer(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    readOn: () => (resolve(), whole.promise),
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

/** How reading to the end ends. */
async function ending(answer: UpstreamAnswer): Promise<string> {
  try {
    await drain(answer);
    return 'clean';
  } catch (error) {
    return error instanceof UpstreamBroken ? error.kind : String(error);
  }
}

const bytesOf = (behaviour: Behaviour): Buffer => Buffer.concat(behaviour.kind === 'answer' ? behaviour.chunks : []);

describe('answers', () => {
  const stream = chatStream(20, true);
  const rows: readonly [string, Behaviour][] = [
    ['json with a length', chatCompletion()],
    ['json in chunks', chatCompletion('x', { framing: 'chunked' })],
    ['json until the connection closes', chatCompletion('x', { framing: 'close' })],
    ['a stream', stream],
    ['a stream with gaps', chatStream(5, false, { intervalMs: 5 })],
    ['gzip', compressed(stream, 'gzip')],
    ['br', compressed(stream, 'br', { bytes: 7 })],
    ['zstd', compressed(stream, 'zstd')],
    ['an error status', error(429, 'slow down')],
    ['an empty body', json('', { status: 204, framing: 'chunked' })],
  ];
  test.each(rows)('%s arrive as they were sent', async (name, behaviour) => {
    const answer = await sendTo(behaviour);
    expect(answer.status).toBe(behaviour.kind === 'answer' ? behaviour.status : 0);
    const body = await drain(answer);
    if (name !== 'an empty body') expect(body.equals(bytesOf(behaviour))).toBe(true);
    expect(await answer.read()).toBeNull();
  });

  test('the provider sees our bytes and headers and no others', async () => {
    await drain(await sendTo(chatCompletion()));
    const seen = provider.seen[0]!;
    expect(seen.body.toString()).toBe('{"model":"mock-model"}');
    expect(Object.keys(seen.headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
    ]);
    expect(seen.headers['accept-encoding']).toBe('identity');
  });

  test('sequential requests share one connection', async () => {
    const before = provider.connections;
    for (let index = 0; index < 5; index++) await drain(await sendTo(chatCompletion()));
    expect(provider.connections - before).toBeLessThanOrEqual(1);
  });

  test('the proxies of the environment are not obeyed', async () => {
    const child = Bun.spawn({
      cmd: [
        process.execPath,
        '-e',
        `import { httpUpstream } from ${JSON.stringify(`${import.meta.dir}/../../src/upstream/http.ts`)};
         const answer = await httpUpstream().send({ url: ${JSON.stringify(`${provider.baseUrl}/models`)}, method: 'GET', headers: {}, body: null, signal: null, firstByteMs: 5000, idleMs: 5000 });
         console.log(answer.kind, answer.status);`,
      ],
      env: { HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9' },
      stdout: 'pipe',
    });
    expect((await new Response(child.stdout).text()).trim()).toBe('answer 200');
  });
});

describe('failures before the headers', () => {
  const rows: readonly [string, Behaviour, Partial<UpstreamRequest>, Pick<UpstreamFailure, 'kind' | 'mayHaveBilled'>][] = [
    ['reset', { kind: 'reset' }, {}, { kind: 'reset', mayHaveBilled: true }],
    ['garbage', { kind: 'garbage', text: 'nonsense nonsense nonsense\r\n\r\n' }, {}, { kind: 'reset', mayHaveBilled: true }],
    ['silence', { kind: 'silence' }, { firstByteMs: 40 }, { kind: 'timeout', mayHaveBilled: true }],
    ['slow headers', chatCompletion('x', { headDelayMs: 5_000 }), { firstByteMs: 40 }, { kind: 'timeout', mayHaveBilled: true }],
    ['redirect', redirect('http://127.0.0.1:9/'), {}, { kind: 'redirect', mayHaveBilled: false }],
    ['not modified', json({}, { status: 304 }), {}, { kind: 'redirect', mayHaveBilled: false }],
  ];
  test.each(rows)('%s', async (_, behaviour, changes, expected) => {
    provider.behave(behaviour);
    const failure = await upstream.send(request(changes));
    const kinds = expected.kind === 'reset' ? ['reset', 'malformed'] : [expected.kind];
    expect(kinds).toContain(failure.kind);
    expect(failure).toMatchObject({ mayHaveBilled: expected.mayHaveBilled });
    expect(provider.seen).toHaveLength(1);
    // A complete redirect leaves a connection that can be used again.
    if (expected.kind !== 'redirect') await provider.seen[0]!.whenClosed;
  });

  test('a redirect whose body never ends is let go', async () => {
    provider.behave({ ...chatStream(3, false, { status: 302, headers: { location: 'http://127.0.0.1:9/' } }), silentAfter: 1 });
    expect(await upstream.send(request())).toEqual({ kind: 'redirect', code: '302', mayHaveBilled: false });
    await provider.seen[0]!.whenClosed;
  });

  test('a refused connection costs nothing', async () => {
    const gone = await startMockProvider();
    const url = `${gone.baseUrl}/chat/completions`;
    await gone.close();
    expect(await upstream.send(request({ url }))).toEqual({ kind: 'unreachable', code: 'ECONNREFUSED', mayHaveBilled: false });
  });

  test('a POST that meets a closed kept-alive connection is sent once', async () => {
    await drain(await sendTo(chatCompletion()));
    provider.behave({ kind: 'reset' });
    expect(await upstream.send(request())).toMatchObject({ kind: 'reset', mayHaveBilled: true });
    expect(provider.seen).toHaveLength(2);
  });
});

describe('broken bodies are never a clean end', () => {
  const stream = chatStream(10, true);
  const rows: readonly [string, Behaviour, string][] = [
    ['cut before the first chunk', { ...stream, cutAfter: 0 }, 'interrupted'],
    ['cut in the middle', { ...stream, cutAfter: 5 }, 'interrupted'],
    ['cut after the last chunk but before its end', { ...stream, cutAfter: stream.chunks.length }, 'interrupted'],
    ['fewer bytes than content-length', chatCompletion('x', { framing: 'short' }), 'interrupted'],
    ['fewer bytes than content-length of a large body', chatCompletion('x'.repeat(100_000), { framing: 'short' }), 'interrupted'],
    [
      'silence in a small body',
      replay({ status: 200, headers: [], body: new Uint8Array(20) }, { bytes: 10 }, { framing: 'length', silentAfter: 1 }),
      'timeout',
    ],
    ['silence in the middle', { ...stream, silentAfter: 5 }, 'timeout'],
    ['silence after the headers', { ...stream, silentAfter: 0 }, 'timeout'],
  ];
  test.each(rows)('%s', async (_, behaviour, expected) => {
    const answer = await sendTo(behaviour, { idleMs: 60 });
    expect(await ending(answer)).toBe(expected);
    expect(await ending(answer)).toBe(expected);
    await provider.seen[0]!.whenClosed;
  });

  test('gaps shorter than the idle limit are no silence, also in sum', async () => {
    const answer = await sendTo(chatStream(10, false, { intervalMs: 25 }), { idleMs: 200, firstByteMs: 200 });
    expect(await ending(answer)).toBe('clean');
  });

  test('a slow reader is not a silent provider', async () => {
    const answer = await sendTo(chatStream(3, false), { idleMs: 20 });
    expect(await answer.read()).not.toBeNull();
    await Bun.sleep(120);
    expect(await ending(answer)).toBe('clean');
  });
});

describe('aborts close the socket', () => {
  test('before sending nothing is sent', async () => {
    const signal = AbortSignal.abort();
    expect(await upstream.send(request({ signal }))).toEqual({ kind: 'aborted', code: 'not_sent', mayHaveBilled: false });
    expect(provider.seen).toHaveLength(0);
  });

  test('while the headers are awaited', async () => {
    provider.behave({ kind: 'silence' });
    const client = new AbortController();
    const pending = upstream.send(request({ signal: client.signal }));
    await provider.arrived(1);
    client.abort();
    expect(await pending).toMatchObject({ kind: 'aborted', mayHaveBilled: true });
    await provider.seen[0]!.whenClosed;
  });

  const phases: readonly [string, number, boolean][] = [
    ['after the headers, body not read', 0, false],
    ['while the first chunk is awaited', 0, true],
    ['between chunks', 3, false],
    ['while a chunk is awaited', 3, true],
  ];
  for (const by of ['signal', 'abort'] as const) {
    test.each(phases)(`by ${by}: %s`, async (_, reads, waiting) => {
      const client = new AbortController();
      const answer = await sendTo(chatStream(10, false, { silentAfter: reads, intervalMs: 5 }), { signal: client.signal });
      let received = 0;
      while (received < reads)
        received +=
          Buffer.from((await answer.read())!)
            .toString()
            .split('\n\n').length - 1;
      const pending = waiting ? ending(answer) : null;
      if (by === 'signal') client.abort();
      else answer.abort();
      expect(await (pending ?? ending(answer))).toBe('aborted');
      await provider.seen[0]!.whenClosed;
    });
  }

  test('an abort after the end changes nothing and keeps the connection', async () => {
    const client = new AbortController();
    const answer = await sendTo(chatCompletion(), { signal: client.signal });
    await drain(answer);
    client.abort();
    answer.abort();
    expect(await answer.read()).toBeNull();
    expect(provider.seen[0]!.closed).toBe(false);
  });
});

test('300 requests are in flight at once when the process allows it', async () => {
  const child = Bun.spawn({
    cmd: [process.execPath, `${import.meta.dir}/many-fetches.ts`, `${provider.baseUrl}/chat/completions`, '300'],
    env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '2000' },
    stdout: 'pipe',
  });
  const release = provider.hold();
  provider.behave(sse(['data: [DONE]\n\n']));
  await provider.arrived(300);
  release();
  expect((await new Response(child.stdout).text()).trim()).toBe('300');
});
