import type { Reason } from '../../domain/errors.ts';
import type { Balance, BudgetScope } from '../../domain/state.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import type { BudgetSection } from '../compiled.ts';
import { control } from '../control.ts';
import { counted, policyCommand, timeText, usdText } from '../words.ts';
import { HELD_RETRY_SECONDS, passesWithoutHolds, standingText } from './held.ts';
import { findingOf } from './same-figures.ts';

const REASON_OF = {
  request: 'request_budget',
  key: 'key_budget',
  user: 'user_budget',
  project: 'project_budget',
  workspace: 'workspace_budget',
} as const satisfies Record<BudgetScope, Reason>;

/** Budgets: all that apply must fit, together. A budget of 0 blocks, even what costs nothing. */
export const budgets = control(
  'budgets',
  (policy) => policy.budgets,
  (budget, request) => {
    const balance = request.plan.standings.balances[budget.index];
    if (balance === null || balance === undefined) return null;
    const after = balance.settledNanoUsd + balance.heldNanoUsd + request.plan.neededNanoUsd;
    return budget.limitNanoUsd > 0 && after <= budget.limitNanoUsd ? null : findingOf(budget, balance, request, finding);
  },
);

function finding(budget: BudgetSection, balance: Balance, request: Case): Finding {
  const { plan, policy } = request;
  const isTransient = budget.limitNanoUsd > 0 && budget.account !== null && passesWithoutHolds(plan, budget.limitNanoUsd, balance);
  const figures = figuresOf(budget, balance, request);
  const resets = resetText(budget, balance);
  const raise = `raise its limit_usd with: ${policyCommand(policy, budget.owner)}`;
  const remedy = isTransient
    ? `It fits once requests in flight have settled: try again in ${counted(HELD_RETRY_SECONDS, 'second')}`
    : `Lower the request's output cap or input, or ${raise}`;
  return {
    control: 'budgets',
    reason: REASON_OF[budget.scope],
    rule: budget.rule,
    limit: usdText(budget.limitNanoUsd),
    observed: figures,
    remedy,
    message: `The ${budget.rule} has no room for this request: ${figures}, limit ${usdText(budget.limitNanoUsd)}.${resets} ${remedy}`,
    ...(isTransient ? { retryable: true, retryAfterSeconds: HELD_RETRY_SECONDS } : {}),
  };
}

function figuresOf(budget: BudgetSection, balance: Balance, request: Case): string {
  const { neededNanoUsd } = request.plan;
  return budget.account === null ? `needed ${usdText(neededNanoUsd)}` : standingText(balance, neededNanoUsd);
}

function resetText(budget: BudgetSection, balance: Balance): string {
  if (budget.account === null) return '';
  if (balance.resetsAtMs === null) return budget.period === 'total' ? ' It does not reset.' : '';
  return budget.period === 'rolling'
    ? ` Its oldest spend leaves at ${timeText(balance.resetsAtMs)}.`
    : ` It resets at ${timeText(balance.resetsAtMs)}.`;
}
