import { formatUsd, parseUsd } from '../domain/money.ts';
import { LIMIT_FIELDS, LIMIT_PARTS, PRICE_FIELDS, PRICE_PARTS } from '../domain/price-fields.ts';
import type { OverrideParts } from './price-board.ts';
import type { PriceRequest } from './prices.ts';

/** An operator's price as people write it: USD for a million tokens as decimal strings, and tokens. */
export type PriceWords = { readonly [Name in (typeof PRICE_FIELDS)[keyof typeof PRICE_FIELDS]]?: string } & {
  readonly [Name in (typeof LIMIT_FIELDS)[keyof typeof LIMIT_FIELDS]]?: number;
};

/** What an operator set, as people write it. */
export function priceWords({ price, limits = {} }: OverrideParts): PriceWords {
  const amounts = PRICE_PARTS.flatMap((name) => (typeof price[name] === 'number' ? [[PRICE_FIELDS[name], formatUsd(price[name])]] : []));
  const bounds = LIMIT_PARTS.flatMap((name) => (typeof limits[name] === 'number' ? [[LIMIT_FIELDS[name], limits[name]]] : []));
  return Object.fromEntries([...amounts, ...bounds]) as PriceWords;
}

/** What an operator wrote, in our words. A schema has seen to it that every amount can be read. */
export function priceRequestOf(words: PriceWords): PriceRequest {
  const price = PRICE_PARTS.flatMap((name) => {
    const text = words[PRICE_FIELDS[name]];
    return text === undefined ? [] : [[name, parseUsd(text)] as const];
  });
  const limits = LIMIT_PARTS.flatMap((name) => {
    const tokens = words[LIMIT_FIELDS[name]];
    return tokens === undefined ? [] : [[name, tokens] as const];
  });
  return { price: Object.fromEntries(price), limits: Object.fromEntries(limits) };
}
