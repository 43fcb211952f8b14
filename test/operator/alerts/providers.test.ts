import { describe, expect, test } from 'bun:test';
import type { Outcome } from '../../../src/domain/decision.ts';
import { FailureWindow } from '../../../src/operator/alerts/failure-window.ts';
import { isFailure } from '../../../src/operator/alerts/witness.ts';

describe('what counts as a failure of the provider', () => {
  const rows: readonly [Outcome, number, boolean | null][] = [
    ['completed', 200, false],
    ['upstream_error', 500, true],
    ['upstream_error', 529, true],
    ['upstream_error', 429, true],
    ['upstream_error', 401, true],
    ['upstream_error', 403, true],
    ['upstream_error', 400, false],
    ['upstream_error', 404, false],
    ['upstream_error', 0, true],
    ['not_sent', 0, true],
    ['upstream_interrupted', 200, true],
    ['upstream_timeout', 0, true],
    ['client_aborted', 200, null],
    ['cut_sentry', 200, null],
    ['cut_revoked', 200, null],
    ['cut_shutdown', 200, null],
    ['unknown', 0, null],
  ];
  test.each(rows)('%s with status %d: %p', (outcome, upstreamStatus, failed) => {
    expect(isFailure({ outcome, upstreamStatus })).toBe(failed);
  });
});

describe('a window of failures', () => {
  test('slides by ten seconds, and forgets after an hour', () => {
    const window = new FailureWindow();
    for (let second = 0; second < 120; second++) window.add(second < 60, second * 1_000);
    expect(window.count(60_000, 119_999)).toEqual({ requests: 60, failures: 0 });
    expect(window.count(120_000, 119_999)).toEqual({ requests: 120, failures: 60 });
    expect(window.count(60_000, 149_999)).toEqual({ requests: 30, failures: 0 });
    expect(window.count(3_600_000, 3_600_000)).toEqual({ requests: 110, failures: 50 });
    expect(window.count(3_600_000, 99_000_000)).toEqual({ requests: 0, failures: 0 });
    window.add(true, 99_000_001);
    expect(window.count(3_600_000, 99_000_001)).toEqual({ requests: 1, failures: 1 });
  });
});
