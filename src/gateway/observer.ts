import type { Route } from '../domain/candidate.ts';
import type { TraceHeaders } from '../domain/trace-context.ts';
import type { Attempt } from './attempt.ts';
import type { Call } from './call.ts';
import type { Refused } from './refused.ts';

/**
 * Who looks on: metrics, logs, traces, alerts. Called on the path, so a call only notes down and returns;
 * it must not throw, wait, or keep the request.
 */
export interface PathObserver {
  /** An attempt was admitted: its decision is durable and its hold placed. It will be told as `ended`, whatever comes. */
  admitted?(attempt: Attempt, call: Call): void;
  /**
   * A request was refused. `refused.denied` is set when a policy said no; with a `decisionId` and no `denied` its attempt
   * was admitted and failed later, and was told as `ended` before.
   */
  refused?(call: Call, refused: Refused): void;
  /** An attempt was settled: `attempt.settlement` is there, memory and ledger have it. */
  ended?(attempt: Attempt): void;
}

/** What goes along with one request for those who look on. There is none while nobody follows single requests. */
export interface RequestMark {
  /** The judging of an attempt begins; reading and pricing are behind it. */
  judging(): void;
  /** The headers that carry the trace on to the provider, for the attempt that is about to be sent; null passes the client's on. */
  traceHeaders(): TraceHeaders | null;
  /** The client has its answer, or the beginning of it; `status` is what it was told, 500 when the path broke. */
  answered(status: number): void;
}

/** Makes the mark of a request that has just come in; null when nobody follows this one. Reads its headers and keeps neither. */
export type Follow = (route: Route, headers: Headers, arrivedMs: number) => RequestMark | null;
