import type { Quote } from './candidate.ts';
import { addBounds, type NanoUsd, priceOf } from './money.ts';

/**
 * What a request may cost at most when each of its answers has at most `capTokens` tokens, in nano-USD.
 * The one place where a hold is computed. Saturates at `MAX_NANO_USD`, which every limit refuses.
 */
export function holdFor(quote: Quote, capTokens: number): NanoUsd {
  if (!quote.priced) return 0;
  return addBounds(quote.inputHoldNanoUsd, priceOf(capTokens * quote.choices, quote.outputNanoUsdPerMillion));
}

/** The output cap that holds without anybody putting one in: the smaller of the client's and the model's own limit, in tokens. */
export function effectiveCap(quote: Quote): number {
  return Math.min(quote.clientOutputCap ?? quote.modelOutputLimit, quote.modelOutputLimit);
}
