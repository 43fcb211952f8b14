import type { Route } from '../domain/candidate.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { ProviderKind } from '../domain/project.ts';

/** A tool that the provider runs, with a price that is known and a bound of what it adds. */
export interface HostedTool {
  /** The fee of one call, nano-USD. */
  readonly nanoUsdPerCall: NanoUsd;
  /** The most tokens that one call adds to the input. */
  readonly inputTokensPerCall: number;
}

/** The bound of an image in tokens by its size in pixels (null: unknown, take the greatest); null when there is no bound. */
export type ImageBound = (model: string, width: number | null, height: number | null, detail: string | null) => number | null;

/** What policy must know of a provider. Anything not in a profile takes the cautious value of `CAUTIOUS`. */
export interface Profile {
  readonly kind: ProviderKind;
  /** The field that an output cap is put into, by route; null where there is no output. */
  readonly capField: Readonly<Record<Route, string | null>>;
  /** The fields that bound the output when a client sends them, by route. */
  readonly obeyedCapFields: Readonly<Record<Route, readonly string[]>>;
  /** Cap fields that bound the answer alone and not the thinking before it. */
  readonly answerOnlyCaps: readonly string[];
  /** Tokens that are billed before the first word of the client: system preludes, chat templates. */
  readonly preludeTokens: number;
  /** More of them when the request has tools. */
  readonly toolPreludeTokens: number;
  /** Template tokens around each message, and around each tool. */
  readonly perMessageTokens: number;
  readonly perToolTokens: number;
  /** Tokens for each byte of text: 1 for every tokenizer that falls back to bytes. */
  readonly textMultiplier: number;
  /** Tool schemas are rendered anew, some as indented JSON: tokens for each of their bytes. */
  readonly toolMultiplier: number;
  /** False when the tokenizer may normalize before it counts: then the larger of raw and NFKC bytes counts. */
  readonly byteLevelTokenizer: boolean;
  readonly imageTokens: ImageBound;
  /** Whether closing a stream provably stops billing. */
  readonly cancelStopsBilling: boolean;
  /** The greatest speed of output of one answer, in tokens per second. */
  readonly greatestOutputTokensPerSecond: number;
  /** Everything costs this many percent of the list price, for instance where data must stay in a region. */
  readonly pricePercent: number;
  /** Percent of the list price by `service_tier`. */
  readonly tierPercent: Readonly<Record<string, number>>;
  /** Percent for a tier that is not in the table. */
  readonly unknownTierPercent: number;
  /** What `service_tier` is set to when the request leaves it to the account, or null. */
  readonly pinnedTier: string | null;
  /** Tools of the Responses API that have a price here, by type. */
  readonly hostedTools: Readonly<Record<string, HostedTool>>;
  /** Tokens of the instructions that a hosted tool brings along. */
  readonly hostedToolPreludeTokens: number;
  /** Whether `max_tool_calls` bounds the calls of hosted tools. */
  readonly obeysMaxToolCalls: boolean;
  /** Whether a chat stream takes `stream_options.include_usage`. */
  readonly takesIncludeUsage: boolean;
  /** Whether `provider.max_price` bounds the price. */
  readonly takesMaxPrice: boolean;
}
