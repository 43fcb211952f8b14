/**
 * The provider of the benchmarks, a process of its own: answers written as cheaply as possible. Arguments: chunks of a stream and
 * milliseconds between them. A body with `"stream":true` is streamed, `/v1/embeddings` is answered with 1 MB, all else with one
 * chat completion. Prints its port.
 */
const [chunks, pauseMs] = [Number(Bun.argv[2] ?? 200), Number(Bun.argv[3] ?? 5)];
/** Streams are served in so many groups, one after the other, so that not all chunks fall into one moment. */
const GROUPS = 5;

const completion = JSON.stringify({
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
const vector = Array.from({ length: 1536 }, (_, at) => Math.sin(at));
const vectors = JSON.stringify({
  object: 'list',
  data: Array.from({ length: 34 }, (_, index) => ({ object: 'embedding', index, embedding: vector })),
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 8, total_tokens: 8 },
});

const head = (type: string, length: string) =>
  [
    'HTTP/1.1 200 OK',
    `content-type: ${type}`,
    'x-request-id: req_bench',
    'openai-processing-ms: 3',
    'openai-version: 2020-10-01',
    'x-ratelimit-limit-requests: 30000',
    'x-ratelimit-remaining-requests: 29999',
    length,
  ].join('\r\n') + '\r\n\r\n';
const whole = (body: string) => Buffer.from(head('application/json', `content-length: ${body.length}`) + body);
const CHAT = whole(completion);
const EMBEDDINGS = whole(vectors);

const event = (fields: object) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_767_225_600, model: 'gpt-4.1-mini-2025-04-14', ...fields })}\n\n`;
const framed = (text: string) => Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`);
const STREAM_HEAD = Buffer.from(head('text/event-stream; charset=utf-8', 'transfer-encoding: chunked'));
const DELTA = framed(event({ choices: [{ index: 0, delta: { content: ' oak' }, finish_reason: null }], usage: null }));
const END = Buffer.concat([
  framed(
    event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null }) +
      event({ choices: [], usage: { prompt_tokens: 24, completion_tokens: chunks, total_tokens: 24 + chunks } }) +
      'data: [DONE]\n\n',
  ),
  Buffer.from('0\r\n\r\n'),
]);

interface Peer {
  /** What has arrived of the request that is not whole, in pieces. */
  pieces: Buffer[];
  have: number;
  /** How long the request is, once its head is whole. */
  need: number;
}
type Socket = Bun.Socket<Peer>;

const groups: Map<Socket, number>[] = Array.from({ length: GROUPS }, () => new Map());
let opened = 0;
let turn = 0;
let timer: ReturnType<typeof setInterval> | null = null;

function stream(socket: Socket): void {
  socket.write(STREAM_HEAD);
  socket.write(DELTA);
  groups[opened++ % GROUPS]!.set(socket, chunks - 1);
  timer ??= setInterval(tick, pauseMs / GROUPS);
}

function tick(): void {
  const group = groups[turn++ % GROUPS]!;
  for (const [socket, left] of group) {
    if (left > 0) {
      socket.write(DELTA);
      group.set(socket, left - 1);
    } else {
      group.delete(socket);
      socket.write(END);
    }
  }
  if (groups.some(({ size }) => size > 0)) return;
  if (timer !== null) clearInterval(timer);
  timer = null;
}

function answer(socket: Socket, request: Buffer): void {
  if (request.indexOf('"stream":true') > 0) stream(socket);
  else socket.write(request.toString('latin1', 5, 19) === '/v1/embeddings' ? EMBEDDINGS : CHAT);
}

const server = Bun.listen<Peer>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.data = { pieces: [], have: 0, need: Number.POSITIVE_INFINITY };
    },
    data(socket, bytes) {
      const { data } = socket;
      data.pieces.push(Buffer.from(bytes));
      data.have += bytes.length;
      if (data.need === Number.POSITIVE_INFINITY) data.need = lengthOf(Buffer.concat(data.pieces));
      if (data.have < data.need) return;
      const request = data.pieces.length === 1 ? data.pieces[0]! : Buffer.concat(data.pieces);
      socket.data = { pieces: [], have: 0, need: Number.POSITIVE_INFINITY };
      answer(socket, request);
    },
    close(socket) {
      for (const group of groups) group.delete(socket);
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
