/**
 * The seam between the path and whatever answers it: a provider over HTTP, or the simulator.
 * A refused or broken exchange before the headers is a value, a broken answer is an exception.
 */

/** One attempt. Everything in it was made by us: nothing that a client sent can change where it goes. */
export interface UpstreamRequest {
  /** Absolute, made by `upstreamUrl`. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Made by `requestHeaders`; holds the provider's key, so it is never logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its bytes, and those of `moreBody`, are copied before `send` returns: the caller may then do with them what it likes. */
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** What follows `body` of a large one, so that it need not be put together first. The simulator is given none. */
  readonly moreBody?: readonly Uint8Array<ArrayBuffer>[];
  /** Ends the exchange in every phase, the socket included. Null for a request that nobody can end. */
  readonly signal: AbortSignal | null;
  /** The same without the cost of a signal: is given the exchange before anything is sent. */
  readonly owner?: ExchangeOwner;
  /** The longest wait for the provider's headers in milliseconds, connecting included. */
  readonly firstByteMs: number;
  /** The longest silence of the body in milliseconds. Waiting for a slow client does not count. */
  readonly idleMs: number;
}

/** An exchange that can be ended from outside, in every phase. */
export interface Stoppable {
  hangUp(): void;
}

/** Who may end an exchange. */
export interface ExchangeOwner {
  began(exchange: Stoppable): void;
}

/** A provider's answer: the headers are there, the body comes as it is read. */
export interface UpstreamAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** As the provider sent them: give `responseHeaders` of them to a client, and do not read them afterwards. */
  readonly headers: Headers;
  /**
   * The next bytes, exactly as they arrived (compressed when `content-encoding` says so), or null after a clean end.
   * Throws `UpstreamBroken` when the answer ends in any other way, and again on each later call. One call at a time.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** All of a body that is known to be small, in one go, in place of `read`; null when it has to be read in parts. Throws as `read` does. */
  whole?(): Promise<Uint8Array<ArrayBuffer>> | null;
  /** Closes the socket; a read that waits, and each later one, throws. Nothing happens after the end. */
  abort(): void;
}

/** Why an answer broke off: a cut connection, a silence past `idleMs`, or we ended it (signal or `abort`). */
export type BreakKind = 'interrupted' | 'timeout' | 'aborted';

/** Thrown by `read`: the answer has no clean end, so its bytes must not be given one. */
export class UpstreamBroken extends Error {
  override readonly name = 'UpstreamBroken';
  constructor(
    readonly kind: BreakKind,
    /** The system's code (`ECONNRESET`), for logs. */
    readonly code: string,
  ) {
    super(`the upstream answer broke off: ${kind} (${code})`);
  }
}

/** Why there is no answer. */
export type FailureKind =
  /** No connection: refused, unknown host, no route, a certificate that is not trusted. */
  | 'unreachable'
  /** The connection ended before the headers. */
  | 'reset'
  /** What came was not HTTP. */
  | 'malformed'
  /** No headers within `firstByteMs`. */
  | 'timeout'
  /** The signal ended it. */
  | 'aborted'
  /** A 3xx: never followed, because it would take the key to another origin. */
  | 'redirect';

/** No answer came. */
export interface UpstreamFailure {
  readonly kind: FailureKind;
  /** The system's code (`ECONNREFUSED`), for logs; a status for redirects. */
  readonly code: string;
  /** False only when it is certain that the provider did no work. */
  readonly mayHaveBilled: boolean;
}

/** Sends one attempt, once: it never retries, because each attempt has its own hold. Never rejects. */
export interface Upstream {
  send(request: UpstreamRequest): Promise<UpstreamAnswer | UpstreamFailure>;
  /** Lets idle connections go. Requests in flight finish. */
  close(): void;
}
