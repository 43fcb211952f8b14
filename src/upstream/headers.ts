import { traceHeadersOf, type TraceHeaders } from '../domain/trace-context.ts';

/**
 * Which headers pass, both ways, as allow-lists: a header that nobody thought of stays where it is.
 */

/**
 * What a provider may see of a client's headers. Left out on purpose: whatever chooses the account or the price
 * (`openai-organization`, `openai-project`, `anthropic-beta`), `idempotency-key` (two projects behind one account could read
 * each other's answers), `accept-encoding` (we ask for plain bytes to find usage in them),
 * `content-type` (what we judged as JSON must be read as JSON), and what describes the
 * client's machine (`user-agent`, `x-stainless-*`, cookies, forwarded addresses). `traceparent` and `tracestate` pass when
 * they are valid; what is not valid is as if it had not been sent.
 */
const TO_PROVIDER = ['accept', 'openai-beta', 'http-referer', 'x-title'] as const;

/** How a request presents itself to its provider. */
export interface RequestHeaderOptions {
  /** The provider's key, or null for a server that wants none. */
  readonly secret: string | null;
  readonly userAgent: string;
  /** Headers of ours that stand before all others. */
  readonly extra?: Readonly<Record<string, string>>;
  /** The trace that goes on to the provider in place of the client's own; absent or null passes the client's on. */
  readonly trace?: TraceHeaders | null;
}

/** The headers of a request to a provider. The result holds the provider's key: do not log it. */
export function requestHeaders(client: Headers, options: RequestHeaderOptions): Record<string, string> {
  const out: Record<string, string> = {
    ...options.extra,
    'user-agent': options.userAgent,
    'accept-encoding': 'identity',
  };
  for (const name of TO_PROVIDER) {
    const value = client.get(name);
    if (value !== null) out[name] = value;
  }
  const trace = options.trace ?? traceHeadersOf(client);
  if (trace !== null) putTrace(out, trace);
  if (options.secret !== null) out['authorization'] = `Bearer ${options.secret}`;
  return out;
}

function putTrace(out: Record<string, string>, { traceparent, tracestate }: TraceHeaders): void {
  out['traceparent'] = traceparent;
  if (tracestate !== null) out['tracestate'] = tracestate;
}

/** What a client may see of a provider's headers, by name. */
const TO_CLIENT = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
  'date',
  'etag',
  'vary',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-request-id',
  'request-id',
  'apim-request-id',
  'mistral-correlation-id',
  'x-ds-trace-id',
  'x-generation-id',
  'x-groq-region',
  'inference-id',
  'cf-ray',
  'server-timing',
  'traceparent',
  'x-accel-buffering',
  'x-robots-tag',
  'x-data-retention',
  'x-zero-data-retention',
]);

/** The same by the beginning of the name. */
const TO_CLIENT_PREFIXES = ['openai-', 'x-ratelimit-', 'anthropic-ratelimit-', 'x-metrics-', 'x-ms-'];

/** Begin as an allowed header but name the account behind our key. */
const ACCOUNT = new Set(['openai-organization', 'openai-project', 'x-ms-client-request-id', 'x-ms-deployment-name', 'x-ratelimit-key']);

/**
 * Takes out of a provider's headers what a client may not see, and returns the same object: copying it name by name costs
 * several times as much. Hop-by-hop headers, `content-length`, cookies, CORS, HSTS, `alt-svc`, `server`, and whatever calls
 * itself `x-panicly-` are not on the list.
 */
export function responseHeaders(provider: Headers): Headers {
  let unwanted: string[] | null = null;
  for (const name of provider.keys()) if (!passesToClient(name)) (unwanted ??= []).push(name);
  if (unwanted !== null) for (const name of unwanted) provider.delete(name);
  return provider;
}

const REMEMBERED = 1_000;
const remembered = new Map<string, boolean>();

function passesToClient(name: string): boolean {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const passes = TO_CLIENT.has(name) || (!ACCOUNT.has(name) && TO_CLIENT_PREFIXES.some((prefix) => name.startsWith(prefix)));
  // A provider that invents names must not grow our memory.
  if (remembered.size < REMEMBERED) remembered.set(name, passes);
  return passes;
}
