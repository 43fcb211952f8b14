import type { Candidate } from '../domain/candidate.ts';
import type { StateView } from '../domain/state.ts';
import type { Finding } from '../domain/verdict.ts';
import type { CompiledPolicy } from './compiled.ts';
import { network } from './controls/network.ts';
import { region } from './controls/region.ts';
import { sentry } from './controls/sentry.ts';
import { decideWith } from './decide.ts';

const ACCESS_CONTROLS = [network, region, sentry];

/** Judges who asks and from where, and nothing else: for requests that cost nothing. Null lets them pass. */
export function accessFinding(policy: CompiledPolicy, state: StateView, candidate: Candidate, nowMs: number): Finding | null {
  const verdict = decideWith(ACCESS_CONTROLS, policy, state, candidate, nowMs);
  return verdict.allow ? null : verdict.finding;
}

/** Whether the model rules would let this model pass, by its catalogue name. */
export function modelIsAllowed(policy: CompiledPolicy, model: string): boolean {
  return policy.models.every((section) => {
    if (section.mode !== 'enforce') return true;
    return section.block.matchLoosely(model) === null && (section.allow.size === 0 || section.allow.match(model) !== null);
  });
}
