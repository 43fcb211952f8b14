import { formatUsd, parseUsd } from '../../domain/money.ts';
import type { PriceRequest, StandingPrice } from '../../operator/prices.ts';
import { iso } from '../render.ts';
import type { PriceInputJson, PriceJson } from '../schemas/operator.ts';

/** The names of a price's parts, in our words and as JSON. */
const PARTS = {
  input: 'input_usd',
  output: 'output_usd',
  cacheRead: 'cache_read_usd',
  cacheWrite: 'cache_write_usd',
  reasoning: 'reasoning_usd',
  inputAudio: 'input_audio_usd',
  outputAudio: 'output_audio_usd',
} as const;
const LIMITS = { context: 'context_tokens', input: 'max_input_tokens', output: 'max_output_tokens' } as const;
const PART_NAMES = Object.keys(PARTS) as (keyof typeof PARTS)[];
const LIMIT_NAMES = Object.keys(LIMITS) as (keyof typeof LIMITS)[];

/** A price in force, as JSON. */
export function priceJson({ model, set, version }: StandingPrice): PriceJson {
  const { price, limits } = model;
  const usd = (amount: number | null) => (amount === null ? null : formatUsd(amount));
  return {
    provider: set?.override.provider ?? model.provider,
    model: model.id,
    source: set === null ? 'catalogue' : 'operator',
    priced: !model.unpriced,
    input_usd: formatUsd(price.input),
    output_usd: formatUsd(price.output),
    cache_read_usd: usd(price.cacheRead),
    cache_write_usd: usd(price.cacheWrite),
    reasoning_usd: usd(price.reasoning),
    input_audio_usd: usd(price.inputAudio),
    output_audio_usd: usd(price.outputAudio),
    context_tokens: limits.context,
    max_input_tokens: limits.input,
    max_output_tokens: limits.output,
    override: set === null ? null : overrideJson(set.override),
    author: set?.author ?? null,
    set_at: set === null ? null : iso(set.atMs),
    price_version: version,
  };
}

function overrideJson({ price, limits = {} }: Partial<PriceRequest> & Pick<PriceRequest, 'price'>): PriceInputJson {
  const amounts = PART_NAMES.flatMap((name) => (typeof price[name] === 'number' ? [[PARTS[name], formatUsd(price[name])]] : []));
  const bounds = LIMIT_NAMES.flatMap((name) => (typeof limits[name] === 'number' ? [[LIMITS[name], limits[name]]] : []));
  return Object.fromEntries([...amounts, ...bounds]) as PriceInputJson;
}

/** What an operator sent, in our words. The schema has seen to it that every amount can be read. */
export function priceRequestOf(input: PriceInputJson): PriceRequest {
  const price = PART_NAMES.flatMap((name) => {
    const text = input[PARTS[name]];
    return text === undefined ? [] : [[name, parseUsd(text)] as const];
  });
  const limits = LIMIT_NAMES.flatMap((name) => {
    const tokens = input[LIMITS[name]];
    return tokens === undefined ? [] : [[name, tokens] as const];
  });
  return { price: Object.fromEntries(price), limits: Object.fromEntries(limits) };
}
