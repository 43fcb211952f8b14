import { formatUsd, parseUsd } from '../domain/money.ts';
import type { OverrideParts } from './price-board.ts';
import type { PriceRequest } from './prices.ts';

/** The names of a price's parts, in our words and as people write them. */
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

/** An operator's price as people write it: USD for a million tokens as decimal strings, and tokens. */
export type PriceWords = { readonly [Name in (typeof PARTS)[keyof typeof PARTS]]?: string } & {
  readonly [Name in (typeof LIMITS)[keyof typeof LIMITS]]?: number;
};

/** What an operator set, as people write it. */
export function priceWords({ price, limits = {} }: OverrideParts): PriceWords {
  const amounts = PART_NAMES.flatMap((name) => (typeof price[name] === 'number' ? [[PARTS[name], formatUsd(price[name])]] : []));
  const bounds = LIMIT_NAMES.flatMap((name) => (typeof limits[name] === 'number' ? [[LIMITS[name], limits[name]]] : []));
  return Object.fromEntries([...amounts, ...bounds]) as PriceWords;
}

/** What an operator wrote, in our words. A schema has seen to it that every amount can be read. */
export function priceRequestOf(words: PriceWords): PriceRequest {
  const price = PART_NAMES.flatMap((name) => {
    const text = words[PARTS[name]];
    return text === undefined ? [] : [[name, parseUsd(text)] as const];
  });
  const limits = LIMIT_NAMES.flatMap((name) => {
    const tokens = words[LIMITS[name]];
    return tokens === undefined ? [] : [[name, tokens] as const];
  });
  return { price: Object.fromEntries(price), limits: Object.fromEntries(limits) };
}
