import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../src/clock.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, always, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const ROUNDS = 8;
const HOUR_MS = 3_600_000;

/** A clock that a test moves, together with its monotonic side. */
class MovedClock implements Clock {
  #aheadMs = 0;
  nowMs = () => systemClock.nowMs() + this.#aheadMs;
  monotonicMs = () => systemClock.monotonicMs() + this.#aheadMs;
  move(ms: number): void {
    this.#aheadMs += ms;
  }
}

describe('a start', () => {
  test('brings the state back as it was', async () => {
    using directory = temporaryDirectory();
    const clock = new MovedClock();
    const first = await openSeeded(directory.path, { clock });
    for (let index = 0; index < 300; index++) {
      const models = index % 5 === 0 ? ['gpt-4.1-mini', 'o4-mini'] : ['gpt-4.1-mini'];
      const endUser = index % 3 === 0 ? null : `user-${index % 4}`;
      const test = index % 7 === 0 ? ({ environment: 'test', keyId: 2, connectionId: 0 } as const) : {};
      const draws = index % 11 === 0 ? 'credit' : 'included';
      const decision = await first.ledger.admit(candidate({ models, endUser, ...test }), 1, always(allowed({ draws })));
      first.ledger.settle(settlement(decision, { costNanoUsd: index * 1_000, countsVolume: index % 13 !== 0 }));
      await first.ledger.admit(candidate(), 1, always(denied()));
      if (index % 50 === 20) clock.move(9 * HOUR_MS);
    }
    await first.store.grantCredits(1, 500, 'gift', 'opr_1');
    await first.store.setSentry({ projectId: 1 }, true, 'opr_1');
    await first.ledger.drain();
    const nowMs = first.ledger.nowMs();
    const before = first.memory.snapshot(nowMs);
    await first.close();
    const second = await openSeeded(directory.path, { clock });
    const after = second.memory.snapshot(nowMs);
    // Senders matter only within the last hour, which is all that is brought back of them.
    expect({ ...after.live, senders: {} }).toEqual({ ...before.live, senders: {} });
    expect({ ...after.test, senders: {} }).toEqual({ ...before.test, senders: {} });
    const who = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };
    expect(second.memory.sentry(who)).toBe('project');
    expect(second.memory.requestsWithin('project', who, HOUR_MS, nowMs)).toBe(first.memory.requestsWithin('project', who, HOUR_MS, nowMs));
    await second.close();
    expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  });

  test('never goes behind the time and the seq of the rows', async () => {
    using directory = temporaryDirectory();
    const clock = new MovedClock();
    const first = await openSeeded(directory.path, { clock });
    const before = await first.ledger.admit(candidate(), 1, always(allowed()));
    await first.close();
    clock.move(-HOUR_MS);
    const second = await openSeeded(directory.path, { clock });
    const after = await second.ledger.admit(candidate(), 1, always(allowed()));
    expect(after.seq).toBeGreaterThan(before.seq);
    expect(after.atMs).toBeGreaterThanOrEqual(before.atMs);
    await second.close();
  });

  test(`after kill -9 under load charges what was open, ${ROUNDS} times`, async () => {
    using directory = temporaryDirectory();
    const promised = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const seq of await killedChild(directory.path, 30 + round * 7)) promised.add(seq);
      const opened = await openSeeded(directory.path);
      expect(opened.memory.openCount).toBe(0);
      await opened.close();
    }
    const db = new Database(ledgerPath(directory.path), { readonly: true });
    const settled = new Map(
      db
        .query<{ seq: number; times: number }, []>(
          'SELECT d.seq, count(s.seq) AS times FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq GROUP BY d.seq',
        )
        .all()
        .map(({ seq, times }) => [seq, times]),
    );
    const unknown = db.query<{ n: number }, []>('SELECT count(*) AS n FROM settlements WHERE outcome = 9').get()!.n;
    db.close();
    expect(promised.size).toBeGreaterThan(ROUNDS * 16);
    expect([...promised].filter((seq) => settled.get(seq) !== 1)).toEqual([]);
    expect([...settled.values()].filter((times) => times !== 1)).toEqual([]);
    expect(unknown).toBeGreaterThan(0);
    expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  }, 60_000);
});

/** Lets a child work for a while, kills it, and returns the seqs that it was promised. */
async function killedChild(dataDir: string, lifeMs: number): Promise<number[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'workers/crash-child.ts'), dataDir], { stdout: 'pipe' });
  let text = '';
  const decoder = new TextDecoder();
  let isDoomed = false;
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (!isDoomed && text.startsWith('ready\n')) {
      isDoomed = true;
      setTimeout(() => child.kill('SIGKILL'), lifeMs);
    }
  }
  await child.exited;
  // The last line may be cut off.
  return text.split('\n').slice(1, -1).map(Number);
}
