import type { Attempt } from '../gateway/attempt.ts';
import type { Call } from '../gateway/call.ts';
import type { Refused } from '../gateway/refused.ts';
import type { SpanExporter } from './exporter.ts';
import type { RequestListener } from './follower.ts';
import type { Mark } from './mark.ts';
import type { SpanMaker } from './spans.ts';

/** Makes the spans of requests that are traced, when each is over, and hands them to the exporter. */
export class Tracing implements RequestListener {
  constructor(
    readonly spans: SpanMaker,
    readonly exporter: SpanExporter,
    readonly monotonicMs: () => number,
  ) {}

  settled(attempt: Attempt, mark: Mark | null): void {
    if (mark?.trace) this.exporter.add(this.spans.ofAttempt(attempt, mark, mark.trace));
  }

  refused(_: Call, refused: Refused, mark: Mark | null): void {
    if (mark?.trace) this.exporter.add(this.spans.ofDenial(refused, mark, mark.trace, this.monotonicMs()));
  }

  over(mark: Mark): void {
    if (mark.trace) this.exporter.add([this.spans.ofRequest(mark, mark.trace, this.monotonicMs())]);
  }
}
