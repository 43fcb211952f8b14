import type { PricingRules, RequestFacts } from '../domain/facts.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { CatalogueModel, Price } from './catalogue-model.ts';
import { offeredTools } from './features.ts';
import { feeOf } from './hosted.ts';
import type { Profile } from './profile.ts';

/** Prices with every gap filled, nano-USD per million tokens. */
export interface RateSet {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly inputAudio: number;
  readonly output: number;
  readonly reasoning: number;
  readonly outputAudio: number;
}

/** What a request is billed by, fixed when it is judged: the dearest of all that it could reach. */
export interface Rates {
  /** False when a model in reach has no price: everything is zero then. */
  readonly priced: boolean;
  readonly base: RateSet;
  /** For inputs of more than `aboveInputTokens` tokens, sorted; each at least as dear as the one before. */
  readonly tiers: readonly { readonly aboveInputTokens: number; readonly rates: RateSet }[];
  /** The fee of a call by tool type, nano-USD. */
  readonly toolFees: Readonly<Record<string, NanoUsd>>;
}

/** What of a request its rates hang on, beside the size of its input. */
export type RateFacts = Pick<RequestFacts, 'route' | 'longCacheWrites' | 'asksReasoning' | 'serviceTier'>;

const ZERO: RateSet = { input: 0, cacheRead: 0, cacheWrite: 0, inputAudio: 0, output: 0, reasoning: 0, outputAudio: 0 };
/** The price of a cache write that is kept for an hour, and of one that the catalogue is silent about: twice the input. */
const CACHE_WRITE_FACTOR = 2;

function fill(price: Price, facts: RateFacts): RateSet {
  const reasoning = price.reasoning ?? price.output;
  const unknownWrite = facts.route === 'embeddings' ? price.input : price.input * CACHE_WRITE_FACTOR;
  const cacheWrite = price.cacheWrite ?? unknownWrite;
  return {
    input: price.input,
    cacheRead: price.cacheRead ?? price.input,
    cacheWrite: facts.longCacheWrites ? Math.max(cacheWrite, price.input * CACHE_WRITE_FACTOR) : cacheWrite,
    inputAudio: price.inputAudio ?? price.input,
    // Where reasoning costs more than output, all output of an answer that reasons does.
    output: facts.asksReasoning ? Math.max(price.output, reasoning) : price.output,
    reasoning,
    outputAudio: price.outputAudio ?? price.output,
  };
}

function dearer(a: RateSet, b: RateSet): RateSet {
  return {
    input: Math.max(a.input, b.input),
    cacheRead: Math.max(a.cacheRead, b.cacheRead),
    cacheWrite: Math.max(a.cacheWrite, b.cacheWrite),
    inputAudio: Math.max(a.inputAudio, b.inputAudio),
    output: Math.max(a.output, b.output),
    reasoning: Math.max(a.reasoning, b.reasoning),
    outputAudio: Math.max(a.outputAudio, b.outputAudio),
  };
}

function scale(rates: RateSet, percent: number): RateSet {
  if (percent === 100) return rates;
  const scaled = (rate: number): number => Math.ceil((rate * percent) / 100);
  return {
    input: scaled(rates.input),
    cacheRead: scaled(rates.cacheRead),
    cacheWrite: scaled(rates.cacheWrite),
    inputAudio: scaled(rates.inputAudio),
    output: scaled(rates.output),
    reasoning: scaled(rates.reasoning),
    outputAudio: scaled(rates.outputAudio),
  };
}

/** The tier that the request asks for. Where it leaves that to the account, `forwardEdits` pins the provider's default. */
function tierPercentOf(facts: RateFacts, profile: Profile): number {
  const tier = facts.serviceTier;
  if (tier === null) return 100;
  return Object.hasOwn(profile.tierPercent, tier) ? profile.tierPercent[tier]! : profile.unknownTierPercent;
}

/** Clients choose the name: it may be one that every object has. */
function listedTier({ serviceTiers }: CatalogueModel, name: string | null): Price | undefined {
  return name !== null && Object.hasOwn(serviceTiers, name) ? serviceTiers[name] : undefined;
}

/** A model's rates at or above a size of input, at the tier that is asked for. */
export function modelRates(model: CatalogueModel, inputTokens: number, facts: RateFacts, profile: Profile): RateSet {
  let rates = fill(model.price, facts);
  for (const tier of model.tiers) if (inputTokens > tier.aboveInputTokens) rates = dearer(rates, fill(tier.price, facts));
  const listed = listedTier(model, facts.serviceTier);
  // A tier's own price list counts for short inputs; long ones may be multiplied as well.
  const atTier = listed !== undefined && rates.input === model.price.input ? dearer(rates, fill(listed, facts)) : null;
  return scale(atTier ?? scale(rates, tierPercentOf(facts, profile)), profile.pricePercent);
}

function unknownRates(rules: PricingRules, facts: RequestFacts, profile: Profile): RateSet | null {
  const price = rules.unknownModelPrice;
  if (price === null) return null;
  const silent = { cacheRead: null, cacheWrite: null, reasoning: null, inputAudio: null, outputAudio: null };
  return scale(scale(fill({ ...price, ...silent }, facts), tierPercentOf(facts, profile)), profile.pricePercent);
}

function isKnown(model: CatalogueModel | null): model is CatalogueModel {
  return model !== null && !model.unpriced;
}

/** The rates of a request: at each size of input, part by part the dearest of the models in reach. */
export function ratesFor(reach: readonly (CatalogueModel | null)[], facts: RequestFacts, profile: Profile, rules: PricingRules): Rates {
  const unknown = unknownRates(rules, facts, profile);
  const toolFees = toolFeesOf(facts, profile, rules);
  if (reach.length === 0 || (unknown === null && !reach.every(isKnown))) return { priced: false, base: ZERO, tiers: [], toolFees };
  const only = reach.length === 1 ? reach[0]! : null;
  if (isKnown(only) && only.tiers.length === 0) return { priced: true, base: modelRates(only, 0, facts, profile), tiers: [], toolFees };
  return dearestOf(reach, facts, profile, unknown, toolFees);
}

function dearestOf(
  reach: readonly (CatalogueModel | null)[],
  facts: RequestFacts,
  profile: Profile,
  unknown: RateSet | null,
  toolFees: Rates['toolFees'],
): Rates {
  const at = (inputTokens: number): RateSet =>
    reach.reduce<RateSet>(
      (sum, model) => dearer(sum, isKnown(model) ? modelRates(model, inputTokens, facts, profile) : (unknown ?? ZERO)),
      ZERO,
    );
  const thresholds = new Set(reach.flatMap((model) => model?.tiers.map((tier) => tier.aboveInputTokens) ?? []));
  const tiers = [...thresholds].sort((a, b) => a - b).map((above) => ({ aboveInputTokens: above, rates: at(above + 1) }));
  return { priced: true, base: at(0), tiers, toolFees };
}

const NO_FEES: Rates['toolFees'] = {};

function toolFeesOf(facts: RequestFacts, profile: Profile, rules: PricingRules): Rates['toolFees'] {
  const types = offeredTools(facts);
  if (types.length === 0) return NO_FEES;
  const fees: Record<string, NanoUsd> = {};
  for (const type of types) fees[type] = feeOf(type, profile, rules) ?? 0;
  return fees;
}

/** The rates for an input of this size. */
export function ratesAt(rates: Rates, inputTokens: number): RateSet {
  let found = rates.base;
  for (const tier of rates.tiers) if (inputTokens > tier.aboveInputTokens) found = tier.rates;
  return found;
}
