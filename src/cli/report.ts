import type { Command } from 'commander';
import type { MonthlyProjectJson, MonthlyReportJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { facts, table, type Cell } from './output.ts';
import { CliProblem } from './problem.ts';

interface ReportOptions extends CommonOptions {
  readonly month?: string;
  readonly project?: string;
  readonly csv?: true;
}

/** `report`: what a month cost. */
export function addReportCommand(program: Command, { io, client }: CliContext): void {
  withJson(
    program
      .command('report')
      .description('what live keys cost in a month, by project and model')
      .option('--month <month>', 'a UTC month like 2026-10 (default: this month)')
      .option('--project <name>', 'only of this project, name or id')
      .option('--csv', 'print CSV'),
    'panicly report --month 2026-10',
    'panicly report --month 2026-10 --project web --csv > october.csv',
  ).action(async (options: ReportOptions) => {
    const { month, project, csv, json } = options;
    if (csv && json) throw new CliProblem('give --csv or --json, not both');
    const query = { month, project };
    if (!csv) return show(io, options, await client().get<MonthlyReportJson>('/reports/monthly', query), reportText);
    const decoder = new TextDecoder();
    for await (const piece of client().pieces('/reports/monthly', { ...query, format: 'csv' }))
      io.out(decoder.decode(piece, { stream: true }));
  });
}

function reportText({ month, projects, total }: MonthlyReportJson): string {
  const busy = projects.filter(({ requests, denied, before }) => requests + denied + before.requests > 0);
  if (busy.length === 0) return `nothing was asked in ${month}\n`;
  const rows = busy.map((one): Cell[] => [
    one.project,
    one.requests,
    one.denied,
    one.cost_usd,
    one.before.cost_usd,
    one.change_usd,
    shareOf(one),
  ]);
  const header = [month, 'REQUESTS', 'DENIED', 'COST USD', 'MONTH BEFORE', 'CHANGE', 'OF THE BUDGET'];
  const last: Cell[] = ['all', total.requests, total.denied, total.cost_usd, total.before.cost_usd, total.change_usd, null];
  return `${table(header, [...rows, last], [1, 2, 3, 4, 5, 6])}\n${modelTable(projects)}\n${totalFacts(total)}`;
}

function shareOf({ budget }: MonthlyProjectJson): Cell {
  return budget?.used_percent == null ? null : `${budget.used_percent} % of ${budget.limit_usd}`;
}

function modelTable(projects: readonly MonthlyProjectJson[]): string {
  const rows = projects.flatMap(({ project, models }) =>
    models.map((one): Cell[] => [project, one.model, one.requests, one.input_tokens, one.output_tokens, one.cost_usd]),
  );
  return table(['PROJECT', 'MODEL', 'REQUESTS', 'IN', 'OUT', 'COST USD'], rows, [2, 3, 4, 5]);
}

function totalFacts({ estimated, unknown, corrections }: MonthlyReportJson['total']): string {
  return facts([
    ['of it estimated', `${estimated.cost_usd} USD in ${estimated.requests} requests`],
    ['of it unknown', `${unknown.cost_usd} USD in ${unknown.requests} requests, charged in full`],
    ['corrections', `${corrections.count}, together ${corrections.difference_usd} USD`],
  ]);
}
