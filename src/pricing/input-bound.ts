import type { MediaPart, PricingRules, RequestFacts } from '../domain/facts.ts';
import type { CatalogueModel } from './catalogue-model.ts';
import { offeredTools } from './features.ts';
import { type HostedBound, hostedBound } from './hosted.ts';
import type { Profile } from './profile.ts';

/** The context of a model that nobody knows the limits of: as much as the largest of today's. */
const UNKNOWN_CONTEXT_TOKENS = 2_097_152;
/** Special tokens that an embedding model puts around each input: BERT's two, rounded up. */
const EMBEDDING_ITEM_TOKENS = 8;

/** The input of a request in tokens. */
export interface InputBound {
  readonly bound: number;
  readonly estimate: number;
  readonly hosted: HostedBound;
}

interface MediaBound {
  readonly tokens: number;
  /** True when a part has no bound but the context limit. */
  readonly byContext: boolean;
}

function imageBound(part: MediaPart, model: string, profile: Profile): MediaBound {
  const tokens = profile.imageTokens(model, part.width, part.height, part.detail);
  const isSeen = part.source === 'inline' && part.width !== null;
  // An image that is only referred to counts with its greatest size, and by the context limit where there is no such size.
  return { tokens: tokens ?? 0, byContext: !isSeen || tokens === null };
}

const NO_MEDIA: MediaBound = { tokens: 0, byContext: false };

function mediaBound(facts: RequestFacts, reach: readonly (CatalogueModel | null)[], profile: Profile): MediaBound {
  if (facts.media.length === 0) return NO_MEDIA;
  const names = [facts.model, ...facts.fallbackModels].map((name, index) => reach[index]?.id ?? name);
  let tokens = 0;
  let byContext = false;
  for (const part of facts.media) {
    if (part.kind !== 'image') {
      // Pages of a file and seconds of a sound cannot be told from their bytes.
      byContext = true;
      continue;
    }
    let most = 0;
    for (const name of names) {
      const bound = imageBound(part, name, profile);
      most = Math.max(most, bound.tokens);
      byContext ||= bound.byContext;
    }
    tokens += most;
  }
  return { tokens, byContext };
}

/** Text bytes as tokens, tool schemas at their multiplier, with everything that templates put around. */
function textBound(facts: RequestFacts, profile: Profile): number {
  const bytes = profile.byteLevelTokenizer ? facts.textBytes : Math.max(facts.textBytes, facts.nfkcTextBytes);
  const text = bytes * profile.textMultiplier + facts.toolBytes * Math.max(0, profile.toolMultiplier - profile.textMultiplier);
  const tools = facts.toolCount === 0 ? 0 : profile.toolPreludeTokens + profile.perToolTokens * facts.toolCount;
  return Math.ceil(text) + profile.preludeTokens + profile.perMessageTokens * facts.messageCount + tools;
}

function embeddingBound(facts: RequestFacts, profile: Profile): number {
  const bytes = profile.byteLevelTokenizer ? facts.textBytes : Math.max(facts.textBytes, facts.nfkcTextBytes);
  return Math.ceil(bytes * profile.textMultiplier) + facts.inputTokenIds + EMBEDDING_ITEM_TOKENS * facts.inputItems;
}

function contextOf(reach: readonly (CatalogueModel | null)[]): number {
  let most = 0;
  for (const model of reach) most = Math.max(most, contextLimitOf(model));
  return most;
}

/** The context limit that a model is held at. */
export function contextLimitOf(model: CatalogueModel | null): number {
  return model?.limits.context ?? UNKNOWN_CONTEXT_TOKENS;
}

/** The most that the input can be. The context limit stands in for what cannot be counted, and never lowers what was. */
export function boundInput(
  facts: RequestFacts,
  reach: readonly (CatalogueModel | null)[],
  profile: Profile,
  rules: PricingRules,
): InputBound {
  const media = mediaBound(facts, reach, profile);
  const hosted = hostedBound(offeredTools(facts), facts, profile, rules);
  const text = facts.route === 'embeddings' ? embeddingBound(facts, profile) : textBound(facts, profile);
  const counted = text + media.tokens + hosted.inputTokens;
  const byContext = media.byContext || hosted.byContext || facts.storedReferences.length > 0;
  const items = facts.route === 'embeddings' ? Math.max(1, facts.inputItems) : 1;
  // The ledger counts in 64 bits, and nothing that passes 2^53 tokens is ever affordable.
  const bound = Math.min(Number.MAX_SAFE_INTEGER, byContext ? Math.max(counted, contextOf(reach) * items) : counted);
  return { bound, estimate: Math.min(bound, estimateInput(facts)), hosted };
}

/** English text and code have about four bytes to a token; an image is about a thousand tokens. */
function estimateInput(facts: RequestFacts): number {
  const images = facts.media.length * 1_024;
  return Math.ceil(facts.textBytes / 4) + 4 * facts.messageCount + facts.inputTokenIds + images;
}
