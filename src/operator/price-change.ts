import { formatUsd } from '../domain/money.ts';
import { PROVIDER_KINDS } from '../domain/project.ts';
import type { CatalogueModel } from '../pricing/catalogue-model.ts';
import { contextLimitOf } from '../pricing/input-bound.ts';
import { profileOf } from '../pricing/profiles.ts';
import { outputLimitOf } from '../pricing/quote.ts';
import { modelRates, type RateFacts, type RateSet } from '../pricing/rates.ts';

/** What a project's policy holds for a model without a price, nano-USD per million tokens. */
export interface UnknownModelPrice {
  readonly input: number;
  readonly output: number;
}

/**
 * What makes a hold for this model smaller than it is now, in words for people; null when nothing does. It asks the functions that
 * holds are made with, so that it cannot think otherwise than they do. `unknown` is what stands in where a model has no price.
 */
export function lowersHold(
  before: CatalogueModel | null,
  after: CatalogueModel | null,
  unknown: UnknownModelPrice | null = null,
): string | null {
  if (isPriced(before) && !isPriced(after)) return 'the model would have no price any more';
  const [old, fresh] = [standIn(before, unknown), standIn(after, unknown)];
  return freeOfCharge(before, after) ?? (old && fresh ? (lowerRate(old, fresh) ?? lowerLimit(old, fresh) ?? lostMedium(old, fresh)) : null);
}

function isPriced(model: CatalogueModel | null): model is CatalogueModel {
  return model !== null && !model.unpriced;
}

function freeOfCharge(before: CatalogueModel | null, after: CatalogueModel | null): string | null {
  const isFree = (model: CatalogueModel | null): boolean => isPriced(model) && model.price.input + model.price.output === 0;
  return isFree(after) && !isFree(before) ? 'requests to this model would cost nothing' : null;
}

const NOTHING_KNOWN: Omit<CatalogueModel, 'price'> = {
  provider: '',
  id: '',
  tiers: [],
  serviceTiers: {},
  limits: { context: null, input: null, output: null },
  isEmbedding: false,
  unpriced: false,
  modalities: { input: [], output: [] },
};
const SILENT = { cacheRead: null, cacheWrite: null, reasoning: null, inputAudio: null, outputAudio: null };

/** The model that requests are priced by, or null when they are not. */
function standIn(model: CatalogueModel | null, unknown: UnknownModelPrice | null): CatalogueModel | null {
  if (isPriced(model)) return model;
  if (unknown === null) return null;
  const { limits, modalities } = model ?? NOTHING_KNOWN;
  return { ...NOTHING_KNOWN, limits, modalities, price: { ...unknown, ...SILENT } };
}

/** Requests whose rates differ in more than the greater of two parts. */
const ROUTES: readonly RateFacts[] = (['chat', 'embeddings'] as const).map((route) => ({
  route,
  longCacheWrites: false,
  asksReasoning: false,
  serviceTier: null,
}));
const PROFILES = PROVIDER_KINDS.map((kind) => profileOf(kind));
const PARTS = {
  input: 'input',
  output: 'output',
  cacheRead: 'cached input',
  cacheWrite: 'cache write',
  reasoning: 'reasoning',
  inputAudio: 'audio input',
  outputAudio: 'audio output',
} as const satisfies Record<keyof RateSet, string>;
const PART_NAMES = Object.keys(PARTS) as (keyof RateSet)[];

function lowerRate(before: CatalogueModel, after: CatalogueModel): string | null {
  const thresholds = [...before.tiers, ...after.tiers].map(({ aboveInputTokens }) => aboveInputTokens);
  const tiers = [null, ...new Set([...Object.keys(before.serviceTiers), ...Object.keys(after.serviceTiers)])];
  // Without lists for service tiers every profile only multiplies, which keeps the order.
  const profiles = tiers.length === 1 ? PROFILES.slice(0, 1) : PROFILES;
  for (const above of [null, ...new Set(thresholds)])
    for (const serviceTier of tiers)
      for (const profile of serviceTier === null ? PROFILES.slice(0, 1) : profiles)
        for (const route of ROUTES) {
          const ratesOf = (model: CatalogueModel) => modelRates(model, above === null ? 0 : above + 1, { ...route, serviceTier }, profile);
          const lower = lowerPart(ratesOf(before), ratesOf(after), whereOf(above, serviceTier));
          if (lower !== null) return lower;
        }
  return null;
}

function lowerPart(before: RateSet, after: RateSet, where: string): string | null {
  const part = PART_NAMES.find((name) => after[name] < before[name]);
  if (part === undefined) return null;
  return `${PARTS[part]}${where} is ${formatUsd(before[part])} USD now and would be ${formatUsd(after[part])} USD a million tokens`;
}

function whereOf(above: number | null, serviceTier: string | null): string {
  return (above === null ? '' : ` above ${above} tokens`) + (serviceTier === null ? '' : ` at service tier ${serviceTier}`);
}

function lowerLimit(before: CatalogueModel, after: CatalogueModel): string | null {
  const limits = [
    ['context', contextLimitOf(before), contextLimitOf(after)],
    ['output', outputLimitOf([before]), outputLimitOf([after])],
    ['input', before.limits.input ?? Infinity, after.limits.input ?? Infinity],
  ] as const;
  const lowered = limits.find(([, old, fresh]) => fresh < old);
  return lowered === undefined ? null : `the ${lowered[0]} limit would be ${lowered[2]} tokens, less than now`;
}

/** What answers in other media is refused, or held at their price: a list that forgets a medium takes that away. */
function lostMedium(before: CatalogueModel, after: CatalogueModel): string | null {
  const lost = before.modalities.output.find((medium) => medium !== 'text' && !after.modalities.output.includes(medium));
  return lost === undefined ? null : `the model answers with ${lost} now, and the list would not say so any more`;
}
