import { expect, test } from 'bun:test';
import type { Outcome } from '../../src/domain/decision.ts';
import type { Attempt } from '../../src/gateway/attempt.ts';
import { ProviderHealth } from '../../src/operator/provider-health.ts';

let nowMs = 1_000;
const ended = (
  outcome: Outcome,
  upstreamStatus: number,
  options: { firstByteMs?: number; sentMs?: number | null; connection?: number | null } = {},
) => {
  const { firstByteMs = 10, sentMs = 1, connection = 7 } = options;
  return {
    settlement: { outcome, firstByteMs },
    upstreamStatus,
    sentMs,
    priced: { connection: connection === null ? null : { id: connection } },
  } as unknown as Attempt;
};

test.each<[Outcome, number, string | null]>([
  ['completed', 200, null],
  ['upstream_error', 400, null],
  ['upstream_error', 404, null],
  ['upstream_error', 401, 'key_refused'],
  ['upstream_error', 429, 'rate_limited'],
  ['upstream_error', 503, 'http_503'],
  ['upstream_error', 0, 'bad_answer'],
  ['not_sent', 0, 'unreachable'],
  ['upstream_timeout', 0, 'timeout'],
  ['upstream_interrupted', 200, 'interrupted'],
])('%s with status %d', (outcome, status, kind) => {
  const health = new ProviderHealth(() => nowMs);
  health.ended(ended(outcome, status));
  expect(health.of(7)).toMatchObject({ attempts: 1, ok: kind === null ? 1 : 0, lastError: kind === null ? null : { kind, atMs: nowMs } });
});

test.each<[string, Attempt]>([
  ['a client that went away', ended('client_aborted', 200)],
  ['our own stop', ended('cut_sentry', 200)],
  ['what never left', ended('not_sent', 0, { sentMs: null })],
  ['the simulator', ended('completed', 200, { connection: null })],
])('%s says nothing about a provider', (_, attempt) => {
  const health = new ProviderHealth(() => nowMs);
  health.ended(attempt);
  expect(health.of(7)).toBeNull();
});

test('the last 100 count, the last error stays', () => {
  const health = new ProviderHealth(() => nowMs);
  health.ended(ended('upstream_error', 500, { firstByteMs: 9_000 }));
  nowMs = 5_000;
  for (let count = 0; count < 100; count++) health.ended(ended('completed', 200, { firstByteMs: count }));
  expect(health.of(7)).toEqual({ attempts: 100, ok: 100, lastError: { kind: 'http_500', atMs: 1_000 }, p50FirstByteMs: 49 });
  expect(health.of(8)).toBeNull();
});
