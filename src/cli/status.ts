import type { Command } from 'commander';
import type { BudgetStatusJson, StatusJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { facts, table, type Cell } from './output.ts';
import { CliProblem } from './problem.ts';

/** `status`: one screen. */
export function addStatusCommand(program: Command, { io, client }: CliContext): void {
  withJson(program.command('status').description('how things stand: Sentry Mode, budgets, today, the ledger'), 'panicly status').action(
    async (options: CommonOptions) => {
      const readiness = await client().readiness();
      const isReady = readiness.status === 'ready';
      if (!isReady)
        show(io, options, readiness, () => facts(Object.entries(readiness.parts).map(([name, ready]) => [name, wellOrNot(ready)])));
      else show(io, options, await client().get<StatusJson>('/status'), statusText);
      if (!isReady) throw new CliProblem('the server cannot serve right now', 1);
    },
  );
}

function statusText(status: StatusJson): string {
  const sections = [
    facts([
      ['ledger', wellOrNot(status.ledger.available)],
      ['clock', status.ledger.clock_confirmed ? 'ok' : 'jumped: confirm it with "panicly ledger confirm-clock"'],
      ['in flight', status.requests_in_flight],
      ['test requests today', status.test_requests_today],
    ]),
    workspaceTable(status),
    projectTable(status),
    budgetTable(status),
    denialTable(status),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function wellOrNot(isWell: boolean): string {
  return isWell ? 'ok' : 'not ok';
}

function workspaceTable({ workspaces }: StatusJson): string {
  const busiest = workspaces.toSorted((a, b) => Number(b.sentry) - Number(a.sentry) || b.used_requests - a.used_requests);
  return shortTable(
    ['WORKSPACE', 'SENTRY', 'PLAN', 'USED THIS MONTH', 'INCLUDED', 'CREDITS'],
    busiest.map((one) => [
      one.name,
      one.sentry ? 'ON' : 'off',
      one.plan,
      one.used_requests,
      one.included_requests ?? 'no limit',
      one.credits_left,
    ]),
    [3, 4, 5],
  );
}

function projectTable({ projects }: StatusJson): string {
  const stopped = (one: (typeof projects)[number]) => Number(one.sentry !== null);
  const busiest = projects.toSorted((a, b) => stopped(b) - stopped(a) || b.requests_today - a.requests_today);
  return shortTable(
    ['PROJECT', 'SENTRY', 'REQUESTS TODAY', 'DENIED', 'COST TODAY USD'],
    busiest.map((one) => [one.name, sentryOf(one.sentry), one.requests_today, one.denied_today, one.cost_today_usd]),
    [2, 3, 4],
  );
}

function sentryOf(sentry: 'project' | 'workspace' | null): string {
  return sentry === null ? 'off' : `ON (${sentry})`;
}

function budgetTable({ workspaces, projects }: StatusJson): string {
  const all = [...workspaces, ...projects].flatMap(({ name, budgets }) => budgets.map((budget) => ({ name, budget })));
  const fullest = all.toSorted((a, b) => shareLeft(a.budget) - shareLeft(b.budget));
  const rows = fullest.map(({ name, budget }) => budgetRow(name, budget));
  return rows.length === 0 ? '' : shortTable(['BUDGET OF', 'RULE', 'SPENT', 'HELD', 'LIMIT', 'LEFT', 'RESETS'], rows, [2, 3, 4, 5]);
}

/** For sorting only: the amounts that are shown are the server's own text. */
function shareLeft({ remaining_usd, limit_usd }: BudgetStatusJson): number {
  return Number(limit_usd) === 0 ? 0 : Number(remaining_usd) / Number(limit_usd);
}

function budgetRow(name: string, budget: BudgetStatusJson): Cell[] {
  const rule = budget.mode === 'enforce' ? budget.rule : `${budget.rule} (${budget.mode})`;
  return [budget.key_id ?? name, rule, budget.spent_usd, budget.held_usd, budget.limit_usd, budget.remaining_usd, budget.resets_at];
}

function denialTable({ projects }: StatusJson): string {
  const rows = projects.flatMap(({ name, denials_today }) =>
    Object.entries(denials_today).map(([reason, count]) => [name, reason, count] as const),
  );
  const most = rows.toSorted((a, b) => b[2] - a[2]);
  return rows.length === 0 ? '' : shortTable(['DENIED TODAY', 'REASON', 'REQUESTS'], most, [2]);
}

/** What fits a screen: the first rows, and how many are left out. */
function shortTable(header: readonly string[], rows: readonly (readonly Cell[])[], right: readonly number[]): string {
  const more = rows.length - MAX_ROWS;
  return table(header, rows.slice(0, MAX_ROWS), right) + (more > 0 ? `and ${more} more: panicly status --json\n` : '');
}

const MAX_ROWS = 8;
