import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { Belonging } from '../../src/domain/state.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WHO: Belonging = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: 'ann', sender: '203.0.113.57' };

/** A clock that only a test moves, from eight in the morning and five minutes. */
class OwnClock implements Clock {
  #ms = 0;
  readonly #startMs = systemClock.nowMs() - (systemClock.nowMs() % DAY_MS) + 8 * HOUR_MS + 5 * MINUTE_MS;
  nowMs = () => this.#startMs + this.#ms;
  monotonicMs = () => this.#ms;
  move(ms: number): void {
    this.#ms += ms;
  }
}

async function spendEvery(opened: Awaited<ReturnType<typeof openSeeded>>, clock: OwnClock, pausesMs: readonly number[]): Promise<void> {
  for (const pauseMs of pausesMs) {
    const decision = await opened.ledger.admit(candidate({ endUser: WHO.endUser }), 1, always(allowed()));
    opened.ledger.settle(settlement(decision, { costNanoUsd: 1_000 }));
    clock.move(pauseMs);
  }
  await opened.ledger.drain();
  await opened.close();
}

test('after a start a window of an hour holds what it held before, and lets go of it at the same time', async () => {
  using directory = temporaryDirectory();
  const clock = new OwnClock();
  const first = await openSeeded(directory.path, { clock });
  await spendEvery(first, clock, [50 * MINUTE_MS, 35 * MINUTE_MS, 20 * MINUTE_MS]);
  const second = await openSeeded(directory.path, { clock });
  const seen = new Set<number>();
  for (let turn = 0; turn < 10; turn++) {
    for (const scope of ['key', 'project', 'user', 'sender'] as const) {
      const spent = second.memory.spentWithin(scope, WHO, HOUR_MS, second.ledger.nowMs());
      expect(spent).toBe(first.memory.spentWithin(scope, WHO, HOUR_MS, second.ledger.nowMs()));
      seen.add(spent);
    }
    clock.move(7 * MINUTE_MS);
  }
  expect([...seen]).toEqual([2_000, 1_000, 0]);
  await second.close();
});

test('what a sender spent is known after a start, however many denials came since', async () => {
  using directory = temporaryDirectory();
  const clock = new OwnClock();
  await spendEvery(await openSeeded(directory.path, { clock }), clock, [MINUTE_MS]);
  const db = new Database(ledgerPath(directory.path));
  // As many seqs as denials of an hour can take; their rows would change nothing.
  db.run('UPDATE checkpoint SET last_seq = last_seq + 1000000');
  db.close();
  const second = await openSeeded(directory.path, { clock });
  expect(second.memory.spentWithin('sender', WHO, HOUR_MS, second.ledger.nowMs())).toBe(1_000);
  await second.close();
});
