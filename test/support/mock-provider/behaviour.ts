import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';

/** How the end of a body is shown: by length, by a last chunk, by closing, or by a length that is too large. */
export type Framing = 'length' | 'chunked' | 'close' | 'short';

/** An answer, and what goes wrong with it. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Written one by one. */
  readonly chunks: readonly Uint8Array[];
  readonly framing: Framing;
  /** Milliseconds before the head. */
  readonly headDelayMs: number;
  /** Milliseconds before each chunk. */
  readonly intervalMs: number;
  /** The socket is destroyed after this many chunks; null for never. */
  readonly cutAfter: number | null;
  /** Nothing more is written after this many chunks, and the socket stays open; null for never. */
  readonly silentAfter: number | null;
}

/** What the mock does with a request. */
export type Behaviour =
  | Answer
  /** Destroys the socket before a byte is written. */
  | { readonly kind: 'reset' }
  /** Never answers. */
  | { readonly kind: 'silence' }
  /** Writes this instead of HTTP and closes. */
  | { readonly kind: 'garbage'; readonly text: string };

/** Parts of an answer that a test wants otherwise. */
export type AnswerOptions = Partial<Omit<Answer, 'kind' | 'chunks' | 'headers'>> & { readonly headers?: Readonly<Record<string, string>> };

/** A JSON answer with its length. */
export function json(body: unknown, options: AnswerOptions = {}): Answer {
  return answer([utf8(JSON.stringify(body))], {
    framing: 'length',
    ...options,
    headers: { 'content-type': 'application/json', ...options.headers },
  });
}

/** Server-sent events, one chunk for each; `data: ` and the blank line are added to what has neither. */
export function sse(events: readonly unknown[], options: AnswerOptions = {}): Answer {
  const chunks = events.map((event) => utf8(typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`));
  return answer(chunks, {
    framing: 'chunked',
    ...options,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', ...options.headers },
  });
}

/** Any text as a body. */
export function text(body: string, contentType: string, options: AnswerOptions = {}): Answer {
  return answer([utf8(body)], { framing: 'length', ...options, headers: { 'content-type': contentType, ...options.headers } });
}

/** A redirect to `location`. */
export function redirect(location: string, status = 307): Answer {
  return text('', 'text/plain', { status, headers: { location } });
}

/** An OpenAI-like error. */
export function error(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return json({ error: { message, type: 'mock_error', param: null, code: null } }, { status, headers });
}

/** How a body is split. */
export type Split = 'whole' | 'event' | { readonly bytes: number };

/** A recorded answer. Its own framing headers are replaced by ours. */
export function replay(
  recorded: { readonly status: number; readonly headers: readonly (readonly [string, string])[]; readonly body: Uint8Array },
  split: Split,
  options: AnswerOptions = {},
): Answer {
  const framing = new Set(['transfer-encoding', 'content-length', 'connection', 'keep-alive']);
  const kept = recorded.headers.filter(([name]) => !framing.has(name.toLowerCase()));
  const made = answer(splitBody(recorded.body, split), { framing: 'chunked', status: recorded.status, ...options });
  return { ...made, headers: [...kept, ...made.headers] };
}

/** The same answer with a compressed body: one chunk, or split again. */
export function compressed(plain: Answer, encoding: 'gzip' | 'br' | 'zstd', split: Split = 'whole'): Answer {
  const body = Buffer.concat(plain.chunks);
  const packed = encoding === 'gzip' ? gzipSync(body) : encoding === 'br' ? brotliCompressSync(body) : zstdCompressSync(body);
  const headers = plain.headers.filter(([name]) => name.toLowerCase() !== 'content-encoding');
  return { ...plain, chunks: splitBody(packed, split), headers: [...headers, ['content-encoding', encoding]] };
}

/** Splits a body: whole, after each blank line, or every `bytes` bytes. */
export function splitBody(body: Uint8Array, split: Split): Uint8Array[] {
  if (split === 'whole') return body.length === 0 ? [] : [body];
  const parts: Uint8Array[] = [];
  let from = 0;
  while (from < body.length) {
    const to = split === 'event' ? endOfEvent(body, from) : Math.min(from + split.bytes, body.length);
    parts.push(body.subarray(from, to));
    from = to;
  }
  return parts;
}

function endOfEvent(body: Uint8Array, from: number): number {
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const ends = ['\n\n', '\r\n\r\n'].map((mark) => ({ at: view.indexOf(mark, from), mark })).filter(({ at }) => at >= 0);
  return ends.length === 0 ? body.length : Math.min(...ends.map(({ at, mark }) => at + mark.length));
}

function answer(chunks: readonly Uint8Array[], options: AnswerOptions): Answer {
  const { headers = {}, ...rest } = options;
  return {
    kind: 'answer',
    status: 200,
    framing: 'chunked',
    headDelayMs: 0,
    intervalMs: 0,
    cutAfter: null,
    silentAfter: null,
    ...rest,
    headers: Object.entries(headers),
    chunks,
  };
}

function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
