import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually, OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';

/** More than the 256 requests at once that the runtime allows by itself. */
const REQUESTS = 300;

let server: Panicly;
let mock: MockProvider;

beforeAll(async () => {
  [server, mock] = await Promise.all([startPanicly(), startMockProvider()]);
  await server.connect(mock);
  await server.policy(OPEN_POLICY);
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close()]);
});

/** What a busy machine may answer to some of them: nothing was sent, and clients try again. */
const BUSY = 'HTTP/1.1 503 Service Unavailable';

/** Resolves to the status line of the first answer that is not for trying again. */
async function send(index: number): Promise<string> {
  for (;;) {
    const status = await sendOnce(index);
    if (status !== BUSY) return status;
  }
}

/** A request over a socket of its own: this process may not have more than 256 fetches either. */
async function sendOnce(index: number): Promise<string> {
  const body = JSON.stringify({ model: 'any', messages: [{ role: 'user', content: `request ${index}` }] });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.liveKey}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  let answer = '';
  for await (const bytes of socket as AsyncIterable<Buffer>) answer += bytes.toString();
  return answer.slice(0, answer.indexOf('\r\n'));
}

test(`${REQUESTS} requests that the provider holds all arrive there, and all are answered`, async () => {
  const release = mock.hold();
  const answers = Array.from({ length: REQUESTS }, (_, index) => send(index));
  await mock.arrived(REQUESTS);
  expect(await server.metric('panicly_requests_in_flight')).toBe(REQUESTS);
  expect(new Set(mock.seen.map(({ body }) => /request \d+/.exec(body.toString())![0])).size).toBe(REQUESTS);
  release();
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']));
  const rows = await eventually('all are settled', async () => {
    const all = await server.decisions();
    return all.every(({ settlement }) => settlement !== null) && all;
  });
  expect(rows.filter(({ settlement }) => settlement!.outcome === 'completed')).toHaveLength(REQUESTS);
  expect(new Set(rows.map(({ settlement }) => settlement!.outcome)).isSubsetOf(new Set(['completed', 'not_sent']))).toBe(true);
});
