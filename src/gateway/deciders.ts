import type { Decide } from '../ledger/ledger.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { decide } from '../policy/decide.ts';
import { decideEarly } from '../policy/early.ts';

type Judge = (policy: CompiledPolicy, ...rest: Parameters<Decide>) => ReturnType<Decide>;

/** What judges a request under a policy, as the ledger calls it: made once for each policy and not for each request. */
function perPolicy(judge: Judge): (policy: CompiledPolicy) => Decide {
  const made = new WeakMap<CompiledPolicy, Decide>();
  return (policy) => {
    let decider = made.get(policy);
    if (decider === undefined) made.set(policy, (decider = (state, candidate, nowMs) => judge(policy, state, candidate, nowMs)));
    return decider;
  };
}

/** Judges by everything that the policy says. */
export const deciderOf = perPolicy(decide);

/** Judges by what is known before the body is read, see `decideEarly`. */
export const earlyDeciderOf = perPolicy(decideEarly);
