/** How long reading, editing and inspecting take. Prints figures and asserts nothing: run it with `bun test/bench/wire.bench.ts`. */
import { readAnswer } from '../../src/wire/answer.ts';
import { editBody } from '../../src/wire/edit.ts';
import { JsonBody, parseBody } from '../../src/wire/json.ts';
import { makeStreamReader } from '../../src/wire/stream.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

function measure(name: string, rounds: number, run: () => unknown): void {
  for (let round = 0; round < rounds / 4; round++) run();
  let best = Infinity;
  for (let repeat = 0; repeat < 5; repeat++) {
    const start = Bun.nanoseconds();
    for (let round = 0; round < rounds; round++) run();
    best = Math.min(best, (Bun.nanoseconds() - start) / rounds);
  }
  console.log(`${name.padEnd(52)} ${(best / 1000).toFixed(2).padStart(10)} µs`);
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

const prose = 'It was a bright cold day in April, and "the clocks" were striking thirteen.\n';
const chat = (content: string) => ({
  model: 'gpt-4.1-mini',
  messages: [
    { role: 'system', content: 'You answer in one sentence.' },
    { role: 'user', content },
  ],
  stream: true,
  temperature: 0.2,
});
const tool = (index: number) => ({
  type: 'function',
  function: {
    name: `tool_${index}`,
    description: 'Looks something up in a table of things.',
    parameters: {
      type: 'object',
      properties: { query: { type: 'string', description: 'What to look for' }, limit: { type: 'integer', minimum: 1 } },
      required: ['query'],
      additionalProperties: false,
    },
  },
});

const bodies: readonly [string, unknown, number][] = [
  ['body 200 bytes', chat('What is the capital of France, and why?'), 50_000],
  ['body 3 kB chat', chat(prose.repeat(37)), 20_000],
  ['body 100 kB prose with escapes', chat(prose.repeat(1250)), 500],
  ['body 100 kB plain text', chat('lorem ipsum dolor '.repeat(5600)), 500],
  ['body 1 MB plain text', chat('lorem ipsum dolor '.repeat(56_000)), 60],
  ['body 100 kB of 300 tools', { ...chat('hi'), tools: Array.from({ length: 300 }, (_, index) => tool(index)) }, 300],
  [
    'body 20 kB agent: 200 short messages',
    { ...chat(''), messages: Array.from({ length: 200 }, () => ({ role: 'user', content: 'go on, what then? tell me the next step' })) },
    2000,
  ],
  ['body 50,000 token ids', { model: 'text-embedding-3-small', input: Array.from({ length: 50_000 }, (_, index) => index) }, 100],
];

for (const [name, value, rounds] of bodies) {
  const bytes = bytesOf(value);
  measure(`${name}: decode + JSON.parse`, rounds, () => JSON.parse(decoder.decode(bytes)));
  measure(`${name}: parseBody`, rounds, () => parseBody(bytes));
  const body = parseBody(bytes);
  if (body instanceof JsonBody && name.includes('200 bytes')) {
    const edits = [
      { path: ['stream_options', 'include_usage'], json: 'true' },
      { path: ['max_completion_tokens'], json: '1024' },
    ];
    measure(`${name}: parseBody + editBody`, rounds, () => editBody(parseBody(bytes) as JsonBody, edits));
  }
}

const embeddings = {
  object: 'list',
  data: Array.from({ length: 32 }, (_, index) => ({
    object: 'embedding',
    index,
    embedding: Array.from({ length: 1536 }, (_, at) => Math.sin(at + index)),
  })),
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 400, total_tokens: 400 },
};
const answer = bytesOf(embeddings);
measure(`answer ${answer.length >> 10} kB embeddings: JSON.parse`, 50, () => JSON.parse(decoder.decode(answer)));
measure(`answer ${answer.length >> 10} kB embeddings: readAnswer`, 2000, () => readAnswer('embeddings', answer));
measure(`answer ${answer.length >> 10} kB embeddings: a copy`, 500, () => answer.slice());

const chunk = (content: string, extra = '') =>
  new TextEncoder().encode(
    `data: {"id":"chatcmpl-Ab12Cd34Ef56Gh78Ij90","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4.1-mini","choices":[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]${extra}}\n\n`,
  );
const plain = chunk(' hello');
const withNull = chunk(' hello', ',"usage":null');
const delta = new TextEncoder().encode(
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_0123456789abcdef","output_index":0,"content_index":0,"delta":" hello","logprobs":[],"obfuscation":"aB3dE"}\n\n',
);
const reading = makeStreamReader('chat', { stripUsage: 'none' });
measure(`chunk of ${plain.length} bytes, one event: read`, 100_000, () => reading.push(plain));
const responses = makeStreamReader('responses', { stripUsage: 'none' });
measure(`chunk of ${delta.length} bytes, one Responses event: read`, 100_000, () => responses.push(delta));
const stripping = makeStreamReader('chat', { stripUsage: 'injected' });
measure(`chunk of ${plain.length} bytes, nothing to strip`, 100_000, () => stripping.push(plain));
measure(`chunk of ${withNull.length} bytes, usage null stripped`, 100_000, () => stripping.push(withNull));
const halves = [plain.subarray(0, 90), plain.subarray(90)] as const;
measure('the same event in two halves: read', 100_000, () => {
  reading.push(halves[0]);
  reading.push(halves[1]);
});
const eight = Buffer.concat(Array.from({ length: 8 }, () => plain));
measure('eight events in one chunk: read, all', 20_000, () => reading.push(eight));
