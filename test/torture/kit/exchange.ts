import { connect, type Socket } from 'node:net';
import { AnswerParser } from './answer-parser.ts';

/** How an answer ended: whole, broken off, or before it had begun. */
export type End = 'complete' | 'broken' | 'nothing';

/** What a client got on one connection. Times in milliseconds of `performance.now()`. */
export interface Got {
  /** 0 when no head came. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly end: End;
  readonly tookMs: number;
  /** The code of the error of the socket, or null. */
  readonly errorCode: string | null;
}

/** A request as bytes. */
export interface Wanted {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One request on a socket of its own, so that how it ends is seen exactly. */
export class Exchange {
  readonly parser: AnswerParser;
  /** Resolves when something of the body is here, or when all is over. */
  readonly started: Promise<void>;
  readonly done: Promise<Got>;
  readonly fromMs = performance.now();
  readonly #socket: Socket;

  constructor(wanted: Wanted) {
    const started = Promise.withResolvers<void>();
    const done = Promise.withResolvers<Got>();
    let errorCode: string | null = null;
    this.started = started.promise;
    this.done = done.promise;
    this.parser = new AnswerParser(wanted.method ?? 'POST');
    this.#socket = connect(wanted.port, '127.0.0.1');
    const over = (): void => {
      started.resolve();
      done.resolve(this.#got(errorCode));
      this.#socket.destroy();
    };
    this.#socket.on('error', (error: NodeJS.ErrnoException) => (errorCode = error.code ?? error.message));
    this.#socket.on('close', over);
    this.#socket.on('end', over);
    this.#socket.on('data', (bytes: Buffer) => {
      this.parser.push(bytes);
      if (this.parser.bodyBytes > 0) started.resolve();
      if (this.parser.isWhole) over();
    });
    this.#socket.write(bytesOf(wanted));
  }

  /** Closes the connection in order. */
  abort(): void {
    this.#socket.destroy();
  }

  /** Closes it with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #got(errorCode: string | null): Got {
    const { status, headers, isWhole, hasHead } = this.parser;
    const end: End = isWhole ? 'complete' : hasHead ? 'broken' : 'nothing';
    return { status, headers, body: this.parser.body, end, tookMs: performance.now() - this.fromMs, errorCode };
  }
}

/** Sends one request and waits for its end. */
export function exchange(wanted: Wanted): Promise<Got> {
  return new Exchange(wanted).done;
}

function bytesOf({ path = '/v1/chat/completions', method = 'POST', key, headers = {}, body = '' }: Wanted): Buffer {
  const bytes = Buffer.from(body as string);
  const all: Record<string, string> = {
    host: 'localhost',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`), bytes]);
}
