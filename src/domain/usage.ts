/**
 * What a provider says it used, in our words. All counts are whole tokens >= 0, already clamped to sanity;
 * `cachedInputTokens` and `cacheWriteTokens` are parts of `inputTokens`, `reasoningTokens` is a part of `outputTokens`.
 */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly audioInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly audioOutputTokens: number;
  /** What the provider says the request cost, in nano-USD, or null when it says nothing. */
  readonly providerCostNanoUsd: number | null;
  /** Calls of hosted tools that the provider bills apart, by tool type: `{ web_search: 2 }`. Null when none. */
  readonly toolCalls: Readonly<Record<string, number>> | null;
  /** What had to be mended in the provider's figures: `negative`, `fraction`, `cached_over_input`, `not_a_number`, `too_large` ... Empty when sane. */
  readonly flags: readonly string[];
}

/** A usage of nothing, to build on. */
export const NO_USAGE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  audioInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  audioOutputTokens: 0,
  providerCostNanoUsd: null,
  toolCalls: null,
  flags: [],
};
