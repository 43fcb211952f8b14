import { Elysia, type AnyElysia } from 'elysia';
import { notFound } from './errors.ts';

/** Which web pages may call `/v1` from a browser. Empty: none, and no header is ever sent. Read with each request: it may change. */
export interface CorsRules {
  readonly origins: readonly string[];
}

const PREFLIGHT_SECONDS = '600';
const METHODS = 'GET, POST';
const EXPOSED =
  'x-panicly-decision-id, x-panicly-request-id, x-panicly-cost-hold-usd, x-panicly-cost-usd, x-panicly-output-cap, x-panicly-budget-remaining-usd, x-request-id, retry-after';

/** Lets a page of a named origin read the answer. Changes nothing for any other caller. */
export function withCors(response: Response, request: Request, rules: CorsRules): Response {
  if (rules.origins.length === 0) return response;
  const origin = allowedOrigin(request, rules);
  if (origin === null) return response;
  response.headers.set('access-control-allow-origin', origin);
  response.headers.append('vary', 'origin');
  response.headers.set('access-control-expose-headers', EXPOSED);
  return response;
}

/** Answers preflight requests of named origins; without any it is as if there were no such route. */
export function corsRoutes(rules: CorsRules): AnyElysia {
  return new Elysia({ name: 'cors' }).options(
    '/v1/*',
    ({ request }) => {
      if (rules.origins.length === 0) throw notFound('OPTIONS', new URL(request.url).pathname);
      const response = withCors(new Response(null, { status: 204 }), request, rules);
      if (!response.headers.has('access-control-allow-origin')) return new Response(null, { status: 403 });
      response.headers.set('access-control-allow-methods', METHODS);
      response.headers.set(
        'access-control-allow-headers',
        request.headers.get('access-control-request-headers') ?? 'authorization, content-type',
      );
      response.headers.set('access-control-max-age', PREFLIGHT_SECONDS);
      return response;
    },
    { detail: { hide: true } },
  );
}

function allowedOrigin(request: Request, rules: CorsRules): string | null {
  const origin = request.headers.get('origin');
  return origin !== null && rules.origins.includes(origin) ? origin : null;
}
