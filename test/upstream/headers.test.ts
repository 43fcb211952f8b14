import { describe, expect, test } from 'bun:test';
import { requestHeaders, responseHeaders } from '../../src/upstream/headers.ts';

const PROJECT_KEY = 'pk_live_canaryProjectKey';
const PROVIDER_KEY = 'sk-canaryProviderKey';

describe('to the provider', () => {
  const client = new Headers({
    authorization: `Bearer ${PROJECT_KEY}`,
    'x-panicly-key': PROJECT_KEY,
    'x-panicly-user': 'person',
    'x-api-key': PROJECT_KEY,
    'api-key': PROJECT_KEY,
    cookie: 'session=canary',
    host: 'evil.example',
    'content-type': 'text/plain',
    accept: 'text/event-stream',
    'accept-encoding': 'gzip, br',
    'user-agent': 'OpenAI/JS',
    'x-stainless-lang': 'js',
    'openai-organization': 'org-other',
    'openai-project': 'proj-other',
    'openai-beta': 'responses=v1',
    'anthropic-beta': 'context-1m',
    'idempotency-key': 'stainless-node-retry',
    'x-forwarded-for': '203.0.113.9',
    'proxy-authorization': 'Basic x',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    connection: 'x-custom',
    'transfer-encoding': 'chunked',
    'content-length': '5',
    'x-custom': 'canary',
  });

  test('only the list, our own, and the key in its place', () => {
    expect(requestHeaders(client, { secret: PROVIDER_KEY, userAgent: 'panicly/1' })).toEqual({
      accept: 'text/event-stream',
      'openai-beta': 'responses=v1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'user-agent': 'panicly/1',
      'accept-encoding': 'identity',
      authorization: `Bearer ${PROVIDER_KEY}`,
    });
  });

  test.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'congo=1', 'congo=1'],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'NOT VALID', undefined],
    ['canary', 'congo=1', undefined],
  ])('traceparent %s with tracestate %s', (traceparent, tracestate, passed) => {
    const sent = requestHeaders(new Headers({ traceparent, tracestate }), { secret: null, userAgent: 'panicly/1' });
    expect(sent['traceparent']).toBe(traceparent === 'canary' ? undefined : traceparent);
    expect(sent['tracestate']).toBe(passed);
    const trace = { traceparent: 'ours', tracestate: null };
    const ours = requestHeaders(new Headers({ traceparent, tracestate }), { secret: null, userAgent: 'panicly/1', trace });
    expect([ours['traceparent'], ours['tracestate']]).toEqual(['ours', undefined]);
  });

  test('no key, no authorization; a project key never passes', () => {
    const sent = requestHeaders(client, { secret: null, userAgent: 'panicly/1', extra: { 'x-extra': '1' } });
    expect(sent['authorization']).toBeUndefined();
    expect(sent['x-extra']).toBe('1');
    expect(JSON.stringify(sent)).not.toContain('canary');
  });

  test('a client cannot override what is ours', () => {
    const sent = requestHeaders(new Headers({ authorization: 'Bearer x', 'user-agent': 'y' }), {
      secret: PROVIDER_KEY,
      userAgent: 'panicly/1',
    });
    expect(sent).toEqual({ authorization: `Bearer ${PROVIDER_KEY}`, 'user-agent': 'panicly/1', 'accept-encoding': 'identity' });
  });
});

describe('to the client', () => {
  const passes = [
    'content-type',
    'content-encoding',
    'cache-control',
    'date',
    'retry-after',
    'retry-after-ms',
    'x-should-retry',
    'x-request-id',
    'request-id',
    'openai-processing-ms',
    'openai-version',
    'openai-model',
    'x-ratelimit-remaining-tokens',
    'x-ratelimit-reset-requests',
    'anthropic-ratelimit-tokens-remaining',
    'cf-ray',
    'apim-request-id',
    'mistral-correlation-id',
    'x-ds-trace-id',
    'x-generation-id',
    'x-ms-region',
  ];
  const stays = [
    'set-cookie',
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-connection',
    'transfer-encoding',
    'te',
    'trailer',
    'upgrade',
    'content-length',
    'strict-transport-security',
    'alt-svc',
    'server',
    'via',
    'access-control-allow-origin',
    'access-control-expose-headers',
    'x-panicly-cost-usd',
    'x-panicly-decision-id',
    'openai-organization',
    'openai-project',
    'x-ratelimit-key',
    'content-security-policy',
    'location',
    'www-authenticate',
    'nel',
    'report-to',
    'authorization',
    'x-unheard-of',
  ];

  test.each(passes)('%s passes', (name) => {
    expect(responseHeaders(new Headers({ [name]: 'value' })).get(name)).toBe('value');
  });

  test.each(stays)('%s stays', (name) => {
    expect([...responseHeaders(new Headers([[name, 'value']])).keys()]).toEqual([]);
  });

  test('what must not pass goes from among what does, however often it comes', () => {
    const provider = new Headers({
      'content-type': 'application/json',
      server: 'x',
      'openai-version': '1',
      via: 'y',
      'x-request-id': 'req_1',
    });
    provider.append('set-cookie', 'a=1');
    provider.append('set-cookie', 'b=2');
    expect([...responseHeaders(provider).keys()].toSorted()).toEqual(['content-type', 'openai-version', 'x-request-id']);
  });

  test('more names than are remembered are still judged rightly', () => {
    const many = new Headers();
    for (let index = 0; index < 2_500; index++) many.append(`x-odd-${index}`, '1');
    many.append('openai-version', '1');
    for (let round = 0; round < 2; round++) expect([...responseHeaders(new Headers(many)).keys()]).toEqual(['openai-version']);
  });
});
