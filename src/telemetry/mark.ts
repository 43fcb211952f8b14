import type { Clock } from '../clock.ts';
import type { Route } from '../domain/candidate.ts';
import { formatTraceParent, type TraceHeaders } from '../domain/trace-context.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { RequestMark } from '../gateway/observer.ts';
import type { Refused } from '../gateway/refused.ts';
import { randomHex } from './random-ids.ts';

/** The trace that a request belongs to. */
export interface Trace {
  readonly traceId: string;
  /** The caller's span, or null when the trace begins here. */
  readonly parentId: string | null;
  /** The span of the request. */
  readonly spanId: string;
  readonly tracestate: string | null;
}

/** What is noted of one request until it is over, for its line in the log and its spans. */
export class Mark implements RequestMark {
  /** When judging of the latest attempt began, of the monotonic clock. */
  judgingMs: number | null = null;
  refused: Refused | null = null;
  /** What the client was told; null while it waits. */
  status: number | null = null;
  lastAttempt: Attempt | null = null;
  #upstreamSpanId: string | null = null;

  constructor(
    readonly route: Route,
    readonly arrivedMs: number,
    /** What makes milliseconds since 1970 of those of the monotonic clock: one for the whole request, so that its spans fit together. */
    readonly offsetMs: number,
    /** Null when the request is not traced. */
    readonly trace: Trace | null,
    readonly clientRequestId: string | null,
    readonly clock: Pick<Clock, 'monotonicMs'>,
    /** Told once: the client has its answer and no attempt is open. */
    readonly onOver: (mark: Mark) => void,
  ) {}

  judging(): void {
    this.judgingMs = this.clock.monotonicMs();
    this.#upstreamSpanId = null;
  }

  traceHeaders(): TraceHeaders | null {
    if (this.trace === null) return null;
    const { traceId, tracestate } = this.trace;
    return { traceparent: formatTraceParent({ traceId, spanId: this.upstreamSpanId(), sampled: true }), tracestate };
  }

  /** The span of the exchange with the provider, for the attempt that is going on. */
  upstreamSpanId(): string {
    return (this.#upstreamSpanId ??= randomHex(8));
  }

  answered(status: number): void {
    this.status = status;
    // A stream is answered long before it ends.
    if (this.lastAttempt === null || this.lastAttempt.settlement !== null) this.onOver(this);
  }

  /** Its attempt was settled. */
  settled(): void {
    if (this.status !== null) this.onOver(this);
  }
}

/** Headers under which clients name their requests, in this order. */
const CLIENT_IDS = ['x-request-id', 'x-client-request-id'] as const;

/** The client's own id of a request, when it is short and of harmless characters; else null. */
export function clientRequestId(headers: Headers): string | null {
  for (const name of CLIENT_IDS) {
    const value = headers.get(name);
    if (value !== null && /^[\w.:/+=@-]{1,128}$/.test(value)) return value;
  }
  return null;
}
