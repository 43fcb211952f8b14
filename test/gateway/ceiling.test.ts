import { describe, expect, test } from 'bun:test';
import { CEILINGS, ceilingRounds, type Ceiling } from '../support/ceiling.ts';

/** `make torture` runs more of them. */
const ROUNDS = 20;
const EACH = ROUNDS / Object.keys(CEILINGS).length;

describe('1,000 requests at once on room for 100 (I2, F1)', () => {
  test.each(Object.entries(CEILINGS) as [Ceiling, string][])(
    'the %s budget is the tightest',
    async (ceiling, reason) => {
      const rounds = await ceilingRounds(ceiling, EACH);
      expect(rounds).toHaveLength(EACH);
      for (const { arrived, refused, takenNanoUsd, limitNanoUsd, leftOpen } of rounds) {
        expect({ arrived, refused, leftOpen }).toEqual({ arrived: 100, refused: { [reason]: 900 }, leftOpen: 0 });
        expect(takenNanoUsd).toBeLessThanOrEqual(limitNanoUsd);
        expect(takenNanoUsd).toBeGreaterThan(0);
      }
    },
    30_000,
  );
});
