import { errorCode, failureOf } from './failures.ts';
import {
  UpstreamBroken,
  type BreakKind,
  type Stoppable,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamFailure,
  type UpstreamRequest,
} from './upstream.ts';
import { Watchdogs, type Watchdog, type Watched } from './watchdog.ts';

/**
 * Idle sockets are closed after this many seconds (Bun's timer adds up to 8). Measured: a POST that meets a socket which
 * the provider closes in that moment fails with ECONNRESET (9 of 1,138 sent within 1.5 ms around the close), Bun does not
 * say that the socket was a reused one, and nothing proves that the request was not worked on, so it is never sent again.
 * Being the first to close is the cure: load balancers close after 60 s (AWS), 75 s (nginx) and more.
 */
const IDLE_SOCKET_SECONDS = 20;

export interface HttpOptions {
  /** The proxy for every request, or null: the proxy variables of the environment are never obeyed. */
  readonly proxy?: string | null;
  /** The grain of the watchdogs in milliseconds: 250 when absent. */
  readonly tickMs?: number;
}

/** Providers over HTTP. The only place that calls `fetch`. */
export function httpUpstream(options: HttpOptions = {}): Upstream {
  return new HttpUpstream(options.proxy ?? null, new Watchdogs(options.tickMs));
}

class HttpUpstream implements Upstream {
  // Held for the life of the process: a collected session closes its sockets.
  readonly #session = new Bun.FetchSession({
    keepAlive: { idleTimeout: IDLE_SOCKET_SECONDS },
  });

  constructor(
    readonly proxy: string | null,
    readonly watchdogs: Watchdogs,
  ) {}

  async send(request: UpstreamRequest): Promise<UpstreamAnswer | UpstreamFailure> {
    if (request.signal?.aborted) return { kind: 'aborted', code: 'not_sent', mayHaveBilled: false };
    const exchange = new Exchange(request, this.watchdogs);
    if (exchange.stopped) return { kind: 'aborted', code: 'not_sent', mayHaveBilled: false };
    try {
      return exchange.answer(await this.#fetch(request, exchange.socketSignal));
    } catch (error) {
      return exchange.failure(error);
    }
  }

  close(): void {
    this.#session.close();
  }

  #fetch(request: UpstreamRequest, signal: AbortSignal): Promise<Response> {
    return fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: bodyOf(request),
      signal,
      session: this.#session,
      redirect: 'manual',
      decompress: false,
      timeout: false,
      // The types know no `false`, the runtime does: it means that the environment's proxies are not used.
      proxy: (this.proxy ?? false) as string,
    });
  }
}

/** `fetch` copies bytes, because they could change, but no blob: the pieces are copied once, here. */
function bodyOf({ body, moreBody = NO_PIECES }: UpstreamRequest): Uint8Array<ArrayBuffer> | Blob | null {
  return body === null || moreBody.length === 0 ? body : new Blob([body, ...moreBody]);
}

const NO_PIECES: readonly Uint8Array<ArrayBuffer>[] = [];

/** One request and its answer: whatever ends it first, ends it once, and the reason stays. */
class Exchange implements Stoppable, Watched {
  readonly #socket = new AbortController();
  readonly #watchdog: Watchdog;
  // Not the whole request: a long stream must not hold its body.
  readonly #signal: AbortSignal | null;
  readonly #onSignal: (() => void) | null;
  readonly #idleMs: number;
  #released = false;
  #stopped: UpstreamBroken | null = null;

  constructor(request: UpstreamRequest, watchdogs: Watchdogs) {
    this.#signal = request.signal;
    this.#idleMs = request.idleMs;
    this.#watchdog = watchdogs.watch(this);
    this.#watchdog.arm(request.firstByteMs);
    this.#onSignal = request.signal === null ? null : () => this.hangUp();
    if (this.#onSignal !== null) request.signal?.addEventListener('abort', this.#onSignal, { once: true });
    request.owner?.began(this);
  }

  hangUp(): void {
    if (!this.#released) this.stop('aborted', 'signal');
  }

  expired(): void {
    this.stop('timeout', 'watchdog');
  }

  get socketSignal(): AbortSignal {
    return this.#socket.signal;
  }

  get stopped(): UpstreamBroken | null {
    return this.#stopped;
  }

  /** Closes the socket. The reason is set first: Bun may show the abort to a reader as a clean end. */
  stop(kind: BreakKind, code: string): UpstreamBroken {
    if (this.#stopped) return this.#stopped;
    this.#stopped = new UpstreamBroken(kind, code);
    this.release();
    this.#socket.abort();
    return this.#stopped;
  }

  release(): void {
    this.#released = true;
    this.#watchdog.end();
    if (this.#onSignal !== null) this.#signal?.removeEventListener('abort', this.#onSignal);
  }

  waiting(): void {
    this.#watchdog.arm(this.#idleMs);
  }

  resting(): void {
    this.#watchdog.rest();
  }

  answer(response: Response): UpstreamAnswer | UpstreamFailure {
    this.resting();
    if (response.status < 300 || response.status > 399) return new HttpAnswer(response, this);
    this.stop('aborted', 'redirect');
    return {
      kind: 'redirect',
      code: String(response.status),
      mayHaveBilled: false,
    };
  }

  failure(error: unknown): UpstreamFailure {
    this.release();
    if (!this.#stopped) return failureOf(error);
    const kind = this.#stopped.kind === 'timeout' ? 'timeout' : 'aborted';
    return { kind, code: this.#stopped.code, mayHaveBilled: true };
  }
}

/** The part of a stream's reader that we use. */
interface BodyReader {
  read(): Promise<BodyPart>;
}

type BodyPart = { readonly done: false; readonly value: Uint8Array<ArrayBuffer> } | { readonly done: true };

const AT_END: BodyPart = { done: true };

/**
 * A body of at most this many bytes, by its `content-length`, is read in one go, within one `idleMs`: a stream for it costs 8 us of CPU
 * more for a small one, and half a millisecond for 1 MB of embeddings.
 */
const SMALL_BODY_BYTES = 2 * 1024 * 1024;

function isSmall({ headers }: Response): boolean {
  const length = headers.get('content-length');
  // Beside chunks a length says nothing.
  if (length === null || !(Number(length) <= SMALL_BODY_BYTES) || headers.has('transfer-encoding')) return false;
  return headers.get('content-type')?.startsWith('text/event-stream') !== true;
}

/** A small body as one part. A cut before its end rejects, as it does for a stream. */
class WholeBody implements BodyReader {
  #response: Response | null;

  constructor(response: Response) {
    this.#response = response;
  }

  async read(): Promise<BodyPart> {
    const value = (await this.#response?.bytes()) as Uint8Array<ArrayBuffer> | undefined;
    this.#response = null;
    return value === undefined || value.length === 0 ? AT_END : { done: false, value };
  }
}

/** A body part by part. Without async functions: a stream comes through here with every chunk, and each of them costs promises of its own. */
class Parts {
  readonly #onPart = (part: BodyPart): Uint8Array<ArrayBuffer> | null => {
    const { exchange } = this;
    exchange.resting();
    // An abort may show itself as a clean end: the reason was set before it.
    if (exchange.stopped) throw exchange.stopped;
    if (!part.done) return part.value;
    this.onEnd();
    return null;
  };

  readonly #onBroken = (error: unknown): never => {
    throw this.exchange.stop('interrupted', errorCode(error));
  };

  constructor(
    readonly reader: BodyReader,
    readonly exchange: Exchange,
    readonly onEnd: () => void,
  ) {}

  next(): Promise<Uint8Array<ArrayBuffer> | null> {
    this.exchange.waiting();
    return this.reader.read().then(this.#onPart, this.#onBroken);
  }
}

class HttpAnswer implements UpstreamAnswer {
  readonly kind = 'answer';
  readonly status: number;
  readonly headers: Headers;
  readonly #exchange: Exchange;
  /** The body while nobody has asked for it: asking for the stream of a small one would make it. */
  #small: Response | null = null;
  #parts: Parts | null = null;
  #ended = false;

  constructor(response: Response, exchange: Exchange) {
    this.status = response.status;
    this.headers = response.headers;
    this.#exchange = exchange;
    if (isSmall(response)) this.#small = response;
    else this.#readBy((response.body?.getReader() as BodyReader | undefined) ?? null);
  }

  read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const { stopped } = this.#exchange;
    if (stopped) return Promise.reject(stopped);
    if (this.#small !== null) this.#readBy(new WholeBody(this.#small));
    return this.#parts === null || this.#ended ? Promise.resolve(null) : this.#parts.next();
  }

  whole(): Promise<Uint8Array<ArrayBuffer>> | null {
    return this.#small === null || this.#exchange.stopped ? null : this.#all(this.#small);
  }

  async #all(response: Response): Promise<Uint8Array<ArrayBuffer>> {
    const exchange = this.#exchange;
    this.#small = null;
    exchange.waiting();
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = (await response.bytes()) as Uint8Array<ArrayBuffer>;
    } catch (error) {
      throw exchange.stop('interrupted', errorCode(error));
    }
    if (exchange.stopped) throw exchange.stopped;
    this.#end();
    return bytes;
  }

  #readBy(reader: BodyReader | null): void {
    this.#small = null;
    if (reader === null) this.#end();
    else this.#parts = new Parts(reader, this.#exchange, () => this.#end());
  }

  abort(): void {
    if (!this.#ended) this.#exchange.stop('aborted', 'abort');
  }

  #end(): void {
    this.#ended = true;
    this.#exchange.release();
  }
}
