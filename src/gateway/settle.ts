import type { Decision, Outcome, Settlement } from '../domain/decision.ts';
import type { Allowed } from '../domain/verdict.ts';
import type { Usage } from '../domain/usage.ts';
import { costOf, estimateCost } from '../pricing/cost.ts';
import { tellsAll } from '../wire/usage/told.ts';
import type { Priced } from './price.ts';

/** How an attempt ended, as the path saw it. Times are of the monotonic clock, in milliseconds. */
export interface Ending {
  readonly outcome: Outcome;
  /** The provider's status, 0 when there was no answer. */
  readonly upstreamStatus: number;
  readonly usage: Usage | null;
  readonly responseId: string | null;
  /** Whether the provider may have worked for us: false only when nothing can have reached it. */
  readonly mayHaveBilled: boolean;
  readonly streamed: boolean;
  readonly deliveredTokens: number;
  readonly firstByteMs: number | null;
  readonly durationMs: number;
}

/** Statuses after which a provider may have done, and billed, the work all the same. */
const DOUBTFUL_STATUSES = new Set([408, 502, 504, 520, 522, 524]);

/** The settlement of an attempt: pure, one for each decision that was sent upstream. */
export function settlementOf(decision: Decision, priced: Priced, ending: Ending): Settlement {
  const verdict = decision.verdict as Allowed;
  const { cost, basis } = costOfEnding(priced, verdict, ending);
  return {
    decisionSeq: decision.seq,
    outcome: ending.outcome,
    basis,
    costNanoUsd: cost,
    usage: ending.usage,
    overrun: cost > verdict.holdNanoUsd,
    upstreamStatus: ending.upstreamStatus,
    firstByteMs: ending.firstByteMs,
    durationMs: ending.durationMs,
    responseId: ending.responseId,
    countsVolume: basis !== 'none' || ending.outcome === 'completed',
  };
}

function costOfEnding(priced: Priced, verdict: Allowed, ending: Ending): { cost: number; basis: Settlement['basis'] } {
  const told = ending.usage === null ? 0 : costOf(ending.usage, priced.rates);
  // What an error tells is all of it.
  if (ending.usage && (tellsAll(ending.usage) || isCleanError(ending))) return { cost: told, basis: 'reported' };
  if (!ending.mayHaveBilled || isCleanError(ending)) return { cost: 0, basis: 'none' };
  const estimate = estimateCost({
    quote: priced.candidate.quote,
    rates: priced.rates,
    profile: priced.profile,
    capTokens: verdict.heldOutputTokens,
    deliveredTokens: ending.deliveredTokens,
    elapsedMs: ending.durationMs,
    streamed: ending.streamed,
  });
  return { cost: Math.max(told, estimate.costNanoUsd), basis: estimate.basis };
}

/** The status alone says it: however the body of an error ended, its request was not worked on. */
function isCleanError(ending: Ending): boolean {
  const { upstreamStatus } = ending;
  return upstreamStatus >= 300 && upstreamStatus <= 599 && !DOUBTFUL_STATUSES.has(upstreamStatus);
}
