const url = `${Bun.argv[2]}/v1/chat/completions`;

/** Reads the body, fetches, returns what came. */
export async function passThrough(request: Request): Promise<Response> {
  const body = await request.bytes();
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
    body,
    decompress: false,
    redirect: 'manual',
  });
}
