import { chatCompletion, chatStream, embeddingList } from './completion.ts';
import { compressed, error, json, redirect, text, type Answer, type Behaviour } from './behaviour.ts';
import type { RawRequest } from './http-parser.ts';

interface AskedBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly input?: unknown;
}

type Change = (answer: Answer) => Behaviour;

/** Models of the mock, each with what it does to an ordinary answer. Any other model is answered normally. */
const BY_MODEL: Readonly<Record<string, Change>> = {
  'mock-cut': (answer) => ({
    ...answer,
    framing: 'chunked',
    cutAfter: Math.ceil(answer.chunks.length / 2) - (answer.chunks.length === 1 ? 1 : 0),
  }),
  'mock-reset': () => ({ kind: 'reset' }),
  'mock-silence': () => ({ kind: 'silence' }),
  'mock-stall': (answer) => ({ ...answer, silentAfter: Math.ceil(answer.chunks.length / 2) }),
  'mock-garbage': () => ({ kind: 'garbage', text: 'this is not HTTP\r\n\r\n' }),
  'mock-short': (answer) => ({ ...answer, framing: 'short' }),
  'mock-slow-headers': (answer) => ({ ...answer, headDelayMs: 300 }),
  'mock-slow-stream': (answer) => ({ ...answer, intervalMs: 20 }),
  'mock-gzip': (answer) => compressed(answer, 'gzip'),
  'mock-br': (answer) => compressed(answer, 'br'),
  'mock-zstd': (answer) => compressed(answer, 'zstd'),
  'mock-redirect': () => redirect('http://127.0.0.1:9/elsewhere'),
  'mock-401': () => error(401, 'Incorrect API key provided'),
  'mock-429': () => error(429, 'Rate limit reached', { 'retry-after': '1' }),
  'mock-500-html': () => text('<html><body>Internal Server Error</body></html>', 'text/html', { status: 500 }),
  'mock-empty-error': () => text('', 'application/json', { status: 503 }),
};

/** What the mock does when a test says nothing else: the model's name decides. */
export function behaviourByModel(request: RawRequest): Behaviour {
  if (request.method === 'GET')
    return json({ object: 'list', data: [{ id: 'mock-model', object: 'model', created: 1, owned_by: 'mock' }] });
  const body = bodyOf(request);
  const change = BY_MODEL[body.model ?? ''];
  const ordinary = ordinaryAnswer(request, body);
  return change === undefined ? ordinary : change(ordinary);
}

function ordinaryAnswer(request: RawRequest, body: AskedBody): Answer {
  if (request.path.endsWith('/embeddings')) return embeddingList(Array.isArray(body.input) ? body.input.length : 1);
  if (body.stream === true) return chatStream(10, body.stream_options?.include_usage === true);
  return chatCompletion();
}

function bodyOf(request: RawRequest): AskedBody {
  try {
    return JSON.parse(request.body.toString('utf8')) as AskedBody;
  } catch {
    return {};
  }
}
