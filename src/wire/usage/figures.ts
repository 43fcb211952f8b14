/** Providers' JSON, read with suspicion: whatever is there becomes a whole number >= 0 or null, and a flag says what was mended. */

/** Counts past this are nonsense; it stands for what was said. */
export const MAX_TOKENS = 2 ** 40;

/** A provider's own cost past this (one million USD) is nonsense; it stands for what was said. */
export const MAX_COST_NANO_USD = 1e15;

const NANO_PER_USD = 1e9;

/** What had to be mended in a provider's figures. */
export type UsageFlag =
  | 'negative'
  | 'fraction'
  | 'not_a_number'
  | 'numeric_string'
  | 'too_large'
  | 'cached_over_input'
  | 'cache_write_over_input'
  | 'audio_over_total'
  | 'reasoning_over_output'
  | 'input_missing'
  | 'output_missing'
  | 'half_told'
  | 'cost_not_usd';

/** The flag of a usage that leaves out what surely was billed: its cost is no less than what was held or estimated. */
export const HALF_TOLD = 'half_told' satisfies UsageFlag;

/** A JSON object whose members are not known yet. */
export type Json = Readonly<Record<string, unknown>>;

/** The value as an object, or null when it is anything else, an array included. */
export function objectIn(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** Reads figures and remembers what was wrong with them. */
export class Figures {
  readonly flags: UsageFlag[] = [];

  flag(flag: UsageFlag): void {
    if (!this.flags.includes(flag)) this.flags.push(flag);
  }

  /** A count of tokens or calls, or null when it is absent, null, or no number at all. */
  count(value: unknown): number | null {
    if (typeof value === 'number' && value >= 0 && value <= MAX_TOKENS && Number.isInteger(value)) return value;
    const number = this.#number(value);
    if (number === null) return null;
    if (!Number.isInteger(number) && Number.isFinite(number)) this.flag('fraction');
    if (number > MAX_TOKENS) this.flag('too_large');
    return Math.min(Math.ceil(number), MAX_TOKENS);
  }

  /** The greatest of several names for the same count, or null when none is there. */
  greatest(...values: readonly unknown[]): number | null {
    let greatest: number | null = null;
    for (const value of values) {
      if (value === undefined || value === null) continue;
      const count = this.count(value);
      if (count !== null && (greatest === null || count > greatest)) greatest = count;
    }
    return greatest;
  }

  /** An amount of USD in nano-USD, rounded up, or null. */
  usd(value: unknown): number | null {
    return this.#money(value, NANO_PER_USD);
  }

  /** An amount in units of which `perNanoUsd` make one nano-USD, rounded up, or null. */
  units(value: unknown, perNanoUsd: number): number | null {
    return this.#money(value, 1 / perNanoUsd);
  }

  #money(value: unknown, nanoUsdPerUnit: number): number | null {
    const number = this.#number(value);
    if (number === null) return null;
    if (number * nanoUsdPerUnit > MAX_COST_NANO_USD) this.flag('too_large');
    return Math.min(roundedUp(number * nanoUsdPerUnit), MAX_COST_NANO_USD);
  }

  /** A number >= 0, Infinity included, or null. */
  #number(value: unknown): number | null {
    if (value === undefined || value === null) return null;
    let number: number;
    if (typeof value === 'number') number = value;
    else if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) {
      this.flag('numeric_string');
      number = Number(value);
    } else {
      this.flag('not_a_number');
      return null;
    }
    if (Number.isNaN(number)) {
      this.flag('not_a_number');
      return null;
    }
    if (number < 0) this.flag('negative');
    return Math.max(number, 0);
  }
}

/** Up to a whole number, but not for the noise that binary fractions bring: 0.000427 x 1e9 is 427000.00000000006. */
function roundedUp(amount: number): number {
  const nearest = Math.round(amount);
  return Math.abs(amount - nearest) <= amount * 1e-12 ? nearest : Math.ceil(amount);
}
