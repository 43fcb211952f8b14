import type { CatalogueModel, Limits, Price, PriceTier } from './catalogue-model.ts';

/** A model as it stands in `db/models.json`. */
export interface RawModel {
  readonly price: RawPrice;
  readonly tiers?: readonly (Partial<RawPrice> & { readonly above_input_tokens: number })[];
  readonly modes?: Readonly<Record<string, { readonly when: Readonly<Record<string, string>>; readonly price: Partial<RawPrice> }>>;
  readonly limit: { readonly context: number; readonly input?: number; readonly output: number };
  readonly modalities: { readonly input: readonly string[]; readonly output: readonly string[] };
}

interface RawPrice {
  readonly input: number;
  readonly output: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
  readonly reasoning?: number;
  readonly input_audio?: number;
  readonly output_audio?: number;
}

/** A price: an integer of nano-USD per million tokens. Throws a RangeError for anything else: a catalogue is never guessed at. */
function amount(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new RangeError(`${where} is not an amount of nano-USD`);
  return value as number;
}

const amountOrNull = (value: unknown, where: string): number | null => (value === undefined ? null : amount(value, where));

/** A cached read for nothing is a gap in the data, not a gift: it is charged like input. */
function cacheRead(value: number | null, input: number): number | null {
  return value === 0 && input > 0 ? null : value;
}

/** A cache write is never cheaper than the input that it stores. */
function cacheWrite(value: number | null, input: number): number | null {
  return value === null ? null : Math.max(value, input);
}

function importPrice(raw: RawPrice, where: string): Price {
  const input = amount(raw.input, `${where}.input`);
  return {
    input,
    output: amount(raw.output, `${where}.output`),
    cacheRead: cacheRead(amountOrNull(raw.cache_read, `${where}.cache_read`), input),
    cacheWrite: cacheWrite(amountOrNull(raw.cache_write, `${where}.cache_write`), input),
    reasoning: amountOrNull(raw.reasoning, `${where}.reasoning`),
    inputAudio: amountOrNull(raw.input_audio, `${where}.input_audio`),
    outputAudio: amountOrNull(raw.output_audio, `${where}.output_audio`),
  };
}

/** A part of a price list that stands beside the base price: what it leaves out is the base's, and never less than its own input asks. */
function importPart(raw: Partial<RawPrice>, base: Price, where: string): Price {
  const price = importPrice({ input: base.input, output: base.output, ...raw }, where);
  return {
    ...price,
    reasoning: price.reasoning ?? (base.reasoning === null ? null : Math.max(base.reasoning, price.output)),
    inputAudio: price.inputAudio ?? base.inputAudio,
    outputAudio: price.outputAudio ?? base.outputAudio,
  };
}

function importTiers(raw: RawModel, base: Price, where: string): PriceTier[] {
  const tiers = (raw.tiers ?? []).map((tier) => ({
    aboveInputTokens: amount(tier.above_input_tokens, `${where}.above_input_tokens`),
    price: importPart(withoutThreshold(tier), base, `${where}.tiers`),
  }));
  return tiers.sort((a, b) => a.aboveInputTokens - b.aboveInputTokens);
}

function withoutThreshold(tier: Partial<RawPrice> & { readonly above_input_tokens: number }): Partial<RawPrice> {
  const { above_input_tokens: _threshold, ...price } = tier;
  return price;
}

function importServiceTiers(raw: RawModel, base: Price, where: string): Record<string, Price> {
  const out: Record<string, Price> = {};
  for (const mode of Object.values(raw.modes ?? {})) {
    const tier = mode.when['service_tier'];
    if (tier !== undefined) out[tier] = importPart(mode.price, base, `${where}.modes`);
  }
  return out;
}

/** A limit of 0 is unknown. */
const limitOrNull = (value: number | undefined): number | null => (value === undefined || value <= 0 ? null : value);

function importLimits(raw: RawModel, isEmbedding: boolean): Limits {
  return {
    context: limitOrNull(raw.limit.context),
    input: limitOrNull(raw.limit.input),
    // What an embedding model calls its output limit is the dimension of its vector.
    output: isEmbedding ? null : limitOrNull(raw.limit.output),
  };
}

function looksLikeEmbedding(id: string, raw: RawModel): boolean {
  return /embed/i.test(id) || (raw.price.output === 0 && raw.price.input > 0);
}

/** 0/0 means free only when the name says so. */
function isUnpriced(id: string, price: Price): boolean {
  return price.input === 0 && price.output === 0 && !id.toLowerCase().endsWith(':free');
}

/** One model of the file, with the rules that need no other model. */
export function importModel(provider: string, id: string, raw: RawModel): CatalogueModel {
  const where = `${provider}/${id}`;
  const price = importPrice(raw.price, where);
  const isEmbedding = looksLikeEmbedding(id, raw);
  return {
    provider,
    id,
    price,
    tiers: importTiers(raw, price, where),
    serviceTiers: importServiceTiers(raw, price, where),
    limits: importLimits(raw, isEmbedding),
    isEmbedding,
    unpriced: isUnpriced(id, price),
    modalities: { input: raw.modalities.input, output: raw.modalities.output },
  };
}
