import { expect, test } from 'bun:test';
import { runRealSequences } from '../support/real-ledger-sequences.ts';

/** The same sequences each time; `make nightly` takes others. */
const SEED = 20_261_122;

test('a ledger in files equals the naive model through crashes, restarts, clock moves and grants', async () => {
  const { admitted, starts } = await runRealSequences(15, SEED);
  expect(admitted).toBeGreaterThan(50);
  expect(starts).toBeGreaterThan(15);
}, 60_000);
