import { expect, test } from 'bun:test';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { Belonging } from '../../src/domain/state.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WHO: Belonging = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: '203.0.113.57' };

/** A clock that only a test moves. */
class OwnClock implements Clock {
  #ms = 0;
  readonly #startMs = systemClock.nowMs();
  nowMs = () => this.#startMs + this.#ms;
  monotonicMs = () => this.#ms;
  move(ms: number): void {
    this.#ms += ms;
  }
}

async function spend(opened: Awaited<ReturnType<typeof openSeeded>>, costNanoUsd: number): Promise<number> {
  const decision = await opened.ledger.admit(candidate(), 1, always(allowed()));
  opened.ledger.settle(settlement(decision, { costNanoUsd }));
  await opened.ledger.drain();
  return decision.seq;
}

test('a correction gives a sender nothing back of what no start counted for it', async () => {
  using directory = temporaryDirectory();
  const clock = new OwnClock();
  const first = await openSeeded(directory.path, { clock });
  const longAgo = await spend(first, 9_000);
  clock.move(3 * HOUR_MS);
  const lately = await spend(first, 500);
  await first.close();
  const { store, memory, ledger, close } = await openSeeded(directory.path, { clock });
  const spent = () => memory.spentWithin('sender', WHO, DAY_MS, ledger.nowMs());
  expect(spent()).toBe(500);
  await store.correct((await store.getDecision(longAgo))!, 1_000, 'billed less', 'opr_1');
  expect(spent()).toBe(500);
  expect(memory.spentWithin('key', WHO, DAY_MS, ledger.nowMs())).toBe(1_500);
  await store.correct((await store.getDecision(lately))!, 100, 'billed less', 'opr_1');
  expect(spent()).toBe(100);
  await store.correct((await store.getDecision(longAgo))!, 1_200, 'billed more', 'opr_1');
  expect(spent()).toBe(300);
  await close();
});
