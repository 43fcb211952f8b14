import type { PricingRules, RequestFacts } from '../domain/facts.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { CatalogueModel } from './catalogue-model.ts';
import { feeOf } from './hosted.ts';
import type { Profile } from './profile.ts';
import { rememberByName } from './remember.ts';

/** Models that search by themselves and bill it apart: Perplexity's, OpenAI's search and deep-research models. */
const SEARCH_MODEL = /(?:^|\/)(?:perplexity\/)?sonar(?:-|$)|search-preview|search-api|deep-research|-search$/i;

/**
 * Models that ask others or themselves before they answer and bill all that was said: 39,263 tokens in and 9,997 out were measured
 * for a prompt of 40 (grok-4.20-multi-agent); Sakana's Fugu by its own words. No cap and no length of the body bounds that.
 */
const MULTI_AGENT = /multi-agent|(?:^|\/)fugu(?:-|$)/i;

/** Groq's Compound searches and runs code by itself, up to ten times a request, and bills the models and tools behind it (its documentation). */
const COMPOUND = /(?:^|\/)compound(?:-|$)/i;

/** `search_model` when the request could reach one, to be priced like a hosted tool. */
export function impliedTools(facts: RequestFacts): readonly string[] {
  const asked = impliedByName(facts.model);
  if (facts.fallbackModels.length === 0) return asked;
  return [...new Set([...asked, ...facts.fallbackModels.flatMap(impliedByName)])];
}

/** Hosted tools and those that the model names imply. */
export function offeredTools(facts: RequestFacts): readonly string[] {
  const implied = impliedTools(facts);
  if (implied.length === 0) return facts.hostedTools;
  return [...facts.hostedTools, ...implied];
}

const impliedByName = rememberByName((name): readonly string[] => {
  const implied: string[] = [];
  if (SEARCH_MODEL.test(name.replace(/(?::[\w-]+)+$/, ''))) implied.push('search_model');
  if (COMPOUND.test(name)) implied.push('compound');
  if (/:online(?=:|$)/i.test(name)) implied.push('online');
  if (MULTI_AGENT.test(name)) implied.push('multi_agent');
  return implied;
});

/**
 * The first thing about a request whose cost has no bound, and the policy line that would let it pass; null when there is none.
 * Only refused where money is limited.
 */
export function unpricedFeature(
  facts: RequestFacts,
  reach: readonly (CatalogueModel | null)[],
  profile: Profile,
  rules: PricingRules,
): string | null {
  return (
    unknownField(facts, rules) ??
    unpricedTool(facts, profile, rules) ??
    preset(facts) ??
    outputMedia(facts, reach, rules) ??
    inputAudio(facts, reach) ??
    readDocument(facts, reach, profile, rules) ??
    storedReference(facts, rules)
  );
}

function unknownField(facts: RequestFacts, rules: PricingRules): string | null {
  if (facts.unknownFields.length === 0) return null;
  const name = facts.unknownFields.find((field) => !rules.allowFields.includes(field));
  return name === undefined ? null : `field ${name} (allow it with "allow_fields": [${JSON.stringify(name)}])`;
}

function unpricedTool(facts: RequestFacts, profile: Profile, rules: PricingRules): string | null {
  for (const type of offeredTools(facts)) {
    const isPriced = feeOf(type, profile, rules) !== null;
    // A profile's price only holds where the number of calls can be bounded.
    const isBounded = Object.hasOwn(rules.toolPrices, type) || (profile.obeysMaxToolCalls && facts.route === 'responses');
    if (!isPriced || !isBounded) return `tool ${type} (give a call a price with "tool_prices": {${JSON.stringify(type)}: "0.01"})`;
  }
  return null;
}

function isPreset(model: string): boolean {
  return model.includes('@') && /@preset\//i.test(model);
}

function preset(facts: RequestFacts): string | null {
  const name = isPreset(facts.model) ? facts.model : facts.fallbackModels.find(isPreset);
  return name === undefined ? null : `model ${name} (a stored preset may name any model: name the model itself)`;
}

const MEDIA_REMEDY = '(allow it with "allow_fields": ["modalities"])';

function outputMedia(facts: RequestFacts, reach: readonly (CatalogueModel | null)[], rules: PricingRules): string | null {
  if (rules.allowFields.includes('modalities')) return null;
  for (const model of reach) {
    const asked = unpricedMedium(facts.outputMedia, model);
    if (asked !== null) return `output of ${asked}, whose price is not known ${MEDIA_REMEDY}`;
    const made = model === null ? null : unpricedMedium(model.modalities.output, model);
    if (made !== null) return `model ${model?.id}, which answers with ${made} at a price that is not known ${MEDIA_REMEDY}`;
  }
  return null;
}

/** The first of these media that costs and has no price. */
function unpricedMedium(media: readonly string[], model: CatalogueModel | null): string | null {
  for (const medium of media) {
    const isPriced = medium === 'text' || (medium === 'audio' && model?.price.outputAudio != null);
    if (!isPriced) return medium;
  }
  return null;
}

function inputAudio(facts: RequestFacts, reach: readonly (CatalogueModel | null)[]): string | null {
  if (facts.media.length === 0 || !facts.media.some((part) => part.kind === 'audio')) return null;
  const silent = reach.find((model) => model !== null && model.price.inputAudio === null);
  return silent
    ? `audio input of model ${silent.id} (set its price with: panicly prices set ${shellWord(`${silent.provider}/${silent.id}`)} --input-audio USD)`
    : null;
}

/**
 * OpenRouter reads documents for models that cannot, and one of its engines takes 2 USD for 1,000 pages (its guide to PDF inputs).
 * Neither the engine nor the pages can be told from the body.
 */
function readDocument(
  facts: RequestFacts,
  reach: readonly (CatalogueModel | null)[],
  profile: Profile,
  rules: PricingRules,
): string | null {
  if (!profile.takesMaxPrice || !facts.media.some((part) => part.kind === 'file') || rules.allowFields.includes('file')) return null;
  const reader = reach.find((model) => !model?.modalities.input.includes('pdf'));
  if (reader === undefined) return null;
  return `document for ${reader?.id ?? facts.model} (allow it with "allow_fields": ["file"])`;
}

function storedReference(facts: RequestFacts, rules: PricingRules): string | null {
  if (rules.allowStoredReferences || facts.storedReferences.length === 0) return null;
  return 'reference to something stored at the provider (allow it with "allow_stored_references": true)';
}
