import { describe, expect, test } from 'bun:test';
import { REASONS, Refusal, type Reason } from '../../src/domain/errors.ts';

/** The table of DESIGN section 4, and what the other routes add to it. */
const TABLE: readonly [number, string, boolean, readonly Reason[]][] = [
  [400, 'invalid_request_error', false, ['invalid_json', 'duplicate_key', 'invalid_utf8', 'too_deep', 'too_many_members', 'missing_model']],
  [
    400,
    'invalid_request_error',
    false,
    ['missing_field', 'invalid_value', 'invalid_host', 'invalid_framing', 'conflicting_caps', 'background_unsupported', 'unknown_field'],
  ],
  [401, 'authentication_error', false, ['missing_key', 'invalid_key', 'revoked_key', 'expired_key', 'conflicting_keys']],
  [402, 'capacity_exhausted', false, ['included_volume_used', 'credits_exhausted']],
  [
    403,
    'policy_blocked',
    false,
    ['network_blocked', 'region_blocked', 'model_blocked', 'model_unpriced', 'sentry_mode', 'abuse_detection'],
  ],
  [403, 'policy_blocked', false, ['token_guard', 'loop_guard', 'unpriced_feature', 'request_budget', 'key_budget', 'user_budget']],
  [403, 'policy_blocked', false, ['project_budget', 'workspace_budget', 'forbidden']],
  [403, 'policy_blocked', true, ['burst_protection', 'concurrency_limit']],
  [404, 'not_found', false, ['unknown_url', 'unknown_model', 'no_provider', 'unknown_resource']],
  [408, 'invalid_request_error', false, ['receive_timeout']],
  [409, 'invalid_request_error', false, ['conflict']],
  [413, 'invalid_request_error', false, ['request_too_large']],
  [415, 'invalid_request_error', false, ['unsupported_encoding', 'unsupported_media_type']],
  [429, 'authentication_error', true, ['too_many_attempts']],
  [500, 'internal_error', false, ['internal_error']],
  [502, 'upstream_error', false, ['upstream_unreachable', 'upstream_interrupted', 'upstream_auth', 'upstream_redirect']],
  [504, 'upstream_error', false, ['upstream_timeout']],
  [503, 'unavailable', true, ['ledger_unavailable', 'overloaded', 'shutting_down', 'clock_unconfirmed']],
];

const rows = TABLE.flatMap(([status, type, retryable, reasons]) => reasons.map((reason) => [reason, status, type, retryable] as const));

describe('reasons', () => {
  test.each(rows)('%s is %d %s', (reason, status, type, retryable) => {
    const refusal = new Refusal(reason, 'why');
    expect({ status: refusal.status, type: refusal.type, retryable: refusal.retryable }).toEqual({
      status,
      type: type as never,
      retryable,
    });
  });

  test('the table is whole', () => {
    expect(rows.map(([reason]) => reason).toSorted()).toEqual((Object.keys(REASONS) as Reason[]).toSorted());
  });

  test('a refusal may say otherwise for itself, and changes nobody else', () => {
    const refusal = new Refusal('project_budget', 'why', { retryable: true, status: 429, retryAfterSeconds: 2 });
    expect([refusal.status, refusal.retryable, refusal.options.retryAfterSeconds]).toEqual([429, true, 2]);
    expect([new Refusal('project_budget', 'why').status, new Refusal('project_budget', 'why').retryable]).toEqual([403, false]);
  });
});
