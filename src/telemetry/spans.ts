import type { Route } from '../domain/candidate.ts';
import { formatUsd } from '../domain/money.ts';
import type { ProviderKind } from '../domain/project.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { Judged } from '../gateway/price.ts';
import type { Refused } from '../gateway/refused.ts';
import type { Mark, Trace } from './mark.ts';
import { SPAN_KIND, type AttributeValue, type Span } from './otlp.ts';
import { randomHex } from './random-ids.ts';

/** A model name of a client is kept short. */
const MAX_NAME_CHARACTERS = 128;

/** The names that the GenAI conventions of OpenTelemetry have for providers; ours where they have none. */
const PROVIDER_NAMES: Readonly<Record<ProviderKind, string>> = {
  openai: 'openai',
  openrouter: 'openrouter',
  anthropic: 'anthropic',
  groq: 'groq',
  mistral: 'mistral_ai',
  deepseek: 'deepseek',
  xai: 'x_ai',
  custom: 'custom',
};

const PATHS: Readonly<Record<Route, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  embeddings: '/v1/embeddings',
};

type Attributes = Record<string, AttributeValue | null>;

/** The spans of settled attempts and of requests. */
export class SpanMaker {
  constructor(readonly projectLabel: (projectId: number) => string | null) {}

  /** What a settled attempt was: its admission, and its exchange with the provider when there was one. */
  ofAttempt(attempt: Attempt, mark: Mark, trace: Trace): Span[] {
    const { priced, verdict, sentMs, startedMs } = attempt;
    const admitted = { 'panicly.decision': 'allow', 'panicly.hold_usd': formatUsd(verdict.holdNanoUsd) };
    const admit = this.#admit(mark, trace, priced, attempt.id, startedMs, admitted);
    return sentMs === null ? [admit] : [admit, this.#upstream(attempt, mark, trace, sentMs)];
  }

  /** The judging of a request that was denied. */
  ofDenial({ denied, decisionId: id, refusal }: Refused, mark: Mark, trace: Trace, nowMs: number): Span[] {
    if (denied === null || id === null) return [];
    return [this.#admit(mark, trace, denied, id, nowMs, { 'panicly.decision': 'deny', 'panicly.reason': refusal.reason })];
  }

  /** The request as its client saw it. */
  ofRequest(mark: Mark, trace: Trace, endedMs: number): Span {
    const { refused, lastAttempt, route } = mark;
    const settlement = lastAttempt?.settlement ?? null;
    const outcome = settlement === null || settlement.outcome === 'completed' ? null : settlement.outcome;
    const status = mark.status ?? 0;
    return {
      ...trace,
      name: `POST ${PATHS[route]}`,
      kind: SPAN_KIND.server,
      startMs: mark.arrivedMs + mark.offsetMs,
      endMs: endedMs + mark.offsetMs,
      attributes: {
        'http.request.method': 'POST',
        'http.route': PATHS[route],
        'http.response.status_code': status,
        'error.type': refused?.refusal.reason ?? outcome ?? (status >= 500 ? String(status) : null),
        'panicly.decision_id': lastAttempt?.id ?? refused?.decisionId ?? null,
        'panicly.request_id': lastAttempt === null && refused !== null && refused.decisionId === null ? refused.requestId : null,
        'panicly.reason': refused?.refusal.reason ?? null,
        'panicly.outcome': settlement?.outcome ?? null,
        'panicly.cost_usd': settlement === null ? null : formatUsd(settlement.costNanoUsd),
      },
      // What a client did wrong is no failure of the server.
      failed: status >= 500 || (status < 400 && outcome !== null && outcome !== 'client_aborted' && outcome !== 'upstream_error'),
    };
  }

  #admit(mark: Mark, trace: Trace, { candidate }: Judged, id: string, endMs: number, more: Attributes): Span {
    return {
      traceId: trace.traceId,
      spanId: randomHex(8),
      parentId: trace.spanId,
      tracestate: trace.tracestate,
      name: 'admit',
      kind: SPAN_KIND.internal,
      startMs: (mark.judgingMs ?? mark.arrivedMs) + mark.offsetMs,
      endMs: endMs + mark.offsetMs,
      attributes: {
        'panicly.decision_id': id,
        'panicly.project_id': this.projectLabel(candidate.projectId),
        'panicly.environment': candidate.environment,
        ...more,
      },
      failed: false,
    };
  }

  #upstream(attempt: Attempt, mark: Mark, trace: Trace, sentMs: number): Span {
    const settlement = attempt.settlement!;
    const { candidate, connection } = attempt.priced;
    const operation = candidate.route === 'embeddings' ? 'embeddings' : 'chat';
    const model = candidate.requestedModel.slice(0, MAX_NAME_CHARACTERS);
    const failed = settlement.outcome !== 'completed' && settlement.outcome !== 'client_aborted';
    const status = settlement.upstreamStatus;
    const errorType = status >= 400 ? String(status) : settlement.outcome;
    return {
      traceId: trace.traceId,
      spanId: mark.upstreamSpanId(),
      parentId: trace.spanId,
      tracestate: trace.tracestate,
      name: `${operation} ${model}`,
      kind: SPAN_KIND.client,
      startMs: sentMs + mark.offsetMs,
      endMs: (attempt.answeredMs ?? attempt.startedMs + settlement.durationMs) + mark.offsetMs,
      attributes: {
        'gen_ai.operation.name': operation,
        'gen_ai.provider.name': connection === null ? 'panicly.simulator' : PROVIDER_NAMES[connection.kind],
        'gen_ai.request.model': model,
        'gen_ai.request.max_tokens': attempt.verdict.outputCap ?? candidate.quote.clientOutputCap,
        'gen_ai.request.choice.count': candidate.quote.choices > 1 ? candidate.quote.choices : null,
        'gen_ai.response.id': settlement.responseId,
        'gen_ai.usage.input_tokens': settlement.usage?.inputTokens ?? null,
        'gen_ai.usage.output_tokens': settlement.usage?.outputTokens ?? null,
        ...addressOf(connection?.baseUrl ?? null),
        'http.request.method': 'POST',
        'http.response.status_code': status === 0 ? null : status,
        'error.type': failed ? errorType : null,
        'panicly.decision_id': attempt.id,
        'panicly.outcome': settlement.outcome,
        'panicly.cost_usd': formatUsd(settlement.costNanoUsd),
      },
      failed,
    };
  }
}

function addressOf(baseUrl: string | null): Attributes {
  if (baseUrl === null) return {};
  const { hostname, port, protocol } = new URL(baseUrl);
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
}
