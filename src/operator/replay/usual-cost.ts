import type { Candidate } from '../../domain/candidate.ts';
import type { NanoUsd } from '../../domain/money.ts';

/** Models that are told apart; clients choose their names. */
const MAX_MODELS = 10_000;

/**
 * What a request that was never sent is taken to cost: what settled requests for its model cost on average so far in the replay,
 * never more than its hold. Before one has settled it is the whole hold, which is what the ledger would take for granted.
 */
export class UsualCost {
  readonly #sums = new Map<string, { costNanoUsd: NanoUsd; requests: number }>();

  /** A request has settled. */
  learn(name: string, costNanoUsd: NanoUsd): void {
    let sum = this.#sums.get(name);
    if (sum === undefined) {
      if (this.#sums.size >= MAX_MODELS) return;
      this.#sums.set(name, (sum = { costNanoUsd: 0, requests: 0 }));
    }
    sum.costNanoUsd += costNanoUsd;
    sum.requests++;
  }

  /** nano-USD, whole, rounded up. */
  of(name: string, holdNanoUsd: NanoUsd): NanoUsd {
    const sum = this.#sums.get(name);
    return sum === undefined ? holdNanoUsd : Math.min(holdNanoUsd, Math.ceil(sum.costNanoUsd / sum.requests));
  }
}

/** Requests that are taken to cost alike. */
export function costName({ environment, model }: Candidate): string {
  return `${environment} ${model}`;
}
