import { control } from '../control.ts';
import { policyCommand, quoted } from '../words.ts';

/** Features, always: what is stored at the provider may belong to another project behind the same provider key. */
export const storedReferences = control(
  'features',
  (policy) => policy.always,
  (_section, request) => {
    const { candidate, policy } = request;
    const reference = candidate.storedReferences[0];
    if (reference === undefined || policy.pricing.allowStoredReferences) return null;
    const remedy = `Send the content itself, or set pricing.allow_stored_references to true with: ${policyCommand(policy)}`;
    return {
      control: 'features',
      reason: 'unpriced_feature',
      rule: 'pricing.allow_stored_references',
      limit: 'no stored references',
      observed: quoted(reference),
      remedy,
      message: `The request refers to ${quoted(reference)}, which is stored at the provider. ${remedy}`,
    };
  },
);
