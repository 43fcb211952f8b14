import { withSignal } from '../../src/upstream/stoppable.ts';
import {
  UpstreamBroken,
  type BreakKind,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamFailure,
  type UpstreamRequest,
} from '../../src/upstream/upstream.ts';

type Reply = UpstreamAnswer | UpstreamFailure;

/** A provider made of values: it records what arrives and answers what a test says. */
export class FakeUpstream implements Upstream {
  readonly arrived: UpstreamRequest[] = [];
  /** What to answer. */
  reply: (request: UpstreamRequest) => Reply | Promise<Reply> = () => jsonAnswer(200, completion());
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  async send(asked: UpstreamRequest): Promise<Reply> {
    const request = withSignal(inOnePiece(asked));
    // As the real one does: what was stopped before is not sent.
    if (request.signal?.aborted) return { kind: 'aborted', code: 'not_sent', mayHaveBilled: false };
    this.arrived.push(request);
    for (const waiter of this.#waiters) if (this.arrived.length >= waiter.count) waiter.resolve();
    return this.reply(request);
  }

  close(): void {}

  /** Resolves when `count` requests have arrived in all. */
  async arrivals(count: number): Promise<void> {
    if (this.arrived.length >= count) return;
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
  }

  /** The body of the request number `index` as JSON. */
  body(index: number): Record<string, unknown> {
    return JSON.parse(new TextDecoder().decode(this.arrived[index]!.body!)) as Record<string, unknown>;
  }
}

/** A copy, as the real one makes it: the body is freed when its request has been answered. */
function inOnePiece(asked: UpstreamRequest): UpstreamRequest {
  const { body, moreBody = [] } = asked;
  return body === null ? asked : { ...asked, body: Buffer.concat([body, ...moreBody]), moreBody: [] };
}

/** An answer whose bytes come when a test says so. */
export class FakeAnswer implements UpstreamAnswer {
  readonly kind = 'answer';
  readonly headers: Headers;
  aborted = false;
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #ended = false;
  #broken: UpstreamBroken | null = null;
  #wake: (() => void) | null = null;

  constructor(
    readonly status: number,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | null = null,
  ) {
    this.headers = new Headers(headers);
    signal?.addEventListener('abort', () => this.abort());
  }

  push(...texts: readonly (string | Uint8Array)[]): this {
    for (const text of texts)
      this.#chunks.push((typeof text === 'string' ? new TextEncoder().encode(text) : text) as Uint8Array<ArrayBuffer>);
    this.#wake?.();
    return this;
  }

  /** The clean end. */
  finish(): this {
    this.#ended = true;
    this.#wake?.();
    return this;
  }

  breakOff(kind: BreakKind = 'interrupted'): this {
    this.#broken ??= new UpstreamBroken(kind, 'test');
    this.#wake?.();
    return this;
  }

  abort(): void {
    this.aborted = true;
    this.breakOff('aborted');
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      if (this.#broken?.kind === 'aborted') throw this.#broken;
      const chunk = this.#chunks.shift();
      if (chunk) return chunk;
      if (this.#broken) throw this.#broken;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** A whole JSON answer. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): FakeAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = new FakeAnswer(status, { 'content-type': 'application/json', ...headers });
  return (text === '' ? answer : answer.push(text)).finish();
}

/** A stream that waits for its chunks. */
export function streamAnswer(request: UpstreamRequest | null = null, headers: Readonly<Record<string, string>> = {}): FakeAnswer {
  return new FakeAnswer(200, { 'content-type': 'text/event-stream', ...headers }, request?.signal ?? null);
}

/** A chat completion with usage: 10 tokens in, 5 out. */
export function completion(change: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'gpt-4.1-mini',
    choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
    usage: USAGE,
    ...change,
  };
}

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

const event = (data: object): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', ...data })}\n\n`;

/** The events of a streamed chat. */
export const EVENTS = {
  word: event({ choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }] }),
  stop: event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  usage: event({ choices: [], usage: USAGE }),
  done: 'data: [DONE]\n\n',
} as const;
