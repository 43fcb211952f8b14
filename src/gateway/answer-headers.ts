import type { Settlement } from '../domain/decision.ts';
import { formatUsd } from '../domain/money.ts';
import { responseHeaders } from '../upstream/headers.ts';
import type { Attempt } from './attempt.ts';

/**
 * The headers of a forwarded answer: what is safe of the provider's, and ours. `settlement` is there when the body was read first.
 * The provider's own object becomes the answer's: read from it what is needed before.
 */
export function answerHeaders(attempt: Attempt, provider: Headers, settlement: Settlement | null): Headers {
  const headers = responseHeaders(provider);
  const { verdict } = attempt;
  headers.set('x-panicly-decision-id', attempt.id);
  headers.set('x-panicly-cost-hold-usd', formatUsd(verdict.holdNanoUsd));
  if (verdict.remainingNanoUsd !== null) headers.set('x-panicly-budget-remaining-usd', formatUsd(verdict.remainingNanoUsd));
  if (verdict.outputCap !== null) headers.set('x-panicly-output-cap', String(verdict.outputCap));
  if (settlement !== null) headers.set('x-panicly-cost-usd', formatUsd(settlement.costNanoUsd));
  return headers;
}
