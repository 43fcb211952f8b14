import { expect, test } from 'bun:test';
import { runRealSequences } from '../support/real-ledger-sequences.ts';

/** The same sequences each time; `make nightly` takes others. */
const SEED = 20_261_122;

test('a ledger in files equals the naive model through crashes, restarts, clock moves, grants and pruning', async () => {
  const { admitted, starts, pruned } = await runRealSequences(5, SEED);
  expect(admitted).toBeGreaterThan(15);
  expect(starts).toBeGreaterThan(5);
  expect(pruned).toBeGreaterThan(5);
}, 60_000);
