import type { ProviderKind } from '../domain/project.ts';
import { hostOf, providerOf } from './hosts.ts';
import { anthropicImageTokens, cautiousImageTokens, openaiImageTokens } from './images.ts';
import type { Profile } from './profile.ts';

export type { HostedTool, Profile } from './profile.ts';

/**
 * The values for whatever is not known. Measured means: in traffic that was recorded in public; the shapes are in
 * `test/fixtures/pricing`. Margins over what was measured are at least 1.4.
 */
const CAUTIOUS: Omit<Profile, 'kind'> = {
  // `max_tokens` is the one field that every OpenAI-compatible server has known from the start.
  capField: { chat: 'max_tokens', responses: 'max_output_tokens', embeddings: null },
  obeyedCapFields: { chat: ['max_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  answerOnlyCaps: [],
  // Measured: 676 tokens over the text for grok-4 behind a router, 487 for Claude with one tool, 530 for llama-4 with one tool.
  preludeTokens: 1_024,
  toolPreludeTokens: 1_024,
  // ChatML and Harmony need 3 to 7 tokens around a message; 20 covers templates that spell roles and dates out.
  perMessageTokens: 20,
  perToolTokens: 32,
  textMultiplier: 1,
  // Indented JSON of a schema is under twice the bytes of the compact one; measured 1.7 with everything around it.
  toolMultiplier: 2,
  byteLevelTokenizer: false,
  imageTokens: cautiousImageTokens,
  cancelStopsBilling: false,
  // Cerebras advertises about 3,000 tokens a second for its fastest model.
  greatestOutputTokensPerSecond: 5_000,
  pricePercent: 100,
  tierPercent: { auto: 100, default: 100, standard: 100, standard_only: 100, on_demand: 100, flex: 100 },
  // The dearest tier that the catalogue prices apart: gpt-5.5 priority, 2.5 times the list price.
  unknownTierPercent: 250,
  pinnedTier: null,
  hostedTools: {},
  // Measured: 1,340 tokens over the text for code_interpreter and for file_search, calls included.
  hostedToolPreludeTokens: 2_048,
  obeysMaxToolCalls: false,
  takesIncludeUsage: true,
  takesMaxPrice: false,
};

/**
 * web_search: 10 USD for 1,000 calls, 25 USD for the preview with models that do not reason (OpenAI's pricing page). What a search
 * brings in is held to a window of 128,000 tokens (guide to web search): a fifth of it for each of five calls; measured 8,400.
 */
const SEARCH_TOKENS_PER_CALL = 25_600;

const OPENAI: Partial<Profile> = {
  capField: { chat: 'max_completion_tokens', responses: 'max_output_tokens', embeddings: null },
  obeyedCapFields: { chat: ['max_completion_tokens', 'max_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  // Measured: 76 tokens for 45 bytes of function messages, 117 for one tool of 83 bytes. tiktoken counts bytes.
  preludeTokens: 128,
  toolPreludeTokens: 512,
  perMessageTokens: 8,
  byteLevelTokenizer: true,
  imageTokens: openaiImageTokens,
  // OpenRouter's list of providers whose billing stops with the stream names OpenAI.
  cancelStopsBilling: true,
  // gpt-5.3-codex-spark is advertised with over 1,000 tokens a second.
  greatestOutputTokensPerSecond: 2_500,
  // flex costs half, but the answer may come from the standard tier.
  tierPercent: { auto: 100, default: 100, flex: 100, scale: 100, priority: 250, fast: 250 },
  pinnedTier: 'default',
  hostedTools: {
    web_search: { nanoUsdPerCall: 10_000_000, inputTokensPerCall: SEARCH_TOKENS_PER_CALL },
    web_search_preview: { nanoUsdPerCall: 25_000_000, inputTokensPerCall: SEARCH_TOKENS_PER_CALL },
    // Free of charge; it loads definitions that are in the body, and so are counted. Measured 475 tokens over the text.
    tool_search: { nanoUsdPerCall: 0, inputTokensPerCall: 1_024 },
  },
  obeysMaxToolCalls: true,
};

const OPENROUTER: Partial<Profile> = {
  // Its documentation names both fields.
  obeyedCapFields: { chat: ['max_tokens', 'max_completion_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  takesMaxPrice: true,
};

const ANTHROPIC: Partial<Profile> = {
  obeyedCapFields: { chat: ['max_tokens', 'max_completion_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  // Anthropic's guide to tool use: its system prompt has up to 530 tokens, more with older models.
  preludeTokens: 256,
  toolPreludeTokens: 1_024,
  imageTokens: anthropicImageTokens,
  cancelStopsBilling: true,
  greatestOutputTokensPerSecond: 1_000,
};

const GROQ: Partial<Profile> = {
  capField: { chat: 'max_completion_tokens', responses: 'max_output_tokens', embeddings: null },
  obeyedCapFields: { chat: ['max_completion_tokens', 'max_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  // Measured: 44 over the text for gpt-oss, 482 over text and tool for llama-4.
  preludeTokens: 256,
};

const MISTRAL: Partial<Profile> = {
  // Mistral refuses `max_completion_tokens` (422).
  preludeTokens: 256,
  toolPreludeTokens: 512,
  // It sends usage in its last chunk without being asked.
  takesIncludeUsage: false,
};

const DEEPSEEK: Partial<Profile> = {
  // Recorded: the chunk that finishes a stream has usage unasked; asked for, it moves to a chunk of its own.
  takesIncludeUsage: false,
  // DeepSeek ignores `max_completion_tokens`. Measured: 60 over the text, 203 with a tool of 225 bytes.
  preludeTokens: 256,
  toolPreludeTokens: 768,
  cancelStopsBilling: true,
  greatestOutputTokensPerSecond: 1_000,
};

const XAI: Partial<Profile> = {
  capField: { chat: 'max_completion_tokens', responses: 'max_output_tokens', embeddings: null },
  obeyedCapFields: { chat: ['max_completion_tokens', 'max_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  // Measured: 199 tokens billed for a body of 143 bytes, 186 of them over the text; 687 for grok-4 behind a router.
  preludeTokens: 1_024,
  cancelStopsBilling: true,
  greatestOutputTokensPerSecond: 1_000,
};

const PARTS: Readonly<Record<ProviderKind, Partial<Profile>>> = {
  openai: OPENAI,
  openrouter: OPENROUTER,
  anthropic: ANTHROPIC,
  groq: GROQ,
  mistral: MISTRAL,
  deepseek: DEEPSEEK,
  xai: XAI,
  custom: {},
};

const PROFILES = Object.fromEntries(
  Object.entries(PARTS).map(([kind, part]) => [kind, { ...CAUTIOUS, ...part, kind } as Profile]),
) as Readonly<Record<ProviderKind, Profile>>;

/** Newer models cost a tenth more where data must stay in a region (OpenAI's pricing page). */
const REGIONAL: Profile = { ...PROFILES.openai, pricePercent: 110 };

/** Azure serves OpenAI's models: reasoning models refuse `max_tokens` there, too. */
const AZURE: Profile = {
  ...PROFILES.custom,
  capField: PROFILES.openai.capField,
  obeyedCapFields: PROFILES.openai.obeyedCapFields,
};

/**
 * Alibaba's API reference: `max_tokens` does not limit the chain of thought. Its notice of compatibility upgrades (November 2026):
 * `max_completion_tokens` limits both. Of the responses route it says nothing.
 */
const ALIBABA: Profile = {
  ...PROFILES.custom,
  capField: { chat: 'max_completion_tokens', responses: 'max_output_tokens', embeddings: null },
  obeyedCapFields: { chat: ['max_completion_tokens', 'max_tokens'], responses: ['max_output_tokens'], embeddings: [] },
  answerOnlyCaps: ['max_tokens', 'max_output_tokens'],
};

/** The profile of a kind of provider; the base URL tells apart a kind's regional hosts, and among `custom` Azure, Alibaba and the kinds by their own hosts. */
export function profileOf(kind: ProviderKind, baseUrl: string | null = null): Profile {
  const host = hostOf(baseUrl);
  if (kind === 'openai' && host !== null && /^[a-z]{2,3}\.api\.openai\.com$/.test(host)) return REGIONAL;
  if (kind === 'custom' && host !== null && host.endsWith('.azure.com')) return AZURE;
  if (kind === 'custom' && host !== null && host.endsWith('.aliyuncs.com')) return ALIBABA;
  const owner = providerOf(kind, baseUrl);
  return owner !== null && Object.hasOwn(PARTS, owner) ? PROFILES[owner as ProviderKind] : PROFILES[kind];
}
