import type { CatalogueModel, Limits, Price, PriceOverride } from './catalogue-model.ts';

const NO_PRICE: Price = {
  input: 0,
  output: 0,
  cacheRead: null,
  cacheWrite: null,
  reasoning: null,
  inputAudio: null,
  outputAudio: null,
};
const NO_LIMITS: Limits = { context: null, input: null, output: null };

/** A model that only an operator knows. */
function newModel(override: PriceOverride): CatalogueModel {
  return {
    provider: override.provider,
    id: override.model,
    price: NO_PRICE,
    tiers: [],
    serviceTiers: {},
    limits: NO_LIMITS,
    isEmbedding: /embed/i.test(override.model),
    unpriced: true,
    modalities: { input: ['text'], output: ['text'] },
  };
}

/** Long-context tiers rise with the base price, so that a person who raises a price does not make long requests the cheaper ones. */
function liftTier(tier: Price, price: Price): Price {
  return { ...tier, input: Math.max(tier.input, price.input), output: Math.max(tier.output, price.output) };
}

/** The model with an operator's price: what the override leaves out stays as it was. A stated price counts as confirmed, also 0. */
export function applyOverride(override: PriceOverride, current: CatalogueModel | null): CatalogueModel {
  const base = current ?? newModel(override);
  const price = { ...base.price, ...override.price };
  const stated = override.price.input !== undefined && override.price.output !== undefined;
  return {
    ...base,
    provider: override.provider,
    id: current?.id.toLowerCase() === override.model.toLowerCase() ? current.id : override.model,
    price,
    tiers: base.tiers.map((tier) => ({ ...tier, price: liftTier(tier.price, price) })),
    limits: { ...base.limits, ...override.limits },
    unpriced: base.unpriced && !stated,
  };
}
