import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

/** A front that loses count of the bytes, to see that the row sees it: it takes the first length out of what comes on a connection. */
export async function startRelay(upstreamPort: number): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    let isFirst = true;
    client.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      upstream.write(Buffer.from(isFirst ? text.replace(/Content-Length: \d+\r\n/, '') : text, 'latin1'));
      isFirst = false;
    });
    upstream.on('data', (bytes: Buffer) => client.write(bytes));
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      one.on('error', () => undefined);
      one.on('end', () => other.end());
      one.on('close', () => other.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  return (server.address() as AddressInfo).port;
}
