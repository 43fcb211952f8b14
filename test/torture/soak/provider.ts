/** A provider of short streams in a process of its own, as cheap as can be: `bun provider.ts`. Prints its port. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { RequestParser } from '../../support/mock-provider/http-parser.ts';
import { events } from '../upstream/kinds.ts';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const [first = '', ...rest] = events('you');
const begin = HEAD + chunk(first);
const end = `${rest.map(chunk).join('')}0\r\n\r\n`;

const server = createServer((socket) => {
  const parser = new RequestParser();
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    for (const _request of parser.push(bytes)) {
      socket.write(begin);
      setImmediate(() => socket.write(end));
    }
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
console.log((server.address() as AddressInfo).port);
