import type { Quote } from '../domain/candidate.ts';
import type { BodyEdit, PricingRules, RequestFacts } from '../domain/facts.ts';
import { effectiveCap } from '../domain/hold.ts';
import { priceOf } from '../domain/money.ts';
import { offeredTools } from './features.ts';
import { callsOf, hostedBound } from './hosted.ts';
import type { Profile } from './profile.ts';
import { tokensBesideCap } from './quote.ts';

/** Whether usage has to be asked for, because the client did not: a chat stream to a provider that takes the option. */
export function injectsUsage(facts: RequestFacts, profile: Profile): boolean {
  return facts.route === 'chat' && facts.stream && facts.includeUsage !== true && profile.takesIncludeUsage;
}

/**
 * What is put into the forwarded body so that its cost stays within its hold. `outputCap` is what policy decided, or null.
 * Empty when money is not limited and there is no cap.
 */
export function forwardEdits(
  facts: RequestFacts,
  profile: Profile,
  quote: Quote,
  rules: PricingRules,
  outputCap: number | null,
): BodyEdit[] {
  const edits = capEdits(facts, profile, quote, rules, outputCap);
  if (!rules.moneyLimited) return edits;
  pinTier(edits, facts, profile);
  capToolCalls(edits, facts, profile, rules);
  capPrice(edits, facts, profile, quote, rules);
  return edits;
}

/** The cap goes into every cap field that the client sent, and into one that the provider obeys. */
function capEdits(facts: RequestFacts, profile: Profile, quote: Quote, rules: PricingRules, outputCap: number | null): BodyEdit[] {
  const field = profile.capField[facts.route];
  if (field === null) return [];
  const sent = Object.keys(facts.outputCaps);
  if (outputCap === null && sent.length === 0) return [];
  const isObeyed = sent.some((name) => profile.obeyedCapFields[facts.route].includes(name));
  // A cap that the provider does not read bounds nothing: the hold counts on it, so it is said again where it is read.
  const repeats = rules.moneyLimited && sent.length > 0 && !isObeyed;
  // What is held ends at the model's known limit: a seller or a newer model may allow more, so the body must not ask for it.
  const isAbove = rules.moneyLimited && sent.some((name) => facts.outputCaps[name]! > quote.modelOutputLimit);
  const cap = outputCap ?? (repeats || isAbove ? effectiveCap(quote) : null);
  if (cap === null) return [];
  const json = String(cap);
  const fields = new Set(outputCap === null && !isAbove ? [] : sent);
  if (!isObeyed) fields.add(field);
  return [...fields].map((name) => ({ path: [name], json }));
}

function pinTier(edits: BodyEdit[], facts: RequestFacts, profile: Profile): void {
  const leavesItOpen = facts.serviceTier === null || facts.serviceTier === 'auto';
  if (profile.pinnedTier === null || facts.route === 'embeddings' || !leavesItOpen) return;
  edits.push({ path: ['service_tier'], json: JSON.stringify(profile.pinnedTier) });
}

function capToolCalls(edits: BodyEdit[], facts: RequestFacts, profile: Profile, rules: PricingRules): void {
  const applies = profile.obeysMaxToolCalls && facts.route === 'responses' && facts.maxToolCalls === null;
  if (!applies || offeredTools(facts).length === 0) return;
  edits.push({ path: ['max_tool_calls'], json: String(callsOf(facts, rules)) });
}

/** USD per million tokens from nano-USD: exact, because nine digits after the point are all that there can be. */
const usd = (nanoUsdPerMillion: number): number => nanoUsdPerMillion / 1_000_000_000;

/** The price for a token of input that the hold was computed with, nano-USD per million. */
function heldInputPrice(facts: RequestFacts, profile: Profile, quote: Quote, rules: PricingRules): number {
  const fees = hostedBound(offeredTools(facts), facts, profile, rules).feeNanoUsd;
  const beside = priceOf(tokensBesideCap(facts, quote.modelOutputLimit), quote.outputNanoUsdPerMillion);
  const tokens = Math.max(1, quote.inputTokenBound);
  return Math.floor((Math.max(0, quote.inputHoldNanoUsd - fees - beside) * 1_000_000) / tokens);
}

function capPrice(edits: BodyEdit[], facts: RequestFacts, profile: Profile, quote: Quote, rules: PricingRules): void {
  if (!profile.takesMaxPrice || !quote.priced) return;
  const sent = facts.providerMaxPrice ?? {};
  const prompt = usd(heldInputPrice(facts, profile, quote, rules));
  const completion = usd(quote.outputNanoUsdPerMillion);
  const price = {
    ...sent,
    prompt: Math.min(prompt, sent['prompt'] ?? prompt),
    completion: Math.min(completion, sent['completion'] ?? completion),
  };
  edits.push({ path: ['provider', 'max_price'], json: JSON.stringify(price) });
}
