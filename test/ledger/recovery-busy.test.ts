import { expect, test } from 'bun:test';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { Belonging } from '../../src/domain/state.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const REQUESTS = 3_000;
const SENDERS = 7;

/** A clock that only a test moves, from the middle of an hour and of a minute. */
class OwnClock implements Clock {
  #ms = 0;
  readonly #startMs = systemClock.nowMs() - (systemClock.nowMs() % HOUR_MS) + 30.5 * MINUTE_MS;
  nowMs = () => this.#startMs + this.#ms;
  monotonicMs = () => this.#ms;
  move(ms: number): void {
    this.#ms += ms;
  }
}

function who(index: number): Belonging {
  return {
    environmentTest: false,
    workspaceId: 1,
    projectId: 1,
    keyId: 1,
    endUser: index % 3 === 0 ? null : `user-${index % 3}`,
    sender: `203.0.113.${index % SENDERS}`,
  };
}

test('a start after a busy hour restores every sum, and no window with less than was spent in it', async () => {
  using directory = temporaryDirectory();
  const clock = new OwnClock();
  const first = await openSeeded(directory.path, { clock });
  const admit = async (index: number) => {
    const { endUser, sender } = who(index);
    const models = index % 2 === 0 ? ['gpt-4.1-mini', 'o4-mini'] : ['gpt-4.1-mini'];
    const fingerprint = index % 5 === 0 ? 0xffff_ffff_ffff_fff1n : BigInt(index);
    return first.ledger.admit(candidate({ endUser, ip: sender, models, fingerprint }), 1, always(allowed()));
  };
  for (let index = 0; index < REQUESTS; index += 50) {
    const made = await Promise.all(Array.from({ length: 50 }, (_, offset) => admit(index + offset)));
    for (const decision of made) first.ledger.settle(settlement(decision, { costNanoUsd: 1_000 + decision.seq }));
    clock.move(35_000);
  }
  await first.ledger.drain();
  await first.close();
  const second = await openSeeded(directory.path, { clock });
  const nowMs = second.ledger.nowMs();

  expect(second.memory.snapshot(nowMs)).toEqual(first.memory.snapshot(nowMs));
  for (let index = 0; index < SENDERS * 3; index++) {
    for (const scope of ['key', 'project', 'sender', 'user'] as const) {
      for (const windowMs of [MINUTE_MS, 5 * MINUTE_MS, 20 * MINUTE_MS, HOUR_MS]) {
        const spent = second.memory.spentWithin(scope, who(index), windowMs, nowMs);
        expect(spent).toBeGreaterThanOrEqual(first.memory.spentWithin(scope, who(index), windowMs, nowMs));
        expect(spent).toBeLessThanOrEqual(first.memory.spentWithin(scope, who(index), windowMs + MINUTE_MS, nowMs));
      }
    }
  }
  for (const windowMs of [MINUTE_MS, 20 * MINUTE_MS, HOUR_MS]) {
    for (const scope of ['key', 'project'] as const)
      expect(second.memory.requestsWithin(scope, who(0), windowMs, nowMs)).toBe(
        first.memory.requestsWithin(scope, who(0), windowMs, nowMs),
      );
    const repeats = (memory: typeof first.memory) => memory.repeatsWithin(0xffff_ffff_ffff_fff1n, who(0), windowMs, nowMs);
    expect(repeats(second.memory)).toBeGreaterThan(0);
    expect(repeats(second.memory)).toBe(repeats(first.memory));
  }
  await second.close();
});
