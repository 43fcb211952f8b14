import type { Usage } from '../../domain/usage.ts';
import { HALF_TOLD } from './figures.ts';

/** The same usage as one that leaves out what came after it. */
export function halfTold(usage: Usage): Usage {
  return tellsAll(usage) ? { ...usage, flags: [...usage.flags, HALF_TOLD] } : usage;
}

/** The last usage stands for all; but one that tells half of it, or nothing, takes nothing back. */
export function laterOf(before: Usage | null, last: Usage): Usage {
  if (before === null || tellsAll(last)) return last;
  const greater = tokensOf(before) >= tokensOf(last) ? before : last;
  return { ...greater, providerCostNanoUsd: greaterCost(before, last), flags: last.flags };
}

/** Whether nothing that surely was billed is left out. */
export function tellsAll(usage: Usage): boolean {
  return !usage.flags.includes(HALF_TOLD);
}

const tokensOf = (usage: Usage): number => usage.inputTokens + usage.outputTokens;

function greaterCost({ providerCostNanoUsd: one }: Usage, { providerCostNanoUsd: other }: Usage): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
