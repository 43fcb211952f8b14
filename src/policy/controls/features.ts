import { control } from '../control.ts';
import { policyCommand, quoted } from '../words.ts';

/** Features, where money is limited: what cannot be bounded or priced is refused. */
export const features = control(
  'features',
  (policy) => policy.moneyLimits,
  (_section, request) => {
    const feature = request.candidate.quote.unpricedFeature;
    if (feature === null) return null;
    const name = quoted(feature);
    const remedy = `Leave it out, or allow it in the policy's pricing section (allow_fields, tool_prices, max_tool_calls) with: ${policyCommand(request.policy)}`;
    return {
      control: 'features',
      reason: 'unpriced_feature',
      rule: 'a bound for everything where money is limited',
      limit: 'priced features',
      observed: name,
      remedy,
      message: `The cost of ${name} cannot be bounded, and project ${request.policy.names.project} has a limit on money. ${remedy}`,
    };
  },
);
