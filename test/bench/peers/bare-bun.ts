/** The least that a gateway can do without a framework. Argument: the provider's URL. Prints its port. */
import { CHAT, EMBEDDINGS, passTo } from './pass-through.ts';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  idleTimeout: 120,
  routes: { [CHAT]: { POST: passTo(CHAT) }, [EMBEDDINGS]: { POST: passTo(EMBEDDINGS) } },
});
console.log(server.port);
