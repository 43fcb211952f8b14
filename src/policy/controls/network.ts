import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import type { NetworkSection } from '../compiled.ts';
import { control } from '../control.ts';
import { policyCommand } from '../words.ts';

/** Network Controls: where a request may come from. A block list goes before an allow list. */
export const network = control(
  'network',
  (policy) => policy.networks,
  (section, request) => {
    if (section.block.size === 0 && section.allow.size === 0) return null;
    const { ip } = request.candidate;
    // What cannot be judged is refused: an address that we do not know may be a blocked one.
    if (ip === null) return finding(section, request, 'an address that is known', 'an unknown address');
    const blockedBy = section.block.match(ip);
    if (blockedBy !== null) return finding(section, request, `block ${blockedBy}`, ip);
    if (section.allow.size > 0 && section.allow.match(ip) === null) return finding(section, request, 'the allow list', ip);
    return null;
  },
);

function finding(section: NetworkSection, request: Case, rule: string, observed: string): Finding {
  const { policy } = request;
  const remedy = `Change network.${rule.startsWith('block') ? 'block' : 'allow'} with: ${policyCommand(policy, section.owner)}`;
  return {
    control: 'network',
    reason: 'network_blocked',
    rule,
    limit: rule,
    observed,
    remedy,
    message: `Requests from ${observed} are not allowed by the ${section.owner} ${policy.names[section.owner]} (${rule}). ${remedy}`,
  };
}
