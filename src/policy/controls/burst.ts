import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import type { BurstSection } from '../compiled.ts';
import { control } from '../control.ts';
import { counted, durationText, policyCommand, secondsUntil } from '../words.ts';

/** Burst protection: admissions of the project and of the key in a sliding window. */
export const burst = control(
  'burst',
  (policy) => policy.bursts,
  (section, request) => judge(section, request, 'project', section.projectRequests) ?? judge(section, request, 'key', section.keyRequests),
);

function judge(section: BurstSection, request: Case, scope: 'project' | 'key', limit: number | null): Finding | null {
  if (limit === null) return null;
  const { state, who, nowMs, policy } = request;
  const admitted = state.requestsWithin(scope, who, section.windowMs, nowMs);
  if (admitted < limit) return null;
  const window = durationText(section.windowMs);
  const field = scope === 'project' ? 'burst.requests' : 'burst.key_requests';
  const wait = limit === 0 ? null : secondsUntil(state.roomAtMs(scope, who, section.windowMs, limit, nowMs), nowMs);
  const raise = `raise ${field} with: ${policyCommand(policy)}`;
  const remedy = wait === null ? `R${raise.slice(1)}` : `Try again in ${counted(wait, 'second')}, or ${raise}`;
  return {
    control: 'burst',
    reason: 'burst_protection',
    rule: `${scope} burst`,
    limit: `${counted(limit, 'request')} in ${window}`,
    observed: counted(admitted + 1, 'request'),
    remedy,
    message: `The ${scope} may make ${counted(limit, 'request')} in ${window}, and this is request ${admitted + 1}. ${remedy}`,
    ...(wait === null ? { retryable: false } : { retryAfterSeconds: wait }),
  };
}
