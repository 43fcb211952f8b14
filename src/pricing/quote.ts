import type { Quote } from '../domain/candidate.ts';
import type { PricingRules, RequestFacts } from '../domain/facts.ts';
import { addBounds, type NanoUsd, priceOf } from '../domain/money.ts';
import type { CatalogueModel } from './catalogue-model.ts';
import { unpricedFeature } from './features.ts';
import { boundInput, type InputBound } from './input-bound.ts';
import type { Profile } from './profile.ts';
import { ratesAt, ratesFor, type Rates, type RateSet } from './rates.ts';
import { reasonsByItself } from './reasoning.ts';
import { thoughtOf } from './thinking.ts';

/** The output of a model that nobody knows the limits of. A cap that is put in keeps the hold below it. */
const UNKNOWN_OUTPUT_TOKENS = 1_048_576;
const SHORT_FLOOR_TOKENS = 1_024;
const LONG_FLOOR_TOKENS = 16_384;

const inputRate = (rates: RateSet): number => Math.max(rates.input, rates.cacheRead, rates.cacheWrite, rates.inputAudio);
const outputRate = (rates: RateSet): number => Math.max(rates.output, rates.reasoning, rates.outputAudio);

/** The most tokens that one answer can have: of the models in reach the greatest limit. */
export function outputLimitOf(reach: readonly (CatalogueModel | null)[]): number {
  let most = 0;
  for (const model of reach) {
    most = Math.max(most, model?.limits.output ?? model?.limits.context ?? UNKNOWN_OUTPUT_TOKENS);
  }
  return most;
}

function modelReasonsByItself(model: CatalogueModel | null): boolean {
  return model !== null && reasonsByItself(model.id);
}

function floorOf(facts: RequestFacts, reach: readonly (CatalogueModel | null)[], limit: number): number {
  const isLong =
    facts.wantsLongAnswer || reasonsByItself(facts.model) || facts.fallbackModels.some(reasonsByItself) || reach.some(modelReasonsByItself);
  const floor = isLong ? LONG_FLOOR_TOKENS : SHORT_FLOOR_TOKENS;
  // Providers refuse a cap that leaves nothing beside the reasoning that was asked for.
  const budget = facts.reasoningBudgetTokens === 0 ? 0 : facts.reasoningBudgetTokens + SHORT_FLOOR_TOKENS;
  return Math.min(limit, Math.max(floor, budget));
}

function clientCapOf(facts: RequestFacts): number | null {
  let least: number | null = null;
  for (const name in facts.outputCaps) least = Math.min(least ?? Infinity, facts.outputCaps[name]!);
  return least;
}

/**
 * The bounds of a request. `reach[0]` is the model that is asked for, the others are its fallbacks; null is unknown.
 * Prices are the dearest that any of them could come to: long context, cache writes, the service tier.
 */
export function makeQuote(
  facts: RequestFacts,
  reach: readonly (CatalogueModel | null)[],
  profile: Profile,
  rules: PricingRules,
  catalogueVersion: number,
  rates: Rates = ratesFor(reach, facts, profile, rules),
): Quote {
  const input = boundInput(facts, reach, profile, rules);
  const isEmbedding = facts.route === 'embeddings';
  const answerLimit = isEmbedding ? 0 : outputLimitOf(reach);
  const thought = thoughtOf(facts, answerLimit, profile);
  const modelOutputLimit = answerLimit + thought.underCap;
  const set = ratesAt(rates, input.bound);
  return {
    priced: rates.priced,
    priceVersion: catalogueVersion,
    inputTokenEstimate: input.estimate,
    inputTokenBound: input.bound,
    inputHoldNanoUsd: rates.priced ? fixedHold(facts, input, set, tokensBesideCap(facts, modelOutputLimit, thought.besideCap)) : 0,
    outputNanoUsdPerMillion: isEmbedding ? 0 : outputPrice(input, set),
    choices: isEmbedding ? 0 : facts.choices,
    clientOutputCap: isEmbedding ? null : clientCapOf(facts),
    modelOutputLimit,
    outputFloor: isEmbedding ? 0 : floorOf(facts, reach, modelOutputLimit),
    unpricedFeature: unpricedFeature(facts, reach, profile, rules),
  };
}

/**
 * Tokens that are billed as output whatever the cap says: predicted ones that the answer rejects, `thought` that no cap bounds, and
 * reasoning that was set aside above the cap. Sellers of a router differ in whether their cap counts reasoning; those whose cap does
 * refuse such a request.
 */
export function tokensBesideCap(facts: RequestFacts, outputLimit: number, thought = 0): number {
  const cap = clientCapOf(facts);
  const reasoning = cap !== null && facts.reasoningBudgetTokens >= cap ? Math.min(facts.reasoningBudgetTokens, outputLimit) : 0;
  return (facts.predictionBytes + Math.max(reasoning, thought)) * facts.choices;
}

/** What is held whatever the output cap is. */
function fixedHold(facts: RequestFacts, input: InputBound, set: RateSet, besideCapTokens: number): NanoUsd {
  const beside = priceOf(besideCapTokens, outputRate(set));
  return addBounds(priceOf(input.bound, inputRate(set)), beside, input.hosted.feeNanoUsd);
}

/** What a model says between two calls of hosted tools is read again as input, once. */
function outputPrice(input: InputBound, set: RateSet): number {
  return outputRate(set) + (input.hosted.calls > 0 ? inputRate(set) : 0);
}
