import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import { control } from '../control.ts';
import { policyCommand } from '../words.ts';

/** Region Rules: the country that a request comes from. Unknown countries have their own verdict. */
export const region = control(
  'region',
  (policy) => policy.regions,
  (section, request) => {
    const { country } = request.candidate;
    if (country === null) return section.blocksUnknown ? finding(request, 'unknown countries', 'an unknown country') : null;
    if (section.block.has(country)) {
      const entry = section.blockEntries.find(({ countries }) => countries.has(country));
      return finding(request, `block ${entry?.text ?? country}`, country);
    }
    return section.allow.size > 0 && !section.allow.has(country) ? finding(request, 'the allow list', country) : null;
  },
);

function finding(request: Case, rule: string, observed: string): Finding {
  const { policy } = request;
  const field = rule.startsWith('block') ? 'block' : rule === 'the allow list' ? 'allow' : 'unknown';
  const remedy = `Change region.${field} with: ${policyCommand(policy)}`;
  return {
    control: 'region',
    reason: 'region_blocked',
    rule,
    limit: rule,
    observed,
    remedy,
    message: `Requests from ${observed} are not allowed by project ${policy.names.project} (${rule}). ${remedy}`,
  };
}
