import { describe, expect, test } from 'bun:test';
import { BodyBudget } from '../../src/gateway/body-budget.ts';
import { collect } from '../../src/gateway/collect.ts';
import { cutEvent } from '../../src/gateway/cut-event.ts';
import { rejectsOurKey } from '../../src/gateway/provider-key.ts';
import { restOfAnswer } from '../../src/gateway/rest.ts';
import { FakeAnswer } from '../support/fake-upstream.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes));
const body = (...chunks: readonly string[]): FakeAnswer => new FakeAnswer(200, {}).push(...chunks).finish();

describe('body budget', () => {
  test('takes up to its capacity and not a byte more', () => {
    const budget = new BodyBudget(10);
    expect([budget.take(10), budget.take(1), budget.take(0)]).toEqual([true, false, true]);
    budget.give(4);
    expect([budget.take(5), budget.take(4), budget.takenBytes]).toEqual([false, true, 10]);
  });
});

describe('collect', () => {
  test.each([
    ['nothing', [], 10, '', true],
    ['one chunk', ['abc'], 10, 'abc', true],
    ['two chunks', ['abc', 'def'], 10, 'abcdef', true],
    ['exactly the limit', ['abcde', 'fghij'], 10, 'abcdefghij', true],
    ['one byte more', ['abcde', 'fghijk'], 10, 'abcdefghijk', false],
    ['more is left', ['abcdefghijkl', 'rest'], 10, 'abcdefghijkl', false],
  ])('%s', async (_, chunks, limit, expected, whole) => {
    const collected = await collect(body(...chunks), limit);
    expect([text(collected.bytes), collected.whole]).toEqual([expected, whole]);
  });

  test('a break is a rejection, whatever came before', async () => {
    for (const chunks of [[], ['abc']])
      expect(collect(new FakeAnswer(200, {}).push(...chunks).breakOff(), 10)).rejects.toThrow('broke off');
  });

  test('the rest goes on where the beginning ended', async () => {
    const source = body('abcdef', 'ghi', 'jkl');
    const { bytes } = await collect(source, 5);
    const rest = restOfAnswer(bytes, source);
    const read = [await rest.read(), await rest.read(), await rest.read(), await rest.read()];
    expect(read.map(text)).toEqual(['abcdef', 'ghi', 'jkl', null]);
  });
});

describe('errors about our key', () => {
  test.each<[number, string | null, boolean]>([
    [401, '', true],
    [401, 'rate limit', true],
    [401, null, true],
    [403, null, true],
    [403, '{"error":{"message":"Incorrect API key provided"}}', true],
    [403, 'invalid api_key', true],
    [403, 'Unauthorized', true],
    [403, 'bad credentials', true],
    [403, 'Your request was flagged by moderation', false],
    [403, 'Country, region, or territory not supported', false],
    [403, '', false],
    [400, 'api key', false],
    [404, 'api key', false],
    [429, 'api key', false],
    [500, 'api key', false],
    [200, 'api key', false],
  ])('%d %p: %p', (status, message, expected) => {
    expect(rejectsOurKey(status, message === null ? null : utf8(message))).toBe(expected);
  });
});

describe('cut events', () => {
  const data = (bytes: Uint8Array | null): unknown => JSON.parse(/data: (.*)\n\n$/.exec(text(bytes)!)![1]!);

  test.each([
    ['cut_sentry', 'policy_blocked', 'sentry_mode'],
    ['cut_revoked', 'authentication_error', 'revoked_key'],
    ['cut_shutdown', 'unavailable', 'shutting_down'],
    ['upstream_timeout', 'upstream_error', 'upstream_timeout'],
  ] as const)('%s says %s %s, in the shape of each API', (outcome, type, reason) => {
    const error = { type, reason, code: reason, param: null, message: expect.any(String), decision_id: 'dec_1' };
    expect(data(cutEvent(outcome, 'chat', 'dec_1'))).toEqual({ error });
    expect(data(cutEvent(outcome, 'responses', 'dec_1'))).toEqual({ ...error, type: 'error', error });
    expect(text(cutEvent(outcome, 'responses', 'dec_1'))).toStartWith('\n\nevent: error\ndata: ');
    expect(text(cutEvent(outcome, 'chat', 'dec_1'))).toStartWith('\n\ndata: ');
  });

  test.each(['completed', 'client_aborted', 'upstream_interrupted', 'upstream_error', 'not_sent', 'unknown'] as const)(
    '%s says nothing',
    (outcome) => {
      expect(cutEvent(outcome, 'chat', 'dec_1')).toBeNull();
    },
  );
});
