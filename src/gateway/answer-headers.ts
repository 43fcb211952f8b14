import type { Settlement } from '../domain/decision.ts';
import { formatUsd } from '../domain/money.ts';
import { responseHeaders } from '../upstream/headers.ts';
import type { Attempt } from './attempt.ts';

/** The headers of a forwarded answer: what is safe of the provider's, and ours. `settlement` is there when the body was read first. */
export function answerHeaders(attempt: Attempt, provider: Headers, settlement: Settlement | null): Record<string, string> {
  const headers = responseHeaders(provider, false);
  const { verdict } = attempt;
  headers['x-panicly-decision-id'] = attempt.id;
  headers['x-panicly-cost-hold-usd'] = formatUsd(verdict.holdNanoUsd);
  if (verdict.remainingNanoUsd !== null) headers['x-panicly-budget-remaining-usd'] = formatUsd(verdict.remainingNanoUsd);
  if (verdict.outputCap !== null) headers['x-panicly-output-cap'] = String(verdict.outputCap);
  if (settlement !== null) headers['x-panicly-cost-usd'] = formatUsd(settlement.costNanoUsd);
  return headers;
}
