import type { Candidate } from '../domain/candidate.ts';
import type { StateView } from '../domain/state.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { CompiledPolicy, Section } from './compiled.ts';
import type { Control } from './control.ts';
import { abuse } from './controls/abuse.ts';
import { budgets } from './controls/budgets.ts';
import { burst } from './controls/burst.ts';
import { capacity } from './controls/capacity.ts';
import { concurrency } from './controls/concurrency.ts';
import { network } from './controls/network.ts';
import { region } from './controls/region.ts';
import { sentry } from './controls/sentry.ts';
import { decideWith } from './decide.ts';

/** The controls that have something to say before the body of a request is read, in their usual order. */
const EARLY = [capacity, network, region, sentry, burst, untilSettled(abuse), concurrency, untilSettled(budgets)];

/** Whether a request passes once those in flight have settled hangs on what it needs, which stands in its body: no word on that here. */
function untilSettled(control: Control): Control {
  return {
    name: control.name,
    speak(request, observed) {
      const finding = control.speak(request, observed);
      return finding?.retryable === true ? null : finding;
    },
  };
}

/** Made once for each policy. */
const policies = new WeakMap<CompiledPolicy, CompiledPolicy>();

/**
 * Judges a request of which only the headers are known. `least` asks for nothing: no model, no tokens, no money. What refuses that
 * refuses whatever the body holds; what lets it pass says nothing yet.
 */
export function decideEarly(policy: CompiledPolicy, state: StateView, least: Candidate, nowMs: number): Verdict {
  let early = policies.get(policy);
  if (early === undefined) policies.set(policy, (early = withoutBodies(policy)));
  return decideWith(EARLY, early, state, least, nowMs);
}

/** The end user and what a single request costs stand in the body: limits on them are left to the real judges. */
function withoutBodies(policy: CompiledPolicy): CompiledPolicy {
  const silent = <S extends Section & { readonly scope: string }>(section: S): S =>
    section.scope === 'request' || section.scope === 'user' ? { ...section, mode: 'off' } : section;
  return { ...policy, abuse: policy.abuse.map(silent), budgets: policy.budgets.map(silent) };
}
