import { MAX_NANO_USD, parseUsd } from '../domain/money.ts';
import type { BudgetAccount } from '../domain/state.ts';
import type { BudgetSection } from './compiled.ts';
import { ModelPatterns } from './patterns.ts';
import type { BudgetDocument } from './schema.ts';

/**
 * Accounts by what they count, so that the same budget in two projects or two versions is one account to the state.
 * Documents are written by operators and are few; past the bound the table starts anew, which only costs the state a recount.
 */
const ACCOUNTS = new Map<string, BudgetAccount>();
const MAX_ACCOUNTS = 10_000;

/** Compiles the budgets of one document. A budget that is off or without a limit (null) is none. `index` is set by the caller. */
export function compileBudgets(budgets: readonly BudgetDocument[], owner: BudgetSection['owner']): readonly BudgetSection[] {
  return budgets.flatMap((budget) => {
    const compiled = compileBudget(budget, owner);
    return compiled === null ? [] : [compiled];
  });
}

function compileBudget(budget: BudgetDocument, owner: BudgetSection['owner']): BudgetSection | null {
  if (budget.limit_usd === null || budget.mode === 'off') return null;
  const models = budget.model === undefined ? null : new ModelPatterns([budget.model]);
  return {
    mode: budget.mode,
    scope: budget.scope,
    period: budget.period ?? null,
    limitNanoUsd: parseUsd(budget.limit_usd) ?? MAX_NANO_USD,
    account: accountOf(budget, owner, models),
    models,
    rule: ruleOf(budget, owner),
    owner,
    index: 0,
  };
}

function accountOf(budget: BudgetDocument, owner: BudgetSection['owner'], models: ModelPatterns | null): BudgetAccount | null {
  if (budget.scope === 'request') return null;
  const isAcrossProjects = owner === 'workspace' && budget.scope === 'user';
  const period = budget.period ?? 'total';
  const windowMs = (budget.window_seconds ?? 0) * 1000;
  const key = [budget.scope, period, windowMs, isAcrossProjects, budget.model?.toLowerCase() ?? ''].join(' ');
  const known = ACCOUNTS.get(key);
  if (known !== undefined) return known;
  const account: BudgetAccount = {
    scope: budget.scope,
    period,
    windowMs,
    matches: models === null ? null : (model) => models.match(model) !== null,
    ...(isAcrossProjects ? { acrossProjects: true as const } : {}),
  };
  if (ACCOUNTS.size >= MAX_ACCOUNTS) ACCOUNTS.clear();
  ACCOUNTS.set(key, account);
  return account;
}

function ruleOf(budget: BudgetDocument, owner: BudgetSection['owner']): string {
  const period = budget.period === undefined ? '' : ` ${budget.period}`;
  const pattern = budget.model === undefined ? '' : ` for ${budget.model}`;
  const whose = owner === 'workspace' && budget.scope !== 'workspace' ? ' of the workspace' : '';
  return `${budget.scope}${period} budget${pattern}${whose}`;
}
