/**
 * Money is an integer number of nano-USD (1e-9 USD), so that nothing is ever lost to a fraction.
 * A sum may reach 2^53 - 1 nano-USD, which is 9 million USD; past that `addNanoUsd` throws.
 */
export type NanoUsd = number;

/** 1 USD in nano-USD. */
export const NANO_PER_USD = 1_000_000_000;

/** The greatest amount that we can hold in one number. */
export const MAX_NANO_USD: NanoUsd = Number.MAX_SAFE_INTEGER;

const TOKENS_PER_PRICE = 1_000_000;

/**
 * The price of `tokens` at `nanoUsdPerMillion` (nano-USD for a million tokens), rounded up to a whole nano-USD.
 * Both must be integers >= 0. Saturates at `MAX_NANO_USD`: a bound that large is refused by every limit.
 */
export function priceOf(tokens: number, nanoUsdPerMillion: number): NanoUsd {
  const product = tokens * nanoUsdPerMillion;
  if (product <= Number.MAX_SAFE_INTEGER) {
    const rest = product % TOKENS_PER_PRICE;
    return (product - rest) / TOKENS_PER_PRICE + (rest > 0 ? 1 : 0);
  }
  if (!Number.isFinite(product)) return MAX_NANO_USD;
  const exact = (BigInt(tokens) * BigInt(nanoUsdPerMillion) + 999_999n) / 1_000_000n;
  return exact > BigInt(MAX_NANO_USD) ? MAX_NANO_USD : Number(exact);
}

/** Adds amounts of nano-USD, saturating at `MAX_NANO_USD`. For bounds: what saturates is refused by every limit. */
export function addBounds(...amounts: readonly NanoUsd[]): NanoUsd {
  let sum = 0;
  for (const amount of amounts) sum += amount;
  return sum > MAX_NANO_USD ? MAX_NANO_USD : sum;
}

/** Adds to a balance. Throws a RangeError when the sum leaves the range of exact integers. */
export function addNanoUsd(balance: NanoUsd, amount: NanoUsd): NanoUsd {
  const sum = balance + amount;
  if (!Number.isSafeInteger(sum)) throw new RangeError('a balance left the range of exact nano-USD');
  return sum;
}

/** nano-USD as a decimal string in USD without trailing zeros, at least two digits after the point: `"0.00"`, `"1.50"`, `"0.000000123"`. */
export function formatUsd(amount: NanoUsd): string {
  const sign = amount < 0 ? '-' : '';
  const absolute = Math.abs(amount);
  const nanos = absolute % NANO_PER_USD;
  const whole = (absolute - nanos) / NANO_PER_USD;
  if (nanos === 0) return `${sign}${whole}.00`;
  // The leading 1 keeps the zeros of the fraction.
  const digits = String(NANO_PER_USD + nanos);
  let end = digits.length;
  while (end > 3 && digits.charCodeAt(end - 1) === 0x30) end--;
  return `${sign}${whole}.${digits.slice(1, end)}`;
}

/**
 * A decimal string in USD (`"5"`, `"5.00"`, `"0.000000001"`) as nano-USD, or null when it is not one:
 * a sign, an exponent, more than nine digits after the point, or an amount past `MAX_NANO_USD`.
 */
export function parseUsd(text: string): NanoUsd | null {
  const match = /^(\d{1,16})(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) return null;
  const nanos = BigInt(match[1]!) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
  return nanos > BigInt(MAX_NANO_USD) ? null : Number(nanos);
}
