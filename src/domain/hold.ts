import type { Quote } from './candidate.ts';
import { MAX_NANO_USD, priceOf, type NanoUsd } from './money.ts';

/** What a request may cost at most with an output cap of `capTokens` for each choice, in nano-USD. Saturates at `MAX_NANO_USD`. */
export function holdFor(quote: Quote, capTokens: number): NanoUsd {
  const sum = quote.inputHoldNanoUsd + priceOf(capTokens * quote.choices, quote.outputNanoUsdPerMillion);
  return sum > MAX_NANO_USD ? MAX_NANO_USD : sum;
}
