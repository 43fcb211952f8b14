import { expect, test } from 'bun:test';
import { errorCode, failureOf } from '../../src/upstream/failures.ts';
import type { FailureKind } from '../../src/upstream/upstream.ts';

const rows: readonly [string, FailureKind, boolean][] = [
  ['ECONNREFUSED', 'unreachable', false],
  ['ENOTFOUND', 'unreachable', false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unreachable', false],
  ['CERT_HAS_EXPIRED', 'unreachable', false],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'unreachable', false],
  ['ECONNRESET', 'reset', true],
  ['ETIMEDOUT', 'reset', true],
  ['EPIPE', 'reset', true],
  ['Malformed_HTTP_Response', 'malformed', true],
  ['A_CODE_OF_TOMORROW', 'reset', true],
];

test.each(rows)('%s is %s, billed perhaps: %p', (code, kind, mayHaveBilled) => {
  expect(failureOf(Object.assign(new TypeError('x'), { code }))).toEqual({ kind, code, mayHaveBilled });
});

test('errors without a code go by their name', () => {
  expect([new TypeError('x'), null, 'text', { code: 20, name: 'AbortError' }].map(errorCode)).toEqual([
    'TypeError',
    'unknown',
    'unknown',
    'AbortError',
  ]);
});
