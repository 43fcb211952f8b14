import type { Attempt } from './attempt.ts';
import type { Call } from './call.ts';
import type { Refused } from './refused.ts';

/**
 * Who looks on: metrics, logs, traces, alerts. Called on the path, so a call only notes down and returns;
 * it must not throw, wait, or keep the request.
 */
export interface PathObserver {
  /** A request was refused; `refused.decisionId` is set when it has a row. */
  refused?(call: Call, refused: Refused): void;
  /** An attempt was settled: `attempt.settlement` is there, memory and ledger have it. */
  ended?(attempt: Attempt): void;
}
