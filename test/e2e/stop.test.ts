import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { eventually, OPEN_POLICY, runPanicly, startPanicly, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { readAll } from '../support/read-all.ts';
import { chatEnd, chatEvent, startSteppingProvider, type Step, type SteppingProvider } from '../support/stepping-provider.ts';

/** SIGTERM: new requests are refused, open ones finish or are cut at the deadline, and the ledger is whole. */

let server: Panicly;
let mock: MockProvider;
let stepping: SteppingProvider;

beforeAll(async () => {
  [stepping, mock] = await Promise.all([startSteppingProvider(), startMockProvider()]);
});
afterAll(async () => {
  await Promise.all([stepping.close(), mock.close()]);
});
afterEach(() => server.kill());

async function serveWith(config?: string): Promise<void> {
  server = await startPanicly(config === undefined ? {} : { config });
  await server.connect(stepping, { name: 'stepping', models: ['step'] });
  await server.connect(mock);
  await server.policy(OPEN_POLICY);
}

const chat = (model: string, stream = true) => ({ model, messages: [{ role: 'user', content: 'Hi' }], stream });

/** Streams that have begun. */
async function begin(count: number): Promise<{ steps: Step[]; responses: Response[] }> {
  const pending = Array.from({ length: count }, () => server.post('/v1/chat/completions', server.liveKey, chat('step')));
  const steps = await Promise.all(pending.map(() => stepping.next()));
  for (const step of steps) step.send(chatEvent('one'));
  return { steps, responses: await Promise.all(pending) };
}

/** The process has seen the signal. */
async function stopping(): Promise<void> {
  await eventually('it is stopping', async () => server.stderr().includes('"stopping"'));
}

describe('with time enough', () => {
  beforeEach(() => serveWith());

  test('new requests get 503 shutting_down, streams finish, everything is settled, exit code 0', async () => {
    const { steps, responses } = await begin(3);
    server.signal('SIGTERM');
    await stopping();
    const refused = await server.post('/v1/chat/completions', server.liveKey, chat('any', false));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('x-should-retry')).toBe('true');
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(((await refused.json()) as { error: object }).error).toMatchObject({ type: 'unavailable', code: 'shutting_down' });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    for (const step of steps) step.send(chatEvent('two') + chatEnd(5, 2));
    for (const step of steps) step.end();
    const texts = await Promise.all(responses.map((response) => response.text()));
    expect(texts).toEqual(texts.map(() => chatEvent('one') + chatEvent('two') + chatEnd(5, 2, false)));
    expect(await server.exited()).toBe(0);
    expect(
      server
        .stderr()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event),
    ).toEqual(['stopping', 'stopped']);
    await server.start();
    const rows = await server.decisions();
    expect(rows.map(({ settlement }) => settlement?.outcome)).toEqual(['completed', 'completed', 'completed']);
    expect(rows.map(({ settlement }) => settlement?.output_tokens)).toEqual([2, 2, 2]);
    expect(mock.seen).toEqual([]);
  });

  test('a body that is still on its way is refused and never sent', async () => {
    const { steps, responses } = await begin(1);
    const body = JSON.stringify(chat('late', false));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.liveKey}\r\n`);
    socket.write(`content-type: application/json\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
    await eventually('the body is being received', async () => (await server.metric('panicly_request_bodies_bytes')) >= body.length);
    server.signal('SIGTERM');
    await stopping();
    socket.write(body.slice(10));
    let answer = '';
    for await (const bytes of socket as AsyncIterable<Buffer>) answer += bytes.toString();
    expect(answer).toStartWith('HTTP/1.1 503 ');
    expect(answer).toContain('shutting_down');
    steps[0]!.send(chatEnd(1, 1));
    steps[0]!.end();
    await responses[0]!.text();
    expect(await server.exited()).toBe(0);
    expect(mock.seen.filter(({ body: sent }) => sent.includes('late'))).toEqual([]);
  });

  test('nothing in flight: it ends at once, and an idle connection does not hold it', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    expect(await server.stop()).toBe(0);
    socket.destroy();
    const verified = await runPanicly(['ledger', 'verify', '--data', server.dataDir, '--json']);
    expect([verified.code, JSON.parse(verified.stdout)]).toEqual([0, expect.objectContaining({ ok: true })]);
  });
});

describe('at the deadline', () => {
  beforeEach(() => serveWith('[server]\nshutdown_seconds = 1\n'));

  test('streams are cut with an error event and then break; answers that have not begun get 503', async () => {
    const { steps, responses } = await begin(2);
    const before = mock.seen.length;
    const waiting = server.post('/v1/chat/completions', server.liveKey, chat('mock-silence', false));
    await mock.arrived(before + 1);
    server.signal('SIGTERM');
    const cut = await Promise.all(responses.map(readAll));
    for (const { text, broken } of cut) {
      expect(text).toStartWith(chatEvent('one'));
      const event = JSON.parse(text.trimEnd().split('\n\n').at(-1)!.slice('data: '.length)) as { error: object };
      expect(event.error).toMatchObject({ type: 'unavailable', code: 'shutting_down' });
      expect(text).not.toContain('[DONE]');
      expect(broken).toBe(true);
    }
    expect((await waiting).status).toBe(503);
    await Promise.all(steps.map(({ closed }) => closed));
    expect(await server.exited()).toBe(0);
    await server.start();
    const rows = await server.decisions();
    expect(rows.map(({ settlement }) => settlement?.outcome)).toEqual(['cut_shutdown', 'cut_shutdown', 'cut_shutdown']);
  });

  test('a Responses stream is told in its own words', async () => {
    const pending = server.post('/v1/responses', server.liveKey, { model: 'step', input: 'Hi', stream: true });
    const step = await stepping.next();
    step.send('event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1"}}\n\n');
    const response = await pending;
    server.signal('SIGTERM');
    const { text, broken } = await readAll(response);
    const [name, data] = text.trimEnd().split('\n\n').at(-1)!.split('\n');
    expect(name).toBe('event: error');
    expect(JSON.parse(data!.slice('data: '.length))).toMatchObject({ type: 'error', code: 'shutting_down' });
    expect(broken).toBe(true);
    expect(await server.exited()).toBe(0);
  });
});

test('a second signal ends it at once, and what was open is unknown afterwards', async () => {
  await serveWith();
  const { responses } = await begin(1);
  server.signal('SIGTERM');
  await stopping();
  server.signal('SIGTERM');
  expect(await server.exited()).toBe(1);
  expect((await readAll(responses[0]!)).broken).toBe(true);
  await server.start();
  const [row] = await server.decisions();
  expect(row!.settlement).toMatchObject({ outcome: 'unknown', basis: 'held', cost_usd: row!.hold_usd });
});
