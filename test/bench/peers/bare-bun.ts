/** The same without Elysia. Argument: the provider's URL. Prints its port. */
import { passThrough } from './pass-through.ts';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  routes: { '/v1/chat/completions': { POST: passThrough } },
});
console.log(server.port);
