import { Elysia, type AnyElysia } from 'elysia';

/** Whether requests could be judged and recorded right now, by part: `{ ledger: true, prices: true }`. */
export type Readiness = () => Readonly<Record<string, boolean>>;

const okResponse = { description: 'Yes.', content: { 'application/json': { schema: { type: 'object' } } } } as const;

/** `/healthz` says that the process is alive; `/readyz` that every part of it can serve. */
export function healthRoutes(readiness: Readiness): AnyElysia {
  return new Elysia({ name: 'health' })
    .get('/healthz', () => Response.json({ status: 'ok' }), {
      detail: {
        operationId: 'healthz',
        summary: 'Is the process alive?',
        tags: ['operations'],
        security: [],
        responses: { 200: okResponse },
      },
    })
    .get('/readyz', () => readyResponse(readiness()), {
      detail: {
        operationId: 'readyz',
        summary: 'Can requests be served?',
        tags: ['operations'],
        security: [],
        responses: { 200: okResponse, 503: { ...okResponse, description: 'Not now. `parts` says what is missing.' } },
      },
    });
}

function readyResponse(parts: Readonly<Record<string, boolean>>): Response {
  const ready = Object.values(parts).every(Boolean);
  return Response.json({ status: ready ? 'ready' : 'not_ready', parts }, { status: ready ? 200 : 503 });
}
