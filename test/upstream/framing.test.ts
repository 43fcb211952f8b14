import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'bun:test';
import { httpUpstream } from '../../src/upstream/http.ts';

test('a length beside chunks says nothing: such a body is not read without a limit', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n';
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(`${head}7\r\n{"a":1}\r\n0\r\n\r\n`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream = httpUpstream();
  const answer = await upstream.send({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    method: 'POST',
    headers: {},
    body: new TextEncoder().encode('{}'),
    signal: null,
    firstByteMs: 30_000,
    idleMs: 30_000,
  });
  if (answer.kind !== 'answer') throw new Error(`no answer: ${answer.kind}`);
  expect(answer.whole?.()).toBeNull();
  expect(new TextDecoder().decode((await answer.read()) ?? undefined)).toBe('{"a":1}');
  answer.abort();
  upstream.close();
  server.close();
});
