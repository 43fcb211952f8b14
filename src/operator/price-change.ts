import { formatUsd } from '../domain/money.ts';
import type { CatalogueModel, Price } from '../pricing/catalogue-model.ts';

const PRICE_PARTS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning', 'inputAudio', 'outputAudio'] as const;
const LIMITS = ['context', 'input', 'output'] as const;
/** A cache write that the catalogue is silent about is held at twice the input. */
const CACHE_WRITE_FACTOR = 2;

/** What makes a hold for this model smaller than it is now, in words for people; null when nothing does. */
export function lowersHold(before: CatalogueModel | null, after: CatalogueModel | null): string | null {
  if (after === null) return before === null ? null : 'the model would have no price any more';
  return (
    freeOfCharge(before, after) ?? (before === null || before.unpriced ? null : (lowerPrice(before, after) ?? lowerLimit(before, after)))
  );
}

function freeOfCharge(before: CatalogueModel | null, after: CatalogueModel): string | null {
  const isFree = (model: CatalogueModel | null): boolean =>
    model !== null && !model.unpriced && model.price.input + model.price.output === 0;
  return isFree(after) && !isFree(before) ? 'requests to this model would cost nothing' : null;
}

function lowerPrice(before: CatalogueModel, after: CatalogueModel): string | null {
  const old = pricesOf(before);
  const lowered = pricesOf(after).findIndex((price, index) => price.amount < (old[index]?.amount ?? 0));
  if (lowered === -1) return null;
  const { name, amount } = pricesOf(after)[lowered]!;
  return `${name} is ${formatUsd(old[lowered]!.amount)} USD now and would be ${formatUsd(amount)} USD a million tokens`;
}

/** Every price that a request could be held at, gaps filled as they are when it is held. */
function pricesOf(model: CatalogueModel): { readonly name: string; readonly amount: number }[] {
  const lists: (readonly [string, Price])[] = [
    ['', model.price],
    ...model.tiers.map((tier) => [` above ${tier.aboveInputTokens} tokens`, tier.price] as const),
  ];
  return lists.flatMap(([suffix, price]) => PRICE_PARTS.map((part) => ({ name: part + suffix, amount: filled(price, part) })));
}

function filled(price: Price, part: (typeof PRICE_PARTS)[number]): number {
  const own = price[part];
  if (own !== null) return own;
  if (part === 'cacheWrite') return price.input * CACHE_WRITE_FACTOR;
  return part === 'cacheRead' || part === 'inputAudio' ? price.input : price.output;
}

function lowerLimit(before: CatalogueModel, after: CatalogueModel): string | null {
  // An unknown limit is held at the greatest that there is.
  const lowered = LIMITS.find((name) => (after.limits[name] ?? Infinity) < (before.limits[name] ?? Infinity));
  return lowered === undefined ? null : `the ${lowered} limit would be ${after.limits[lowered]} tokens, less than now`;
}
