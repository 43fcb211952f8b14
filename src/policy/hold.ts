import type { Candidate, Quote } from '../domain/candidate.ts';
import { effectiveCap, holdFor } from '../domain/hold.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { Belonging, StateView } from '../domain/state.ts';
import type { CompiledPolicy, TokenGuardSection } from './compiled.ts';
import { readStandings, type Standings } from './standings.ts';

/** What a request will hold, which cap it gets, and what was read to find that out. */
export interface HoldPlan {
  readonly standings: Standings;
  readonly holdNanoUsd: NanoUsd;
  /** The least hold with which the request could be admitted: with the client's own cap, or with the floor when it sent none. */
  readonly neededNanoUsd: NanoUsd;
  /** The cap that goes into the body, tokens for each choice, or null. */
  readonly outputCap: number | null;
  readonly heldOutputTokens: number;
}

/**
 * Finds the hold and the cap (DESIGN section 5). A client's cap stands. Without one, a request whose money is limited
 * gets the greatest cap with which it holds no more than the policy's share of the tightest limit and fits into what is left,
 * but never one under the quote's floor: what cannot take the floor is refused by the limit that cannot.
 */
export function planHold(policy: CompiledPolicy, state: StateView, candidate: Candidate, who: Belonging, nowMs: number): HoldPlan {
  const { quote } = candidate;
  const standings = readStandings(policy, state, candidate, who, nowMs);
  if (quote.choices === 0) {
    const holdNanoUsd = holdFor(quote, 0);
    return { standings, holdNanoUsd, neededNanoUsd: holdNanoUsd, outputCap: null, heldOutputTokens: 0 };
  }
  const wanted = effectiveCap(quote);
  const guarded = Math.min(wanted, guardedOutput(policy, quote));
  if (quote.clientOutputCap !== null) {
    const holdNanoUsd = holdFor(quote, guarded);
    return {
      standings,
      holdNanoUsd,
      neededNanoUsd: holdNanoUsd,
      outputCap: guarded < wanted ? guarded : null,
      heldOutputTokens: guarded,
    };
  }
  const least = Math.min(quote.outputFloor, guarded);
  const held = Math.max(least, affordable(policy, quote, standings, guarded));
  const holdNanoUsd = holdFor(quote, held);
  return {
    standings,
    holdNanoUsd,
    neededNanoUsd: held === least ? holdNanoUsd : holdFor(quote, least),
    outputCap: held < quote.modelOutputLimit ? held : null,
    heldOutputTokens: held,
  };
}

/** The greatest cap up to `most` that the share of the tightest limit and what is left of every limit allow. */
function affordable(policy: CompiledPolicy, quote: Quote, standings: Standings, most: number): number {
  const { tightestLimitNanoUsd, roomNanoUsd } = standings;
  if (roomNanoUsd === null) return most;
  const share = tightestLimitNanoUsd === null ? roomNanoUsd : Math.floor(tightestLimitNanoUsd * policy.pricing.maxHoldShare);
  return capWithin(quote, Math.min(share, roomNanoUsd), most);
}

/** The greatest cap up to `most` with which the hold is at most `limitNanoUsd`; 0 when not even that fits. */
function capWithin(quote: Quote, limitNanoUsd: NanoUsd, most: number): number {
  const left = limitNanoUsd - quote.inputHoldNanoUsd;
  if (left <= 0) return 0;
  const cap = Math.floor((left / quote.outputNanoUsdPerMillion) * (1_000_000 / quote.choices));
  // A price of 0 divides to infinity.
  if (cap > most) return most;
  return holdFor(quote, cap) <= limitNanoUsd ? cap : cap - 1;
}

/** The output for each choice that enforced token guards leave, tokens; Infinity when they leave all. */
function guardedOutput(policy: CompiledPolicy, quote: Quote): number {
  let least = Number.POSITIVE_INFINITY;
  for (const guard of policy.tokenGuards) {
    if (guard.mode !== 'enforce' || (!guard.clamps && quote.clientOutputCap !== null)) continue;
    const most = guardOutputCap(guard, quote);
    // A guard that leaves nothing refuses in its own control; here it must not make a cap of 0.
    if (most >= 1) least = Math.min(least, most);
  }
  return least;
}

/** The output for each choice that one guard allows, in tokens: what is left of its total may lower it. */
export function guardOutputCap(guard: TokenGuardSection, quote: Quote): number {
  const byTotal = guard.maxTotalTokens === null ? Number.POSITIVE_INFINITY : guard.maxTotalTokens - quote.inputTokenEstimate;
  const byOutput = guard.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  return Math.floor(Math.min(byTotal, byOutput) / Math.max(1, quote.choices));
}
