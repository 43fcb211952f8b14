import { timingSafeEqual } from 'node:crypto';
import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../domain/errors.ts';
import { bearerToken } from '../gateway/authenticate.ts';
import type { Office } from '../operator/office.ts';
import { errorResponse } from './errors.ts';
import { OperatorDoor } from './operator-auth.ts';
import { checkHost } from './public.ts';

/** What `/metrics` shows, and who else may see it. */
export interface MetricsSource {
  /** Everything in the text format of Prometheus. */
  readonly text: () => string;
  /** A token that opens this route and no other, or null when there is none. */
  readonly token: string | null;
}

const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** `/metrics` in Prometheus text, for who has an operator token or the token for scraping. */
export function metricsRoutes(source: MetricsSource, office: Office): AnyElysia {
  const door = new OperatorDoor(office);
  return new Elysia({ name: 'metrics' }).get(
    '/metrics',
    ({ request, server }) => {
      try {
        if (!mayScrape(request, source.token)) door.enter(request, server?.requestIP(request)?.address ?? null);
      } catch (error) {
        if (error instanceof Refusal) return errorResponse(error, null);
        throw error;
      }
      return new Response(source.text(), { headers: { 'content-type': TEXT_TYPE } });
    },
    {
      detail: {
        operationId: 'metrics',
        summary: 'Metrics in Prometheus text',
        description: 'Takes an operator token of the installation, or the token in PANICLY_METRICS_TOKEN, which opens nothing else.',
        tags: ['operations'],
        security: [{ operatorToken: [] }],
        responses: { 200: { description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
  );
}

/** Compares digests, so that neither the time nor the length tells how much was right. A wrong token then counts as an operator's. */
function mayScrape(request: Request, token: string | null): boolean {
  if (token === null || checkHost(request) !== null) return false;
  const given = bearerToken(request.headers.get('authorization') ?? '');
  return given !== null && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return new Bun.CryptoHasher('sha256').update(text).digest();
}
