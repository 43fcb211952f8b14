import { ROUTE_PATHS, type UpstreamRoute } from '../providers.ts';
import type { Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest } from '../upstream.ts';
import { chatJson, chatStream } from './chat.ts';
import { embeddingsJson } from './embeddings.ts';
import { letterId } from './ids.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { readChat, readResponses, type Asked } from './request.ts';
import { responseStream } from './response-events.ts';
import { draftResponse, finalResponse } from './responses.ts';
import { withSignal } from '../stoppable.ts';
import { CUT, cutInHalf, SteppedAnswer, type Delay, type Step } from './steps.ts';
import { pauseOf, SIMULATOR_MODELS, triggerOf, type Trigger } from './triggers.ts';

export interface SimulatorOptions {
  /** Milliseconds since 1970, for `created`. */
  readonly nowMs: () => number;
  /** Real timers when absent. */
  readonly delay?: Delay;
  /** Milliseconds between two tokens of a stream: 2 when absent, so that a stream is one. */
  readonly tokenPauseMs?: number;
}

/** What the simulator is going to say. */
interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly steps: Iterator<Step>;
  /** Milliseconds before the headers. */
  readonly pauseMs: number;
}

const TOKEN_PAUSE_MS = 2;

/** The provider behind test keys: in process, deterministic, never billed. Shapes are those of OpenAI's API. */
export function simulatorUpstream(options: SimulatorOptions): Upstream {
  return new Simulator(options.nowMs, options.delay ?? realDelay, options.tokenPauseMs ?? TOKEN_PAUSE_MS);
}

class Simulator implements Upstream {
  constructor(
    readonly nowMs: () => number,
    readonly delay: Delay,
    readonly tokenPauseMs: number,
  ) {}

  async send(asked: UpstreamRequest): Promise<UpstreamAnswer | UpstreamFailure> {
    const request = withSignal(asked);
    const reply = this.#reply(request);
    const failure = await this.#waitForHeaders(request, reply.pauseMs);
    if (failure !== null) return failure;
    const headers = new Headers({ ...reply.headers, 'x-request-id': letterId('req_', 32), 'openai-processing-ms': '1' });
    return new SteppedAnswer(reply.status, headers, reply.steps, request, this.delay);
  }

  close(): void {}

  async #waitForHeaders({ signal, firstByteMs }: UpstreamRequest, pauseMs: number): Promise<UpstreamFailure | null> {
    const aborted: UpstreamFailure = { kind: 'aborted', code: 'signal', mayHaveBilled: true };
    if (signal?.aborted) return { ...aborted, mayHaveBilled: false };
    if (pauseMs === 0) return null;
    try {
      await this.delay(Math.min(pauseMs, firstByteMs), signal ?? NEVER);
    } catch {
      return aborted;
    }
    return pauseMs > firstByteMs ? { kind: 'timeout', code: 'watchdog', mayHaveBilled: true } : null;
  }

  #reply(request: UpstreamRequest): Reply {
    const route = routeOf(request.url);
    const nowSeconds = Math.floor(this.nowMs() / 1_000);
    if (route === 'models') return json(200, modelList(nowSeconds));
    const body = parse(request.body);
    if (route === null || body === null)
      return json(400, errorBody('invalid_request_error', 'The simulator cannot read this request.', null));
    const trigger = triggerOf(asText(body['model']));
    if (trigger === 'error-429') return rateLimited();
    if (trigger === 'error-500')
      return json(500, errorBody('server_error', 'The server had an error while processing your request. Sorry about that!', null));
    if (route === 'embeddings') return whole(trigger, embeddingsJson(body));
    const asked = route === 'chat' ? readChat(body, request.body!.length) : readResponses(body, request.body!.length);
    return asked.stream ? this.#streamed(route, asked, nowSeconds) : whole(trigger, wholeBody(route, asked, nowSeconds));
  }

  #streamed(route: 'chat' | 'responses', asked: Asked, nowSeconds: number): Reply {
    const pause = this.tokenPauseMs;
    const steps = route === 'chat' ? chatStream(asked, nowSeconds, pause) : responseStream(draftResponse(asked, nowSeconds), pause);
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
    return {
      status: 200,
      headers,
      pauseMs: 0,
      steps: asked.trigger === 'cut' ? cutInHalf([...steps]) : afterFirst(steps, pauseOf(asked.trigger)),
    };
  }
}

function wholeBody(route: 'chat' | 'responses', asked: Asked, nowSeconds: number): JsonObject {
  return route === 'chat' ? chatJson(asked, nowSeconds) : finalResponse(draftResponse(asked, nowSeconds));
}

/** Puts a silence after the first event: the headers and the role are there, the first token is not. */
function* afterFirst(steps: Iterable<Step>, pauseMs: number): Generator<Step> {
  let first = true;
  for (const step of steps) {
    yield step;
    if (first && pauseMs > 0) yield { pauseMs };
    first = false;
  }
}

function whole(trigger: Trigger | null, body: JsonObject): Reply {
  const reply = json(200, body, {}, pauseOf(trigger));
  if (trigger !== 'cut') return reply;
  const text = JSON.stringify(body);
  return { ...reply, steps: [text.slice(0, text.length / 2), CUT][Symbol.iterator]() as Iterator<Step> };
}

function json(status: number, body: JsonObject, extra: Readonly<Record<string, string>> = {}, pauseMs = 0): Reply {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...extra };
  return { status, headers, pauseMs, steps: [text][Symbol.iterator]() };
}

function rateLimited(): Reply {
  const limits = {
    'retry-after': '1',
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1s',
  };
  return json(
    429,
    errorBody('requests', 'Rate limit reached for requests (simulated). Please try again in 1s.', 'rate_limit_exceeded'),
    limits,
  );
}

function errorBody(type: string, message: string, code: string | null): JsonObject {
  return { error: { message, type, param: null, code } };
}

function modelList(createdSeconds: number): JsonObject {
  return { object: 'list', data: SIMULATOR_MODELS.map((id) => ({ id, object: 'model', created: createdSeconds, owned_by: 'simulator' })) };
}

function routeOf(url: string): UpstreamRoute | null {
  const routes = Object.entries(ROUTE_PATHS) as [UpstreamRoute, string][];
  return routes.find(([, path]) => url.endsWith(path))?.[0] ?? null;
}

function parse(body: Uint8Array | null): JsonObject | null {
  try {
    return asObject(JSON.parse(new TextDecoder().decode(body ?? new Uint8Array())));
  } catch {
    return null;
  }
}

const NEVER = new AbortController().signal;

function realDelay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
