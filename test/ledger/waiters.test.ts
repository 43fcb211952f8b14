import { expect, test } from 'bun:test';
import { systemClock } from '../../src/clock.ts';
import { Admission, Waiters, type AllowDecision } from '../../src/ledger/admission.ts';

const DEADLINE_MS = 40;

function waiting(): { readonly waiters: Waiters; readonly expired: Promise<number>; readonly sinceMs: number } {
  const { promise, resolve } = Promise.withResolvers<number>();
  const waiters = new Waiters(DEADLINE_MS, systemClock, () => resolve(systemClock.monotonicMs()));
  const sinceMs = systemClock.monotonicMs();
  waiters.add(new Admission({ seq: 1, atMs: 0 } as AllowDecision, [0], sinceMs, { admitted: () => {} }));
  return { waiters, expired: promise, sinceMs };
}

test('a silent writer is waited for until the deadline', async () => {
  const { waiters, expired, sinceMs } = waiting();
  expect((await expired) - sinceMs).toBeGreaterThanOrEqual(DEADLINE_MS - 1);
  waiters.stop();
});

test('a writer that goes on answering is waited for longer, but not for ever', async () => {
  const { waiters, expired, sinceMs } = waiting();
  const answers = setInterval(() => waiters.progressed(), DEADLINE_MS / 4);
  const waitedMs = (await expired) - sinceMs;
  clearInterval(answers);
  waiters.stop();
  expect(waitedMs).toBeGreaterThan(4 * DEADLINE_MS);
});
