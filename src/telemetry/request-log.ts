import { formatUsd } from '../domain/money.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { Call } from '../gateway/call.ts';
import type { Judged } from '../gateway/price.ts';
import type { Refused } from '../gateway/refused.ts';
import type { LogFields } from '../log.ts';
import type { RequestListener } from './follower.ts';
import type { Mark } from './mark.ts';

/** A model name of a client is kept short. */
const MAX_NAME_CHARACTERS = 128;

/** What the lines need to name things. */
export interface RequestLogOptions {
  readonly write: (event: string, fields: LogFields) => void;
  readonly monotonicMs: () => number;
  /** Public ids, or null when the thing is gone. */
  readonly projectLabel: (projectId: number) => string | null;
  readonly keyLabel: (keyId: number) => string | null;
}

/** A line for each settled attempt and one for each refusal, with the id of the decision in both. */
export class RequestLog implements RequestListener {
  constructor(readonly options: RequestLogOptions) {}

  settled(attempt: Attempt, mark: Mark | null): void {
    const settlement = attempt.settlement!;
    const { usage } = settlement;
    this.options.write('request', {
      decision_id: attempt.id,
      ...idsOf(mark),
      decision: 'allow',
      ...this.#who(attempt.priced),
      outcome: settlement.outcome,
      upstream_status: settlement.upstreamStatus,
      input_tokens: usage?.inputTokens ?? null,
      output_tokens: usage?.outputTokens ?? null,
      cost_usd: formatUsd(settlement.costNanoUsd),
      cost_basis: settlement.basis,
      hold_usd: formatUsd(attempt.verdict.holdNanoUsd),
      admission_ms: rounded(attempt.startedMs - attempt.arrivedMs),
      first_byte_ms: settlement.firstByteMs === null ? null : rounded(settlement.firstByteMs),
      duration_ms: rounded(settlement.durationMs),
    });
  }

  refused(call: Call, refused: Refused, mark: Mark | null): void {
    const { refusal, decisionId, denied } = refused;
    this.options.write('request_refused', {
      ...(decisionId === null ? { request_id: refused.requestId } : { decision_id: decisionId }),
      ...idsOf(mark),
      // What was admitted and failed later has its line with everything else that is known.
      decision: denied !== null ? 'deny' : decisionId === null ? 'none' : 'allow',
      ...(denied === null ? { route: call.route } : this.#who(denied)),
      status: refusal.status,
      reason: refusal.reason,
      duration_ms: rounded(this.options.monotonicMs() - call.arrivedMs),
    });
  }

  #who({ candidate, keyId }: Judged): LogFields {
    return {
      project_id: this.options.projectLabel(candidate.projectId),
      key_id: this.options.keyLabel(keyId),
      environment: candidate.environment,
      route: candidate.route,
      stream: candidate.stream,
      model: candidate.model.slice(0, MAX_NAME_CHARACTERS),
    };
  }
}

function idsOf(mark: Mark | null): LogFields {
  return {
    ...(mark?.clientRequestId ? { client_request_id: mark.clientRequestId } : {}),
    ...(mark?.trace ? { trace_id: mark.trace.traceId } : {}),
  };
}

/** Milliseconds to a hundredth. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
