/** The least that a gateway can do with Elysia: read the body, fetch, return. Argument: the provider's URL. Prints its port. */
import { Elysia } from 'elysia';
import { passThrough } from './pass-through.ts';

const app = new Elysia({ normalize: false, serve: { development: false } })
  .post('/v1/chat/completions', ({ request }) => passThrough(request), { parse: 'none' })
  .listen({ hostname: '127.0.0.1', port: 0, reusePort: false });
console.log(app.server!.port);
