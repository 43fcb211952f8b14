import type { Decision } from '../domain/decision.ts';
import { Refusal } from '../domain/errors.ts';
import { decisionId } from '../domain/ids.ts';
import type { Denied } from '../domain/verdict.ts';
import { LedgerUnavailable } from '../ledger/ledger.ts';
import type { Judged } from './price.ts';
import { Refused } from './refused.ts';

const SENTENCES: Record<LedgerUnavailable['reason'], string> = {
  ledger_unavailable:
    'The decision could not be written to the ledger, so nothing was forwarded. Try again in a moment; if it lasts, run: panicly doctor',
  clock_unconfirmed: 'The clock of the server jumped forward. An operator has to confirm it with: panicly ledger confirm-clock',
  overloaded: 'Too many requests are waiting for a decision. Try again in a moment.',
  shutting_down: 'Panicly is stopping. Try again in a moment.',
};

/** What the client is told when its decision could not be made durable (I1). Any other error is thrown on. */
export function unavailable(error: unknown): Refused {
  if (!(error instanceof LedgerUnavailable)) throw error;
  return new Refused(new Refusal(error.reason, SENTENCES[error.reason], { retryAfterSeconds: 1 }));
}

/** A recorded denial as the client is told of it. */
export function denial(decision: Decision, verdict: Denied, judged: Judged): Refused {
  const { finding } = verdict;
  const refusal = new Refusal(finding.reason, finding.message, {
    ...(finding.retryable === undefined ? {} : { retryable: finding.retryable }),
    ...(finding.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: finding.retryAfterSeconds }),
    ...(verdict.status === undefined ? {} : { status: verdict.status }),
  });
  return new Refused(refusal, decisionId(decision.seq, decision.atMs), judged);
}
