/** Prices in nano-USD per million tokens; null where the catalogue is silent. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly reasoning: number | null;
  readonly inputAudio: number | null;
  readonly outputAudio: number | null;
}

/** The price of a whole request whose input has more than `aboveInputTokens` tokens. */
export interface PriceTier {
  readonly aboveInputTokens: number;
  readonly price: Price;
}

/** Greatest numbers of tokens; null is unknown. For embeddings `context` counts for each item and `output` is null. */
export interface Limits {
  readonly context: number | null;
  readonly input: number | null;
  readonly output: number | null;
}

/** A model of the catalogue, with every rule of the importer applied. */
export interface CatalogueModel {
  /** The catalogue's provider: `openai`, `google` ... */
  readonly provider: string;
  /** The name in the catalogue's spelling. */
  readonly id: string;
  readonly price: Price;
  /** Long context, sorted by `aboveInputTokens`. */
  readonly tiers: readonly PriceTier[];
  /** Prices for a `service_tier` where they are known apart: `priority`. */
  readonly serviceTiers: Readonly<Record<string, Price>>;
  readonly limits: Limits;
  readonly isEmbedding: boolean;
  /** True when the price is not known: 0/0 that nobody confirmed. Treated as if the model had no price at all. */
  readonly unpriced: boolean;
  readonly modalities: { readonly input: readonly string[]; readonly output: readonly string[] };
}

/** A price that an operator set. Parts left out inherit the catalogue's; `input: 0, output: 0` is a confirmed zero. */
export interface PriceOverride {
  /** A provider of the catalogue, or `custom` for connections to servers that it does not know. */
  readonly provider: string;
  readonly model: string;
  readonly price: Partial<Price>;
  readonly limits?: Partial<Limits>;
}
