import { expect, test } from 'bun:test';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { BudgetAccount } from '../../src/domain/state.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const DAY_MS = 24 * 3_600_000;
const OVER_ALL_TIME: BudgetAccount = { scope: 'user', period: 'total', windowMs: 0, matches: null };
const OF_ONE_MODEL: BudgetAccount = { ...OVER_ALL_TIME, matches: (model) => model === 'o4-mini' };

/** A clock that only a test moves. */
class OwnClock implements Clock {
  #ms = 0;
  readonly #startMs = systemClock.nowMs() - 200 * DAY_MS;
  nowMs = () => this.#startMs + this.#ms;
  monotonicMs = () => this.#ms;
  move(ms: number): void {
    this.#ms += ms;
  }
}

test('a start months later still knows what each end user spent over all time', async () => {
  using directory = temporaryDirectory();
  const clock = new OwnClock();
  const first = await openSeeded(directory.path, { clock });
  const users = [null, 'ann', 'bob', 'a:b'];
  const spend = async (environment: 'live' | 'test', endUser: string | null, model: string) => {
    const decision = await first.ledger.admit(candidate({ environment, endUser, models: [model] }), 1, always(allowed()));
    first.ledger.settle(settlement(decision, { costNanoUsd: 1_000 + decision.seq }));
  };
  for (let day = 0; day < 3; day++) {
    for (const endUser of users) {
      await spend('live', endUser, 'gpt-4.1-mini');
      await spend('live', endUser, 'o4-mini');
      await spend('test', endUser, 'gpt-4.1-mini');
    }
    clock.move(DAY_MS);
  }
  clock.move(100 * DAY_MS);
  await spend('live', 'ann', 'gpt-4.1-mini');
  await first.ledger.drain();
  await first.close();
  const second = await openSeeded(directory.path, { clock });
  const nowMs = second.ledger.nowMs();

  for (const endUser of users) {
    for (const environmentTest of [false, true]) {
      const who = { environmentTest, workspaceId: 1, projectId: 1, keyId: 1, endUser, sender: null };
      for (const account of environmentTest ? [OVER_ALL_TIME] : [OVER_ALL_TIME, OF_ONE_MODEL]) {
        const spent = second.memory.balance(account, who, nowMs).settledNanoUsd;
        expect(spent).toBe(first.memory.balance(account, who, nowMs).settledNanoUsd);
        expect(spent).toBeGreaterThan(3_000);
      }
    }
  }
  await second.close();
});
