import type { Quote } from '../domain/candidate.ts';
import { holdFor } from '../domain/hold.ts';
import { addBounds, MAX_NANO_USD, type NanoUsd, priceOf } from '../domain/money.ts';
import type { Usage } from '../domain/usage.ts';
import type { Profile } from './profile.ts';
import { type Rates, ratesAt, type RateSet } from './rates.ts';

export { ratesFor } from './rates.ts';
export type { Rates } from './rates.ts';

const TOKENS_PER_PRICE = 1_000_000;

/** A count that can be priced: whatever is no whole number >= 0 is 0, and no count is past 2^53. */
function count(value: number): number {
  if (!(value > 0)) return 0;
  return Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER);
}

/** Adds products of tokens and prices exactly, and rounds up once. */
class Bill {
  #whole = 0;
  #parts = 0;

  add(tokens: number, nanoUsdPerMillion: number): void {
    const product = tokens * nanoUsdPerMillion;
    if (product <= Number.MAX_SAFE_INTEGER) {
      const part = product % TOKENS_PER_PRICE;
      this.#whole += (product - part) / TOKENS_PER_PRICE;
      this.#parts += part;
      return;
    }
    const exact = BigInt(tokens) * BigInt(nanoUsdPerMillion);
    this.#whole += Number(exact / 1_000_000n);
    this.#parts += Number(exact % 1_000_000n);
  }

  get total(): NanoUsd {
    return Math.min(MAX_NANO_USD, this.#whole + Math.ceil(this.#parts / TOKENS_PER_PRICE));
  }
}

/** Every input token is billed once: as cached, as written to the cache, as sound, or as text. */
function addInput(bill: Bill, usage: Usage, rates: RateSet): void {
  const input = count(usage.inputTokens);
  const cached = Math.min(count(usage.cachedInputTokens), input);
  const written = Math.min(count(usage.cacheWriteTokens), input - cached);
  const audio = Math.min(count(usage.audioInputTokens), input - cached - written);
  bill.add(cached, rates.cacheRead);
  bill.add(written, rates.cacheWrite);
  bill.add(audio, rates.inputAudio);
  bill.add(input - cached - written - audio, rates.input);
}

function addOutput(bill: Bill, usage: Usage, rates: RateSet): void {
  const output = count(usage.outputTokens);
  const audio = Math.min(count(usage.audioOutputTokens), output);
  const reasoning = Math.min(count(usage.reasoningTokens), output - audio);
  // Where reasoning costs more than output, all output of an answer that reasoned does.
  const textRate = reasoning > 0 ? Math.max(rates.output, rates.reasoning) : rates.output;
  bill.add(audio, rates.outputAudio);
  bill.add(reasoning, rates.reasoning);
  bill.add(output - audio - reasoning, textRate);
}

function feesOf(usage: Usage, rates: Rates): NanoUsd {
  if (usage.toolCalls === null) return 0;
  const dearest = Math.max(0, ...Object.values(rates.toolFees));
  let fees = 0;
  // A call under a name that the request did not offer is taken for the dearest that it did.
  for (const [type, calls] of Object.entries(usage.toolCalls)) {
    fees += count(calls) * (Object.hasOwn(rates.toolFees, type) ? rates.toolFees[type]! : dearest);
  }
  return Math.min(MAX_NANO_USD, fees);
}

/** What a request cost by our price list alone, in nano-USD, rounded up once. */
export function listCostOf(usage: Usage, rates: Rates): NanoUsd {
  const bill = new Bill();
  const set = ratesAt(rates, count(usage.inputTokens));
  addInput(bill, usage, set);
  addOutput(bill, usage, set);
  return addBounds(bill.total, feesOf(usage, rates));
}

/** What a request cost in nano-USD: the greater of our price and the provider's own. Never negative, never NaN. */
export function costOf(usage: Usage, rates: Rates): NanoUsd {
  const own = count(usage.providerCostNanoUsd ?? 0);
  return Math.max(listCostOf(usage, rates), own);
}

/** What is known of an attempt that ended without usage. */
export interface EndingFacts {
  readonly quote: Quote;
  readonly rates: Rates;
  readonly profile: Profile;
  /** The output cap that was held, tokens for each choice. */
  readonly capTokens: number;
  /** The most tokens that the delivered text can be, all choices together. */
  readonly deliveredTokens: number;
  /** From sending to the end, milliseconds. */
  readonly elapsedMs: number;
  readonly streamed: boolean;
}

/**
 * The cost of an attempt without usage. Where closing a stream stops billing, the input and no more output than can have been
 * made in that time (also in hidden reasoning); otherwise the whole hold.
 */
export function estimateCost(ending: EndingFacts): { readonly costNanoUsd: NanoUsd; readonly basis: 'estimated' | 'held' } {
  const { quote, profile } = ending;
  const hold = holdFor(quote, ending.capTokens);
  if (!profile.cancelStopsBilling || !ending.streamed) return { costNanoUsd: hold, basis: 'held' };
  const made = Math.ceil((Math.max(0, ending.elapsedMs) / 1000) * profile.greatestOutputTokensPerSecond) * quote.choices;
  const tokens = Math.min(ending.capTokens * quote.choices, Math.max(ending.deliveredTokens, made));
  const output = quote.priced ? priceOf(tokens, quote.outputNanoUsdPerMillion) : 0;
  return { costNanoUsd: Math.min(hold, addBounds(quote.inputHoldNanoUsd, output)), basis: 'estimated' };
}
