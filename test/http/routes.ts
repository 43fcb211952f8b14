import { Elysia, type AnyElysia } from 'elysia';
import { publicDetail } from '../../src/http/detail.ts';
import { docsRoutes } from '../../src/http/docs.ts';
import { errorHook } from '../../src/http/errors.ts';
import { healthRoutes } from '../../src/http/health.ts';

/** A small application with the documented routes, without anything behind them. */
export function documentedApp(): AnyElysia {
  const answer = () => Response.json({});
  const app: AnyElysia = new Elysia({ handler: { standardHostname: false } })
    .use(errorHook(() => undefined))
    .use(healthRoutes(() => ({ ledger: true })))
    .post('/v1/chat/completions', answer, { parse: 'none', detail: publicDetail.chat })
    .post('/v1/responses', answer, { parse: 'none', detail: publicDetail.responses })
    .post('/v1/embeddings', answer, { parse: 'none', detail: publicDetail.embeddings })
    .get('/v1/models', answer, { detail: publicDetail.models })
    .get('/v1/models/*', answer, { detail: publicDetail.model })
    .use(docsRoutes(() => app));
  return app;
}
