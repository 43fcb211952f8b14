import { formatUsd } from '../domain/money.ts';
import type { Belonging, StateView } from '../domain/state.ts';
import type { Directory, ProjectEntry } from '../gateway/directory.ts';
import type { Exposition, Sample } from './exposition.ts';

/** Budgets that have series of their own; those of the first projects and workspaces. */
const MAX_BUDGETS = 200;

type Budget = ProjectEntry['policy']['budgets'][number];

/** What the budgets of projects and workspaces allow and have left, for live keys. Budgets of single keys and users have none. */
export function writeBudgets(out: Exposition, directory: Directory, state: StateView, nowMs: number): void {
  const limits: Sample[] = [];
  const left: Sample[] = [];
  for (const [owner, who, budget] of budgetsOf(directory)) {
    if (limits.length === MAX_BUDGETS) break;
    const { settledNanoUsd, heldNanoUsd } = state.balance(budget.account!, who, nowMs);
    const labels = { owner, rule: budget.rule, place: String(budget.index), mode: budget.mode };
    limits.push([labels, formatUsd(budget.limitNanoUsd)]);
    left.push([labels, formatUsd(budget.limitNanoUsd - settledNanoUsd - heldNanoUsd)]);
  }
  out.gauge('panicly_budget_limit_usd', 'Limit of a budget of a project or workspace; its place tells equal rules apart.', limits);
  out.gauge('panicly_budget_remaining_usd', 'What is neither spent nor held of it in its current period.', left);
}

/** A workspace's budgets stand in each of its projects: they are taken from the first. */
function* budgetsOf(directory: Directory): IterableIterator<readonly [owner: string, who: Belonging, budget: Budget]> {
  const seen = new Set<number>();
  for (const { project, workspace, policy } of directory.projects()) {
    const isFirst = !seen.has(workspace.id);
    seen.add(workspace.id);
    const who = { environmentTest: false, workspaceId: workspace.id, projectId: project.id, keyId: 0, endUser: null, sender: null };
    for (const budget of policy.budgets) {
      if (budget.scope === 'project') yield [project.publicId, who, budget];
      else if (budget.scope === 'workspace' && isFirst) yield [workspace.publicId, who, budget];
    }
  }
}
