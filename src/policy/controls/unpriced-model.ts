import { control } from '../control.ts';
import { priceCommand, quoted } from '../words.ts';

/** Model Controls, where money is limited: a model without a price would make every limit inert. */
export const unpricedModel = control(
  'models',
  (policy) => policy.moneyLimits,
  (_section, request) => {
    const { candidate, policy } = request;
    if (candidate.quote.priced) return null;
    const name = quoted(candidate.requestedModel);
    const remedy = `Set a price with: ${priceCommand(name)}`;
    return {
      control: 'models',
      reason: 'model_unpriced',
      rule: 'a price for every model where money is limited',
      limit: 'a known price',
      observed: name,
      remedy,
      message: `No price is known for model ${name}, and project ${policy.names.project} has a limit on money. ${remedy}`,
    };
  },
);
