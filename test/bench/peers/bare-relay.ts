/**
 * The least that a gateway can do which sees the chunks of a stream: each goes through JavaScript once, unread. What is measured of it is
 * the floor for whoever reads usage out of a stream. Argument: the provider's URL. Prints its port.
 */
import { CHAT, passTo } from './pass-through.ts';

const pass = passTo(CHAT);

function relayed(answer: Response): Response {
  const reader = answer.body!.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: answer.status, headers: answer.headers });
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  idleTimeout: 120,
  routes: {
    [CHAT]: {
      POST: async (request) => {
        const answer = await pass(request);
        return answer.headers.get('content-type')?.startsWith('text/event-stream') ? relayed(answer) : answer;
      },
    },
  },
});
console.log(server.port);
