import { Type } from '@sinclair/typebox';
import { Elysia, type AnyElysia } from 'elysia';
import { formatUsd } from '../../domain/money.ts';
import type { Office } from '../../operator/office.ts';
import {
  monthlyReport,
  type BudgetShare,
  type MonthlyProject,
  type MonthlyReport,
  type MonthlySum,
  type Spent,
} from '../../operator/report.ts';
import { csvLine, type CsvCell } from '../csv.ts';
import { iso } from '../render.ts';
import { closed, oneOf } from '../schemas/named.ts';
import * as schemas from '../schemas/operator.ts';
import type { MonthlyReportJson } from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

const MonthlyQuery = closed({
  month: Type.Optional(Type.String({ description: 'A UTC month like 2026-10; this month when absent.' })),
  project: Type.Optional(Type.String({ description: 'Name or id of a project.' })),
  format: Type.Optional(oneOf(['json', 'csv'], { description: 'json when absent; csv has a line for each project and model.' })),
});

/** What a month came to. */
export function reportRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia().get(
    '/reports/monthly',
    ...visits.read(
      {
        operationId: 'get-monthly-report',
        reach: 'workspace',
        summary: 'What live keys cost in a month, by project and model, beside budgets and the month before',
        query: MonthlyQuery,
        answer: schemas.MonthlyReport,
      },
      async ({ request, server, scope, query: { format, ...question } }) => {
        server?.timeout(request, 0);
        const report = await monthlyReport(office, scope, question);
        if (format !== 'csv') return reportJson(report);
        const headers = {
          'content-type': 'text/csv; charset=utf-8; header=present',
          'content-disposition': `attachment; filename="panicly-${report.month}.csv"`,
        };
        return new Response(reportCsv(report), { headers });
      },
    ),
  );
}

function reportJson({ month, span, projects, total }: MonthlyReport): MonthlyReportJson {
  return { month, from: iso(span.fromMs), to: iso(span.toMs), projects: projects.map(projectJson), total: sumJson(total) };
}

function projectJson(month: MonthlyProject) {
  return {
    project_id: month.project.publicId,
    project: month.project.name,
    ...sumJson(month),
    budget: month.budget && budgetJson(month.budget, month.costNanoUsd),
    models: month.byModel.map((one) => ({ model: one.model, ...spentJson(one) })),
  };
}

function budgetJson({ rule, limitNanoUsd }: BudgetShare, costNanoUsd: number) {
  const share = limitNanoUsd === 0 ? null : Math.round((costNanoUsd / limitNanoUsd) * 1_000) / 10;
  return { rule, limit_usd: formatUsd(limitNanoUsd), used_percent: share };
}

function sumJson(sum: MonthlySum) {
  const { estimated, unknown, corrections, before } = sum;
  return {
    ...spentJson(sum),
    estimated: { requests: estimated.requests, cost_usd: formatUsd(estimated.costNanoUsd) },
    unknown: { requests: unknown.requests, cost_usd: formatUsd(unknown.costNanoUsd) },
    corrections: { count: corrections.count, difference_usd: formatUsd(corrections.differenceNanoUsd) },
    before: { requests: before.requests, cost_usd: formatUsd(before.costNanoUsd) },
    change_usd: formatUsd(sum.costNanoUsd - before.costNanoUsd),
  };
}

function spentJson({ requests, denied, inputTokens, cachedInputTokens, outputTokens, costNanoUsd }: Spent) {
  return {
    requests,
    denied,
    input_tokens: inputTokens,
    cached_input_tokens: cachedInputTokens,
    output_tokens: outputTokens,
    cost_usd: formatUsd(costNanoUsd),
  };
}

const SPENT = ['requests', 'denied', 'input_tokens', 'cached_input_tokens', 'output_tokens', 'cost_usd'] as const;
const OF_PROJECT = [
  'estimated_usd',
  'unknown_usd',
  'corrections_usd',
  'month_before_usd',
  'change_usd',
  'budget',
  'budget_limit_usd',
  'budget_used_percent',
] as const;

/** A line for each project with `model` empty, and under it one for each model: each kind adds up to the total by itself. */
function reportCsv(report: MonthlyReport): string {
  const { month, projects } = reportJson(report);
  const lines = projects.flatMap((one) => {
    const start: CsvCell[] = [month, one.project_id, one.project];
    const { estimated, unknown, corrections, before, change_usd, budget } = one;
    const rest = [estimated.cost_usd, unknown.cost_usd, corrections.difference_usd, before.cost_usd, change_usd];
    const ofProject = [...start, '', ...SPENT.map((name) => one[name]), ...rest, budget?.rule, budget?.limit_usd, budget?.used_percent];
    const ofModels = one.models.map((model) => [...start, model.model, ...SPENT.map((name) => model[name]), ...OF_PROJECT.map(() => null)]);
    return [ofProject, ...ofModels];
  });
  return [['month', 'project_id', 'project', 'model', ...SPENT, ...OF_PROJECT], ...lines].map(csvLine).join('');
}
