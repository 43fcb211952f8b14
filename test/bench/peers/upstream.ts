/**
 * The provider of the benchmarks, a process of its own: one chat completion, written as cheaply as possible.
 * Prints its port.
 */
const body = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_767_225_600,
  model: 'gpt-4.1-mini-2025-04-14',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'An oak is a tree.', refusal: null }, logprobs: null, finish_reason: 'stop' },
  ],
  usage: {
    prompt_tokens: 24,
    completion_tokens: 6,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  },
  service_tier: 'default',
  system_fingerprint: 'fp_bench',
});
const head = [
  'HTTP/1.1 200 OK',
  'content-type: application/json',
  'x-request-id: req_bench',
  'openai-processing-ms: 3',
  'openai-version: 2020-10-01',
  'x-ratelimit-limit-requests: 30000',
  'x-ratelimit-remaining-requests: 29999',
  `content-length: ${body.length}`,
];
const answer = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);

interface Peer {
  /** What has arrived of the request that is not whole. */
  rest: Buffer;
}

const server = Bun.listen<Peer>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.data = { rest: Buffer.alloc(0) };
    },
    data(socket, bytes) {
      let rest = socket.data.rest.length === 0 ? bytes : Buffer.concat([socket.data.rest, bytes]);
      for (let length = lengthOf(rest); length <= rest.length; length = lengthOf(rest)) {
        socket.write(answer);
        rest = rest.subarray(length);
        if (rest.length === 0) break;
      }
      socket.data.rest = Buffer.from(rest);
    },
  },
});

/** Bytes of the request at the beginning, head included; Infinity when the head is not whole. */
function lengthOf(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return Number.POSITIVE_INFINITY;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1] ?? '0';
  return end + 4 + Number(length);
}

console.log(server.port);
