import type { Route } from './candidate.ts';

/** A change to a member of the body that is forwarded. `json` replaces or adds the member, null removes it. */
export interface BodyEdit {
  /** One or two names: `['stream_options', 'include_usage']`. A missing parent object is made. */
  readonly path: readonly string[];
  readonly json: string | null;
}

/** An image, file, or sound that a body carries or refers to. */
export interface MediaPart {
  /** `stored` is what the provider puts in from its store. */
  readonly kind: 'image' | 'audio' | 'file' | 'video' | 'stored';
  /** `inline` bytes are in the body, `reference` is a URL or id whose size we cannot know. */
  readonly source: 'inline' | 'reference';
  /** Decoded bytes when inline, else 0. */
  readonly bytes: number;
  /** Pixels, read from the bytes of an inline image; null when unknown. */
  readonly width: number | null;
  readonly height: number | null;
  /** The `detail` that the client asked for, or null. */
  readonly detail: string | null;
}

/** What a request body says, as far as money and policy care. Made by `wire/`, read by `pricing/` and the path. */
export interface RequestFacts {
  readonly route: Route;
  /** The `model` member as sent. */
  readonly model: string;
  /** OpenRouter's `models` member: what may serve instead, as sent. */
  readonly fallbackModels: readonly string[];
  readonly stream: boolean;
  /** `stream_options.include_usage` as sent: null when absent. */
  readonly includeUsage: boolean | null;
  /** `user` or `safety_identifier`. */
  readonly endUser: string | null;
  /** UTF-8 bytes of every text that becomes input: contents, instructions, names, tool schemas, formats. */
  readonly textBytes: number;
  /** The same after NFKC, where that is larger (for tokenizers that are not byte-level). */
  readonly nfkcTextBytes: number;
  /** UTF-8 bytes of tool and function definitions and of response formats: a part of `textBytes`. */
  readonly toolBytes: number;
  readonly messageCount: number;
  readonly toolCount: number;
  readonly media: readonly MediaPart[];
  /** Embeddings: how many inputs, and how many token ids when inputs are arrays of numbers. */
  readonly inputItems: number;
  readonly inputTokenIds: number;
  /** UTF-8 bytes of `prediction`. */
  readonly predictionBytes: number;
  /** `n`, 1 when absent. */
  readonly choices: number;
  /** Output caps as sent, by field name. */
  readonly outputCaps: Readonly<Record<string, number>>;
  /** `service_tier` as sent, or null. */
  readonly serviceTier: string | null;
  /** True when reasoning was asked for or the answer has a JSON schema or tools: raises the floor of an injected cap. */
  readonly wantsLongAnswer: boolean;
  /** True when the body switches reasoning on by itself (`reasoning`, `reasoning_effort`, `thinking`, `enable_thinking`). */
  readonly asksReasoning: boolean;
  /** True when the body switches thinking off by `enable_thinking`. */
  readonly declinesReasoning: boolean;
  /** `thinking_budget` as sent: the most tokens of thinking where a server obeys it. Null when absent. */
  readonly thinkingBudgetTokens: number | null;
  /** `reasoning.max_tokens` or `thinking.budget_tokens`: an output cap under it is refused by providers. 0 when absent. */
  readonly reasoningBudgetTokens: number;
  /** True when a `cache_control` with a lifetime of an hour is in the body: such writes cost twice the input. */
  readonly longCacheWrites: boolean;
  /** OpenRouter's `provider.max_price` as sent, USD per million tokens by part, or null: ours must never be looser. */
  readonly providerMaxPrice: Readonly<Record<string, number>> | null;
  /** Types of hosted tools (`web_search`, `code_interpreter` ...) and things like `web_search_options`, `plugins`. */
  readonly hostedTools: readonly string[];
  /** `max_tool_calls` as sent, or null. */
  readonly maxToolCalls: number | null;
  /** Ids in `previous_response_id`, `conversation`, `item_reference`, `file_id`, stored `prompt`. */
  readonly storedReferences: readonly string[];
  /** Output media that was asked for apart from text: `audio`, `image`. */
  readonly outputMedia: readonly string[];
  /** Top-level members that this dialect does not know. */
  readonly unknownFields: readonly string[];
  /** 64 bits over messages, tools and `previous_response_id`; see `wire/facts/fingerprint.ts`. */
  readonly fingerprint: bigint;
  readonly repeatedToolCalls: number;
}

/** What a policy says about prices; read by `pricing/`. */
export interface PricingRules {
  /** True when a money budget or the abuse limit is in enforce mode. */
  readonly moneyLimited: boolean;
  /** The share of the tightest budget that one request without a cap may hold, 0 to 1. */
  readonly maxHoldShare: number;
  /** Price of a model that the catalogue does not know, nano-USD per million tokens, or null to refuse it. */
  readonly unknownModelPrice: { readonly input: number; readonly output: number } | null;
  /** Unknown top-level fields that may pass where money is limited. */
  readonly allowFields: readonly string[];
  /** nano-USD for a call of a hosted tool, by type: overrides the profile. */
  readonly toolPrices: Readonly<Record<string, number>>;
  /** How many calls of hosted tools a request may make when the client does not say. */
  readonly maxToolCalls: number;
  /** Whether stored references may pass. */
  readonly allowStoredReferences: boolean;
}
