import type { BudgetAccount } from '../../../src/domain/state.ts';

/** What every request of the load holds, nano-USD. */
export const HOLD_NANO_USD = 1_000;
/** A budget that the load fills up to its edge, so that a decision without the settlement that made its room is seen. */
export const LIMIT_NANO_USD = 40_000;
/** The budget's account. */
export const ACCOUNT: BudgetAccount = { scope: 'project', period: 'total', windowMs: 0, matches: null };

/** What a decision's request costs in truth, nano-USD: less than its hold. */
export function trueCostOf(seq: number): number {
  return (seq * 37) % 200;
}
