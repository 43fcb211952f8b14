import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../domain/errors.ts';
import type { Route } from '../domain/candidate.ts';
import type { Call } from '../gateway/call.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { listModels, oneModel } from '../gateway/models.ts';
import type { RequestMark } from '../gateway/observer.ts';
import { serve } from '../gateway/pipeline.ts';
import { Refused } from '../gateway/refused.ts';
import { withCors, type CorsRules } from './cors.ts';
import { publicDetail } from './detail.ts';
import { errorResponse } from './errors.ts';

/** The parts of an Elysia context that a handler of ours reads. */
interface HandlerContext {
  readonly request: Request;
  readonly params?: { readonly [name: string]: string };
}

type Server = AnyElysia['server'];

/**
 * The server that the routes are served by; null before it listens, and in tests without one. A handler could ask its context for it,
 * but for that Elysia defines a property on the context of every request.
 */
export type ServerOf = () => Server;

/** The routes for applications. Elysia neither reads nor checks the body: the path takes the raw bytes. */
export function publicRoutes(gateway: Gateway, cors: CorsRules, serverOf: ServerOf): AnyElysia {
  // Elysia looks at the text of a handler: only what says `async` of itself is awaited where the error hook sees it fail.
  const post =
    (route: Route) =>
    async ({ request }: HandlerContext): Promise<Response> => {
      const refusal = checkHost(request);
      if (refusal) return withCors(errorResponse(refusal, null), request, cors);
      const call = new HttpCall(route, request, gateway.monotonicMs(), serverOf());
      const mark = gateway.follow?.(route, request.headers, call.arrivedMs) ?? null;
      const response = mark === null ? rendered(await serve(gateway, call)) : await followed(gateway, call, mark);
      return withCors(response, request, cors);
    };
  const raw = { parse: 'none' } as const;
  return new Elysia({ name: 'public' })
    .post('/v1/chat/completions', post('chat'), { ...raw, detail: publicDetail.chat })
    .post('/v1/responses', post('responses'), { ...raw, detail: publicDetail.responses })
    .post('/v1/embeddings', post('embeddings'), { ...raw, detail: publicDetail.embeddings })
    .get('/v1/models', (context: HandlerContext) => read(context, cors, serverOf(), (peer) => listModels(gateway, context.request, peer)), {
      detail: publicDetail.models,
    })
    .get(
      '/v1/models/*',
      (context: HandlerContext) =>
        read(context, cors, serverOf(), (peer) => oneModel(gateway, context.request, peer, decodeName(context.params!['*']!))),
      { detail: publicDetail.model },
    );
}

/** How long a connection may be idle between two requests, in seconds. */
const KEEP_ALIVE_SECONDS = 60;

/** How long a client gets to take the last words of an answer that was stopped, in seconds: one that reads nothing would hold its socket. */
const LAST_WORDS_SECONDS = 4;

/** A request and the connection that it came over. */
class HttpCall implements Call {
  readonly peer: string | null;
  mark: RequestMark | null = null;

  constructor(
    readonly route: Route,
    readonly request: Request,
    readonly arrivedMs: number,
    readonly server: Server,
  ) {
    this.peer = peerOf(request, server);
  }

  /** A model may think for minutes: the server's own idle timer must not end the request. Only who was let in is waited for. */
  onLasting(): void {
    this.server?.timeout(this.request, 0);
  }

  onEnd(wasStopped: boolean): void {
    this.server?.timeout(this.request, wasStopped ? LAST_WORDS_SECONDS : KEEP_ALIVE_SECONDS);
  }
}

/** Tells who follows the request how it was answered. */
async function followed(gateway: Gateway, call: HttpCall, mark: RequestMark): Promise<Response> {
  call.mark = mark;
  let status = 500;
  try {
    const response = rendered(await serve(gateway, call));
    ({ status } = response);
    return response;
  } finally {
    mark.answered(status);
  }
}

/** Answers a question about models. */
async function read(
  context: HandlerContext,
  cors: CorsRules,
  server: Server,
  ask: (peer: string | null) => Promise<Response | Refused>,
): Promise<Response> {
  const { request } = context;
  const refusal = checkHost(request);
  const response = refusal ? errorResponse(refusal, null) : rendered(await ask(peerOf(request, server)));
  return withCors(response, request, cors);
}

function rendered(result: Response | Refused): Response {
  if (!(result instanceof Refused)) return result;
  const response = errorResponse(result.refusal, result.decisionId, result.leavesBody);
  // What was not judged has no decision: this is the id that the log has of it.
  if (result.decisionId === null) response.headers.set('x-panicly-request-id', result.requestId);
  return response;
}

function peerOf(request: Request, server: Server): string | null {
  return server?.requestIP(request)?.address ?? null;
}

/** A Host header that is no host could make two readers see two addresses, and an odd transfer encoding two ends of the body. */
export function checkHost(request: Request): Refusal | null {
  const encoding = request.headers.get('transfer-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'chunked')
    return new Refusal('invalid_framing', 'Send the body with content-length, or with transfer-encoding: chunked and nothing else.');
  const host = request.headers.get('host');
  if (host !== null && /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return null;
  return new Refusal('invalid_host', 'The Host header is missing or is not a host name with an optional port.');
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
