/** The least that a gateway can do with Elysia: read the body, fetch, return. Argument: the provider's URL. Prints its port. */
import { Elysia } from 'elysia';
import { CHAT, EMBEDDINGS, passTo } from './pass-through.ts';

const chat = passTo(CHAT);
const embeddings = passTo(EMBEDDINGS);
const app = new Elysia({ normalize: false, serve: { development: false, idleTimeout: 120 } })
  .post(CHAT, ({ request }) => chat(request), { parse: 'none' })
  .post(EMBEDDINGS, ({ request }) => embeddings(request), { parse: 'none' })
  .listen({ hostname: '127.0.0.1', port: 0, reusePort: false });
console.log(app.server!.port);
