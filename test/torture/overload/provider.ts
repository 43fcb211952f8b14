/** A provider in a process of its own: `bun provider.ts DELAY_MS`. Prints its port; `GET /most` tells the most requests that it had at once. */
import { completion } from '../upstream/kinds.ts';

const delayMs = Number(Bun.argv[2]);
const body = completion('you');
let open = 0;
let most = 0;
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    if (request.method === 'GET') {
      const answer = String(most);
      most = 0;
      return new Response(answer);
    }
    most = Math.max(most, ++open);
    await request.bytes();
    if (delayMs > 0) await Bun.sleep(delayMs);
    open--;
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  },
});
console.log(server.port);
