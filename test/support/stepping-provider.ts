import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { RequestParser, type RawRequest } from './mock-provider/http-parser.ts';

/** One request at a stepping provider: the test says when each part of the answer leaves. */
export interface Step {
  readonly request: RawRequest;
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
export async function startSteppingProvider(): Promise<SteppingProvider> {
  const arrived: Step[] = [];
  const waiting: ((step: Step) => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const parser = new RequestParser();
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      for (const request of parser.push(bytes)) {
        const step = makeStep(socket, request);
        const next = waiting.shift();
        if (next) next(step);
        else arrived.push(step);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    next() {
      const step = arrived.shift();
      return step ? Promise.resolve(step) : new Promise((resolve) => waiting.push(resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers at once with the head; the parts follow as the test says. */
function makeStep(socket: Socket, request: RawRequest): Step {
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    request,
    closed,
    send(text) {
      const bytes = Buffer.from(text);
      socket.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]));
    },
    end: () => void socket.write('0\r\n\r\n'),
  };
}
