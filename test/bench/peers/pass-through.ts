const base = Bun.argv[2];

/** A handler that reads the body, sends it to this path of the provider, and returns what comes as it comes. */
export function passTo(path: string): (request: Request) => Promise<Response> {
  const url = `${base}${path}`;
  return async (request) => {
    const body = await request.bytes();
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
      body,
      decompress: false,
      redirect: 'manual',
    });
    const streams = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    return streams ? new Response(answer.body, { status: answer.status, headers: answer.headers }) : answer;
  };
}

export const CHAT = '/v1/chat/completions';
export const EMBEDDINGS = '/v1/embeddings';
