import type { NanoUsd } from '../../domain/money.ts';
import type { Balance } from '../../domain/state.ts';
import type { HoldPlan } from '../hold.ts';
import { usdText } from '../words.ts';

/** How long a client should wait for requests in flight to settle, in seconds: most answers end within a few. */
export const HELD_RETRY_SECONDS = 2;

/**
 * Whether holds in flight are all that stands in the way: once they have settled, the request could fit this limit,
 * and every enforced one. Where another limit is spent for good, waiting would be in vain.
 */
export function passesWithoutHolds(plan: HoldPlan, limitNanoUsd: NanoUsd, balance: Balance): boolean {
  if (balance.settledNanoUsd + plan.neededNanoUsd > limitNanoUsd) return false;
  const { roomWithoutHoldsNanoUsd } = plan.standings;
  return roomWithoutHoldsNanoUsd === null || plan.neededNanoUsd <= roomWithoutHoldsNanoUsd;
}

/** Where a limit stands, for people. What needs nothing, or is not known yet to need something, is refused by the standing alone. */
export function standingText(balance: Balance, neededNanoUsd: NanoUsd): string {
  const standing = `spent ${usdText(balance.settledNanoUsd)}, held by requests in flight ${usdText(balance.heldNanoUsd)}`;
  return neededNanoUsd === 0 ? standing : `${standing}, needed ${usdText(neededNanoUsd)}`;
}
