import { Elysia, type AnyElysia } from 'elysia';
import { formatUsd } from '../domain/money.ts';
import { Refusal } from '../domain/errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Office } from '../operator/office.ts';
import { errorResponse } from './errors.ts';
import { OperatorDoor } from './operator-auth.ts';

/** `/metrics` in Prometheus text, for who has an operator token. */
export function metricsRoutes(gateway: Gateway, office: Office): AnyElysia {
  const door = new OperatorDoor(office);
  return new Elysia({ name: 'metrics' }).get(
    '/metrics',
    ({ request, server }) => {
      try {
        door.enter(request, server?.requestIP(request)?.address ?? null);
      } catch (error) {
        if (error instanceof Refusal) return errorResponse(error, null);
        throw error;
      }
      return new Response(metricsText(gateway), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
    },
    {
      detail: {
        operationId: 'metrics',
        summary: 'Metrics in Prometheus text',
        tags: ['operations'],
        security: [{ operatorToken: [] }],
        responses: { 200: { description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
  );
}

function metricsText(gateway: Gateway): string {
  const { counters, inFlight, bodies, ledger } = gateway;
  return [
    family('panicly_requests_allowed_total', 'counter', 'Attempts that were admitted.', [['', counters.allowed]]),
    family('panicly_requests_refused_total', 'counter', 'Requests that were refused.', labelled('reason', counters.refused)),
    family('panicly_settlements_total', 'counter', 'Attempts that were settled.', labelled('outcome', counters.settled)),
    family('panicly_cost_usd_total', 'counter', 'Settled cost.', [['', formatUsd(counters.costNanoUsd)]]),
    family('panicly_overruns_total', 'counter', 'Settlements above their hold.', [['', counters.overruns]]),
    family('panicly_flagged_usage_total', 'counter', 'Usage that had to be mended.', [['', counters.flaggedUsage]]),
    family('panicly_input_tokens_total', 'counter', 'Reported input tokens.', [['', counters.inputTokens]]),
    family('panicly_output_tokens_total', 'counter', 'Reported output tokens.', [['', counters.outputTokens]]),
    family('panicly_requests_in_flight', 'gauge', 'Attempts between admission and settlement.', [['', inFlight.size]]),
    family('panicly_request_bodies_bytes', 'gauge', 'Bytes of request bodies in memory.', [['', bodies.takenBytes]]),
    family('panicly_ledger_available', 'gauge', 'Whether a decision could be committed.', [['', ledger.available ? 1 : 0]]),
  ].join('');
}

type Sample = readonly [labels: string, value: number | string];

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelled(label: string, values: ReadonlyMap<string, number>): Sample[] {
  return [...values].map(([value, count]) => [`{${label}="${value}"}`, count]);
}
