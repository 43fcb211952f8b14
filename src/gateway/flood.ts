import type { Route } from '../domain/candidate.ts';
import { leastCandidate } from './access.ts';
import { denial } from './admit.ts';
import type { Caller } from './authenticate.ts';
import { earlyDeciderOf } from './deciders.ts';
import type { Gateway } from './gateway.ts';
import type { Origin } from './origin.ts';
import type { Refused } from './refused.ts';

/**
 * Denies a request before its body is read, when an equal one was denied within the last second for a reason that no body changes:
 * a client in a loop must not cost what an answer costs. It is counted in the row of the first. Null for all others.
 */
export function deniedAgain({ ledger }: Gateway, route: Route, caller: Caller, origin: Origin): Refused | null {
  if (!ledger.deniedLately(caller.lineageId)) return null;
  const { policy } = caller.entry;
  const decision = ledger.denyAgain(leastCandidate(caller, origin, route), policy.version, earlyDeciderOf(policy));
  if (decision === null || decision.verdict.allow) return null;
  return denial(decision, decision.verdict, { candidate: decision.candidate, keyId: caller.key.id });
}
