import { describe, expect, test } from 'bun:test';
import { binaryCeilingRound, NESTED } from '../support/binary-ceiling.ts';

describe('nested budgets under streams and random aborts (I2)', () => {
  test.each(NESTED)('the %s budget is the tightest', async (tightest) => {
    const { findings, arrived, unavailable, fullest } = await binaryCeilingRound(tightest);
    expect(findings).toEqual([]);
    expect(arrived + unavailable).toBeGreaterThan(0);
    expect(fullest).toBeGreaterThan(0.9);
  });
});
