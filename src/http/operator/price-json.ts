import { formatUsd } from '../../domain/money.ts';
import { priceWords } from '../../operator/price-words.ts';
import type { StandingPrice } from '../../operator/prices.ts';
import { iso } from '../render.ts';
import type { PriceJson } from '../schemas/operator.ts';

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
    override: set === null ? null : priceWords(set.override),
    author: set?.author ?? null,
    set_at: set === null ? null : iso(set.atMs),
    price_version: version,
  };
}
