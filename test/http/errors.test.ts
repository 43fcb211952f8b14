import { describe, expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';
import { REASONS, Refusal, type Reason } from '../../src/domain/errors.ts';
import { errorHook, errorResponse, notFound } from '../../src/http/errors.ts';
import { checkRequest } from '../support/check-request.ts';

interface ErrorJson {
  readonly error: {
    readonly type: string;
    readonly reason: string;
    readonly code: string;
    readonly param: string | null;
    readonly message: string;
    readonly decision_id: string | null;
  };
}

const CANARY = 'canary-secret-of-an-exception';

describe('errorResponse', () => {
  test.each(Object.keys(REASONS) as Reason[])('%s has the one shape', async (reason) => {
    const response = errorResponse(new Refusal(reason, 'A "quoted"\nsentence.'), 'dec_1');
    const { status, type, retryable } = REASONS[reason];
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-should-retry')).toBe(String(retryable));
    expect(response.headers.has('retry-after')).toBe(retryable);
    expect(response.headers.get('x-panicly-decision-id')).toBe('dec_1');
    expect((await response.json()) as ErrorJson).toEqual({
      error: { type, reason, code: reason, param: null, message: 'A "quoted"\nsentence.', decision_id: 'dec_1' },
    });
  });

  test('options of a refusal beat the table', async () => {
    const refusal = new Refusal('project_budget', 'Held.', { param: 'max_tokens', retryable: true, retryAfterSeconds: 7, status: 429 });
    const response = errorResponse(refusal, null);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(response.headers.has('x-panicly-decision-id')).toBe(false);
    const { error } = (await response.json()) as ErrorJson;
    expect(error).toMatchObject({ param: 'max_tokens', decision_id: null });
  });

  test('a 401 names the scheme', () => {
    expect(errorResponse(new Refusal('missing_key', 'No key.'), null).headers.get('www-authenticate')).toStartWith('Bearer');
  });

  test.each([
    ['missing_key', true],
    ['receive_timeout', true],
    ['request_too_large', true],
    ['invalid_host', true],
    ['invalid_framing', true],
    ['unknown_url', true],
    ['invalid_json', false],
    ['overloaded', false],
    ['project_budget', false],
  ] as const)('%s: the connection is closed: %p', (reason, closes) => {
    const { headers } = errorResponse(new Refusal(reason, 'A sentence.'), null);
    expect(headers.get('connection')).toBe(closes ? 'close' : null);
  });

  test('a path of any length or form stays inside the JSON', async () => {
    const refusal = notFound('GET', `/"\\\u0000${'x'.repeat(5000)}`);
    const { error } = (await errorResponse(refusal, null).json()) as ErrorJson;
    expect(error.reason).toBe('unknown_url');
    expect(error.message.length).toBeLessThan(400);
  });
});

describe('errorHook', () => {
  const reported: unknown[] = [];
  const app = new Elysia({ normalize: false })
    .use(errorHook((error, id) => reported.push([error, id])))
    .get('/fails', () => {
      throw new Error(CANARY);
    })
    .get('/refuses', () => {
      throw new Refusal('conflict', 'There is one already.');
    })
    .get('/wrong-answer', () => ({ count: CANARY }) as unknown as { count: number }, { response: t.Object({ count: t.Number() }) })
    .post('/takes', () => 'ok', {
      parse: 'json',
      body: t.Object({ name: t.String(), inner: t.Optional(t.Object({ size: t.Number() })) }, { additionalProperties: false }),
    });

  const send = async (method: string, path: string, body?: string) => {
    const init = body === undefined ? { method } : { method, body, headers: { 'content-type': 'application/json' } };
    const response = await app.handle(new Request(`http://localhost${path}`, init));
    const text = await response.text();
    expect(text).not.toContain(CANARY);
    return { status: response.status, error: (JSON.parse(text) as ErrorJson).error };
  };

  test.each([
    ['GET', '/nowhere', undefined, 404, 'unknown_url', null],
    ['PUT', '/takes', '{}', 404, 'unknown_url', null],
    ['GET', '/refuses', undefined, 409, 'conflict', null],
    ['POST', '/takes', '{"name":', 400, 'invalid_json', null],
    ['POST', '/takes', '{}', 400, 'missing_field', 'name'],
    ['POST', '/takes', '{"name":"a","colour":"red"}', 400, 'unknown_field', 'colour'],
    ['POST', '/takes', '{"name":"a","inner":{"size":"x"}}', 400, 'invalid_value', 'inner.size'],
    ['GET', '/fails', undefined, 500, 'internal_error', null],
    ['GET', '/wrong-answer', undefined, 500, 'internal_error', null],
  ] as const)('%s %s %s is %i %s', async (method, path, body, status, reason, param) => {
    const answer = await send(method, path, body);
    expect(answer).toMatchObject({ status, error: { reason, code: reason, param } });
  });

  test('the log gets the error under the id that the client was given', async () => {
    const { error } = await send('GET', '/fails');
    const [failure, id] = reported.at(-1) as [Error, string];
    expect(failure.message).toBe(CANARY);
    expect(error.message).toContain(id);
  });
});

describe('checkRequest', () => {
  test.each([
    ['chat', { model: 'm', messages: [{ role: 'user', content: 'hi' }] }],
    [
      'chat',
      {
        model: 'm',
        messages: [
          {
            role: 'developer',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'image_url', image_url: { url: 'data:' } },
            ],
          },
        ],
      },
    ],
    [
      'chat',
      {
        model: 'm',
        messages: [
          { role: 'assistant', tool_calls: [{ id: 'c', type: 'function' }] },
          { role: 'tool', tool_call_id: 'c', content: '1' },
        ],
      },
    ],
    [
      'chat',
      {
        model: 'm',
        messages: [],
        stream: true,
        stream_options: { include_usage: true, other: 1 },
        tools: [{ type: 'function' }],
        tool_choice: 'auto',
        unheard_of: {},
      },
    ],
    ['chat', { model: 'm', messages: [], max_tokens: null, temperature: null, stream: null, tools: null }],
    ['responses', { model: 'm', input: 'hi', stream: true, instructions: null }],
    ['responses', { model: 'm', input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }], reasoning: { effort: 'low' } }],
    ['embeddings', { model: 'm', input: 'a' }],
    ['embeddings', { model: 'm', input: [[1, 2], [3]], encoding_format: 'base64', dimensions: 256 }],
  ] as const)('%s takes %j', (route, body) => {
    expect(checkRequest(route, body)).toBeNull();
  });

  test.each([
    ['chat', { messages: [] }, 'missing_field', 'model'],
    ['chat', { model: 'm' }, 'missing_field', 'messages'],
    ['chat', { model: 'm', messages: 'hi' }, 'invalid_value', 'messages'],
    ['chat', { model: 'm', messages: [{ content: 'hi' }] }, 'missing_field', 'messages.0.role'],
    ['chat', { model: 'm', messages: [], stream: 'yes' }, 'invalid_value', 'stream'],
    ['chat', [], 'invalid_value', undefined],
    ['responses', { model: 4 }, 'invalid_value', 'model'],
    ['embeddings', { model: 'm', input: 7 }, 'invalid_value', 'input'],
  ] as const)('%s refuses %j', (route, body, reason, param) => {
    const refusal = checkRequest(route, body);
    expect(refusal?.reason).toBe(reason);
    expect(refusal?.options.param).toBe(param as string);
  });
});
