import type { Decision } from '../domain/decision.ts';
import { Refusal } from '../domain/errors.ts';
import { decisionId } from '../domain/ids.ts';
import type { Denied } from '../domain/verdict.ts';
import { LedgerUnavailable, type Ledger } from '../ledger/ledger.ts';
import { decide } from '../policy/decide.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { Priced } from './price.ts';
import { Refused } from './refused.ts';

const SENTENCES: Record<LedgerUnavailable['reason'], string> = {
  ledger_unavailable:
    'The decision could not be written to the ledger, so nothing was forwarded. Try again in a moment; if it lasts, run: panicly doctor',
  clock_unconfirmed: 'The clock of the server jumped forward. An operator has to confirm it with: panicly ledger confirm-clock',
  overloaded: 'Too many requests are waiting for a decision. Try again in a moment.',
  shutting_down: 'Panicly is stopping. Try again in a moment.',
};

/** Judges the request, places its hold, and waits until the decision is durable (I1). */
export async function admit(priced: Priced, policy: CompiledPolicy, ledger: Ledger): Promise<Decision | Refused> {
  let judged: Denied | null = null;
  try {
    const decision = await ledger.admit(priced.candidate, policy.version, (state, candidate, nowMs) => {
      const verdict = decide(policy, state, candidate, nowMs);
      if (!verdict.allow) judged = verdict;
      return verdict;
    });
    // A denial may be counted in the row of an equal one, which names another model or another moment: the client is told of its own.
    return decision.verdict.allow ? decision : denied(decision, judged ?? decision.verdict, priced);
  } catch (error) {
    if (!(error instanceof LedgerUnavailable)) throw error;
    return new Refused(new Refusal(error.reason, SENTENCES[error.reason], { retryAfterSeconds: 1 }));
  }
}

function denied(decision: Decision, verdict: Denied, priced: Priced): Refused {
  const { finding } = verdict;
  const refusal = new Refusal(finding.reason, finding.message, {
    ...(finding.retryable === undefined ? {} : { retryable: finding.retryable }),
    ...(finding.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: finding.retryAfterSeconds }),
    ...(verdict.status === undefined ? {} : { status: verdict.status }),
  });
  return new Refused(refusal, decisionId(decision.seq, decision.atMs), priced);
}
