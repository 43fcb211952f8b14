import { Elysia, type AnyElysia } from 'elysia';
import type { Gateway } from '../gateway/gateway.ts';
import type { Office } from '../operator/office.ts';
import { docsRoutes } from './docs.ts';
import { corsRoutes, type CorsRules } from './cors.ts';
import { errorHook, type ReportFailure } from './errors.ts';
import { healthRoutes } from './health.ts';
import { literalRoutes } from './literal-path.ts';
import { metricsRoutes, type MetricsSource } from './metrics.ts';
import { operatorRoutes } from './operator.ts';
import { publicRoutes } from './public.ts';

/** What the HTTP face is made of. */
export interface AppParts {
  readonly gateway: Gateway;
  readonly office: Office;
  readonly cors: CorsRules;
  readonly report: ReportFailure;
  readonly metrics: MetricsSource;
}

/** The whole HTTP face, not yet listening. */
export function createApp(parts: AppParts, options: { readonly maxRequestBodyBytes: number }): AnyElysia {
  const app: AnyElysia = new Elysia({
    normalize: false,
    // With a Host of one to three characters Elysia would otherwise route on another path than the request shows.
    handler: { standardHostname: false },
    serve: {
      development: false,
      idleTimeout: 120,
      maxRequestBodySize: options.maxRequestBodyBytes,
      routes: literalRoutes('/admin/v1', () => app),
    },
  })
    .use(errorHook(parts.report))
    .use(publicRoutes(parts.gateway, parts.cors, () => app.server))
    .use(corsRoutes(parts.cors))
    .use(operatorRoutes(parts.office))
    .use(
      healthRoutes(() => ({
        ledger: parts.gateway.ledger.available,
        prices: parts.gateway.catalogue.version > 0,
        running: !parts.gateway.stopping,
      })),
    )
    .use(metricsRoutes(parts.metrics, parts.office))
    .use(docsRoutes(() => app));
  return app;
}
