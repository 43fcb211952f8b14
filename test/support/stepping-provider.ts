import type { Server } from 'bun';

/** One request at a stepping provider: the test says when each part of the answer leaves. */
export interface Step {
  readonly request: Request;
  /** Sends bytes now. */
  send(text: string): void;
  /** Ends the answer cleanly. */
  end(): void;
  /** Resolves when the caller closed the connection. */
  readonly closed: Promise<void>;
}

/** A provider on this machine whose streams go forward only when a test says so. */
export interface SteppingProvider {
  readonly baseUrl: string;
  /** The next request that arrives, or one that is waiting; its headers and status 200 have left already. */
  next(): Promise<Step>;
  close(): Promise<void>;
}

/** A chunk of a chat stream as an event. */
export function chatEvent(content: string, finish: string | null = null): string {
  const choice = { index: 0, delta: finish === null ? { content } : {}, finish_reason: finish };
  return `data: ${JSON.stringify({ id: 'chatcmpl-step', object: 'chat.completion.chunk', created: 1, model: 'step', choices: [choice] })}\n\n`;
}

/** The end of a chat stream: the last choice, the usage when it was asked for, and the terminal event. */
export function chatEnd(inputTokens: number, outputTokens: number, withUsage = true): string {
  const usage = { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
  const head = { id: 'chatcmpl-step', object: 'chat.completion.chunk', created: 1, model: 'step' };
  return `${chatEvent('', 'stop')}${withUsage ? `data: ${JSON.stringify({ ...head, choices: [], usage })}\n\n` : ''}data: [DONE]\n\n`;
}

/** Starts a stepping provider on 127.0.0.1. */
export function startSteppingProvider(): SteppingProvider {
  const arrived: Step[] = [];
  const waiting: ((step: Step) => void)[] = [];
  const server: Server<undefined> = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      await request.clone().bytes();
      const { step, response } = makeStep(request);
      const next = waiting.shift();
      if (next) next(step);
      else arrived.push(step);
      return response;
    },
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    next() {
      const step = arrived.shift();
      return step ? Promise.resolve(step) : new Promise((resolve) => waiting.push(resolve));
    },
    close: () => server.stop(true),
  };
}

function makeStep(request: Request): { step: Step; response: Response } {
  const closed = Promise.withResolvers<void>();
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened;
    },
    cancel: () => closed.resolve(),
  });
  request.signal.addEventListener('abort', () => closed.resolve(), { once: true });
  const step: Step = {
    request,
    send: (text) => controller?.enqueue(encoder.encode(text)),
    end: () => controller?.close(),
    closed: closed.promise,
  };
  return { step, response: new Response(body, { headers: { 'content-type': 'text/event-stream' } }) };
}
