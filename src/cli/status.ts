import type { Command } from 'commander';
import type { BudgetStatusJson, StatusJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { facts, table, type Cell } from './output.ts';
import { CliProblem } from './problem.ts';

/** `status`: one screen. */
export function addStatusCommand(program: Command, { io, client }: CliContext): void {
  withJson(
    program.command('status').description('how things stand: Sentry Mode, budgets, today, providers, the ledger'),
    'panicly status',
  ).action(async (options: CommonOptions) => {
    const readiness = await client().readiness();
    const isReady = readiness.status === 'ready';
    if (!isReady)
      show(io, options, readiness, () => facts(Object.entries(readiness.parts).map(([name, ready]) => [name, wellOrNot(ready)])));
    else show(io, options, await client().get<StatusJson>('/status'), statusText);
    if (!isReady) throw new CliProblem('the server cannot serve right now', 1);
  });
}

function statusText(status: StatusJson): string {
  const sections = [
    whole(status),
    workspaceTable(status),
    projectTable(status),
    budgetTable(status),
    denialTable(status),
    providerTable(status),
  ];
  return notices(status) + sections.filter((section) => section !== '').join('\n');
}

/** What somebody has to say yes to before anything passes. */
function notices({ ledger }: StatusJson): string {
  const clock = ledger.clock_confirmed ? '' : 'The clock has jumped: confirm it with "panicly ledger confirm-clock"\n';
  const { restored_at: at } = ledger;
  const restored = at === null ? '' : `A backup was restored at ${at}: nothing passes until "panicly ledger confirm-restore"\n`;
  return clock + restored;
}

function whole(status: StatusJson): string {
  const { ledger, alerts } = status;
  const row: (readonly [string, Cell])[] = [
    ['LEDGER', wellOrNot(ledger.available)],
    ['CLOCK', ledger.clock_confirmed ? 'ok' : 'jumped'],
    ['IN FLIGHT', status.requests_in_flight],
    ['TEST REQUESTS TODAY', status.test_requests_today],
    ['PRICES OF', status.prices_as_of],
    ...(alerts === null ? [] : [['ALERTS', alertsCell(alerts)] as const]),
  ];
  return table(
    row.map(([name]) => name),
    [row.map(([, cell]) => cell)],
    [],
  );
}

function alertsCell({ alerts, pending, failed }: NonNullable<StatusJson['alerts']>): string {
  const words = [...(pending > 0 ? [`${pending} wait`] : []), ...(failed > 0 ? [`${failed} failed`] : [])];
  return words.length === 0 ? String(alerts) : `${alerts} (${words.join(', ')})`;
}

function providerTable({ providers }: StatusJson): string {
  const worst = providers.toSorted((a, b) => okShare(a) - okShare(b) || b.attempts - a.attempts);
  const rows = worst.map((one) => [
    `${one.project}/${one.name}`,
    one.attempts === 0 ? 'not used yet' : `${one.ok} of ${one.attempts}`,
    one.p50_first_byte_ms === null ? null : `${one.p50_first_byte_ms} ms`,
    one.last_error?.kind ?? null,
    one.last_error?.at ?? null,
  ]);
  return rows.length === 0 ? '' : shortTable(['PROVIDER', 'OK OF THE LAST', 'FIRST BYTE', 'LAST ERROR', 'AT'], rows, [2]);
}

function okShare({ ok, attempts }: StatusJson['providers'][number]): number {
  return attempts === 0 ? 1 : ok / attempts;
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
  const shown = rows.slice(0, MAX_ROWS).map(([name, ...rest]) => [shortName(name ?? null), ...rest]);
  return table(header, shown, right) + (more > 0 ? `and ${more} more: panicly status --json\n` : '');
}

/** The name that a row begins with, so that the figures behind it stay on the screen. */
function shortName(name: Cell): Cell {
  return typeof name === 'string' && name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}

const MAX_ROWS = 5;
const MAX_NAME = 32;
