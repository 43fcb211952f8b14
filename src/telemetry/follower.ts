import type { Clock } from '../clock.ts';
import type { Route } from '../domain/candidate.ts';
import { isTraceState, parseTraceParent } from '../domain/trace-context.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { Call } from '../gateway/call.ts';
import type { PathObserver } from '../gateway/observer.ts';
import type { Refused } from '../gateway/refused.ts';
import { clientRequestId, Mark, type Trace } from './mark.ts';
import { randomHex } from './random-ids.ts';

/** Who is told of single requests. */
export interface RequestListener {
  /** An attempt was settled. `mark` is null when the request came before anybody followed. */
  settled?(attempt: Attempt, mark: Mark | null): void;
  refused?(call: Call, refused: Refused, mark: Mark | null): void;
  /** The client has its answer and nothing of the request is open. */
  over?(mark: Mark): void;
}

/** How requests are followed. */
export interface FollowerOptions {
  readonly clock: Clock;
  /** The share of requests whose caller does not say that are traced; null when nothing is. */
  readonly sample: number | null;
  readonly listeners: readonly RequestListener[];
}

/** Follows single requests through the path, for their lines in the log and their traces. There is none while both are off. */
export class Follower implements PathObserver {
  constructor(readonly options: FollowerOptions) {}

  /** The mark of a request that has just come in. */
  readonly follow = (route: Route, headers: Headers, arrivedMs: number): Mark => {
    const { sample, clock } = this.options;
    const trace = sample === null ? null : traceOf(headers, sample);
    const offsetMs = clock.nowMs() - clock.monotonicMs();
    const id = clientRequestId(headers);
    return new Mark(route, arrivedMs, offsetMs, trace, id, clock, (mark) => this.#tell((listener) => listener.over?.(mark)));
  };

  admitted(attempt: Attempt, { mark }: Call): void {
    if (!(mark instanceof Mark)) return;
    attempt.mark = mark;
    mark.lastAttempt = attempt;
  }

  refused(call: Call, refused: Refused): void {
    const mark = call.mark instanceof Mark ? call.mark : null;
    if (mark !== null) mark.refused = refused;
    this.#tell((listener) => listener.refused?.(call, refused, mark));
  }

  ended(attempt: Attempt): void {
    const mark = attempt.mark instanceof Mark ? attempt.mark : null;
    this.#tell((listener) => listener.settled?.(attempt, mark));
    mark?.settled();
  }

  #tell(what: (listener: RequestListener) => void): void {
    for (const listener of this.options.listeners) what(listener);
  }
}

/** The trace of a request, or null when it is not recorded: the caller decides, and where there is none, chance. */
export function traceOf(headers: Headers, sample: number): Trace | null {
  const parent = parseTraceParent(headers.get('traceparent'));
  if (parent === null)
    return Math.random() < sample ? { traceId: randomHex(16), parentId: null, spanId: randomHex(8), tracestate: null } : null;
  if (!parent.sampled) return null;
  const tracestate = headers.get('tracestate');
  return {
    traceId: parent.traceId,
    parentId: parent.spanId,
    spanId: randomHex(8),
    tracestate: tracestate !== null && isTraceState(tracestate) ? tracestate : null,
  };
}
