import { REASONS, Refusal } from '../domain/errors.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { CorrectionLine, DoubtLine, ProjectName, Span, SpendLine } from '../ledger/archive-store.ts';
import { projectOf } from './find.ts';
import type { Office } from './office.ts';
import { covers, type Scope } from './scope.ts';

const DAY_MS = 86_400_000;

/** What requests of live keys came to. */
export interface Spent {
  /** That were admitted and have settled. */
  readonly requests: number;
  readonly denied: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Corrections are in it. */
  readonly costNanoUsd: NanoUsd;
}

/** Requests and what they cost. */
export interface Amount {
  readonly requests: number;
  readonly costNanoUsd: NanoUsd;
}

/** A month of one project, or of all together. */
export interface MonthlySum extends Spent {
  /** Part of the cost: worked out by us, because the provider reported no usage. */
  readonly estimated: Amount;
  /** Part of the cost: the whole hold, because nobody knows whether the provider billed. */
  readonly unknown: Amount;
  readonly corrections: { readonly count: number; readonly differenceNanoUsd: NanoUsd };
  /** The month before. */
  readonly before: Amount;
}

/** How much of a budget a month took. */
export interface BudgetShare {
  /** `project month budget`, or `project day budget x 31`. */
  readonly rule: string;
  readonly limitNanoUsd: NanoUsd;
}

/** A month of one project. */
export interface MonthlyProject extends MonthlySum {
  readonly project: ProjectName;
  /** The project's own budget of today's policy, for all models; null when it has none by month or day, and for deleted projects. */
  readonly budget: BudgetShare | null;
  /** The dearest first. */
  readonly byModel: readonly (Spent & { readonly model: string })[];
}

/** What a month came to. */
export interface MonthlyReport {
  /** `2026-10`. */
  readonly month: string;
  readonly span: Span;
  /** The dearest first. */
  readonly projects: readonly MonthlyProject[];
  readonly total: MonthlySum;
}

/** The report of a UTC month (`2026-10`; this month when absent). Throws a Refusal for what is no month and no project. */
export async function monthlyReport(
  office: Office,
  scope: Scope,
  question: { readonly month?: string | undefined; readonly project?: string | undefined },
): Promise<MonthlyReport> {
  const month = question.month ?? new Date(office.engine.nowMs()).toISOString().slice(0, 7);
  const span = spanOf(month, 0);
  const only = question.project === undefined ? null : projectOf(office.registry, scope, question.project).id;
  const projects = (await office.store.projectNames()).filter(
    ({ id, workspaceId }) => covers(scope, workspaceId) && (only === null || id === only),
  );
  const facts: Facts = {
    lines: await office.store.spend(span),
    before: await office.store.spend(spanOf(month, -1)),
    doubts: await allDoubts(office, span),
    corrections: await office.store.correctionsIn(span),
  };
  const sums = projects
    .map((project) => monthOf(office, project, span, facts))
    .filter((month) => office.registry.projects.has(month.project.id) || isWorthALine(month));
  return { month, span, projects: sums.sort((a, b) => b.costNanoUsd - a.costNanoUsd), total: sumOf(sums) };
}

/** The month so many months from this one. Throws a Refusal for what is no month. */
function spanOf(month: string, offset: number): Span {
  const parts = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month);
  if (!parts) throw new Refusal('invalid_value', 'month must be a month like 2026-10.', { param: 'month' });
  const [year, index] = [Number(parts[1]), Number(parts[2]) - 1 + offset];
  return { fromMs: Date.UTC(year, index, 1), toMs: Date.UTC(year, index + 1, 1) };
}

interface Facts {
  readonly lines: readonly SpendLine[];
  readonly before: readonly SpendLine[];
  readonly doubts: readonly DoubtLine[];
  readonly corrections: readonly CorrectionLine[];
}

/** Page by page: it looks through every settlement of the month. What is pruned while it looks is missing in this one answer. */
async function allDoubts({ store }: Office, span: Span): Promise<DoubtLine[]> {
  const lines: DoubtLine[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page = await store.doubts(span, from);
    lines.push(...page.lines);
    from = page.nextSeq;
  }
  return lines;
}

function monthOf(office: Office, project: ProjectName, span: Span, facts: Facts): MonthlyProject {
  const ours = ({ projectId }: { readonly projectId: number }) => projectId === project.id;
  const lines = facts.lines.filter(ours);
  const doubts = facts.doubts.filter(ours);
  const corrected = facts.corrections.filter(ours);
  return {
    ...spentOf(lines),
    estimated: amountOf(doubts.filter(({ basis }) => basis === 'estimated')),
    unknown: amountOf(doubts.filter(({ basis }) => basis === 'held')),
    corrections: {
      count: total(corrected, ({ corrections }) => corrections),
      differenceNanoUsd: total(corrected, ({ differenceNanoUsd }) => differenceNanoUsd),
    },
    before: spentOf(facts.before.filter(ours)),
    project,
    budget: budgetOf(office, project.id, span),
    byModel: byModel(lines),
  };
}

function byModel(lines: readonly SpendLine[]): MonthlyProject['byModel'] {
  const models = Map.groupBy(lines, ({ model }) => model);
  const sums = [...models].map(([model, ofModel]) => ({ model, ...spentOf(ofModel) }));
  return sums.sort((a, b) => b.costNanoUsd - a.costNanoUsd || b.requests - a.requests);
}

function spentOf(lines: readonly SpendLine[]): Spent {
  const [denials, settled] = [lines.filter(isDenial), lines.filter((line) => !isDenial(line))];
  return {
    requests: total(settled, ({ requests }) => requests),
    denied: total(denials, ({ requests }) => requests),
    inputTokens: total(lines, ({ inputTokens }) => inputTokens),
    cachedInputTokens: total(lines, ({ cachedInputTokens }) => cachedInputTokens),
    outputTokens: total(lines, ({ outputTokens }) => outputTokens),
    costNanoUsd: total(lines, ({ costNanoUsd }) => costNanoUsd),
  };
}

function isDenial({ reason }: SpendLine): boolean {
  return Object.hasOwn(REASONS, reason);
}

function amountOf(lines: readonly Amount[]): Amount {
  return { requests: total(lines, ({ requests }) => requests), costNanoUsd: total(lines, ({ costNanoUsd }) => costNanoUsd) };
}

/** The month's own budget, or what the day's allows in so many days. */
function budgetOf({ directory }: Office, projectId: number, { fromMs, toMs }: Span): BudgetShare | null {
  const budgets = directory.project(projectId)?.policy.budgets ?? [];
  const whole = budgets.filter(({ scope, models, mode }) => scope === 'project' && models === null && mode !== 'off');
  const monthly = whole.find(({ period }) => period === 'month');
  if (monthly) return { rule: monthly.rule, limitNanoUsd: monthly.limitNanoUsd };
  const daily = whole.find(({ period }) => period === 'day');
  const days = (toMs - fromMs) / DAY_MS;
  return daily ? { rule: `${daily.rule} x ${days}`, limitNanoUsd: daily.limitNanoUsd * days } : null;
}

/** Deleted projects that did nothing in both months are left out. */
function isWorthALine({ requests, denied, before, corrections }: MonthlyProject): boolean {
  return requests + denied + before.requests + corrections.count > 0;
}

function sumOf(projects: readonly MonthlyProject[]): MonthlySum {
  return {
    requests: total(projects, ({ requests }) => requests),
    denied: total(projects, ({ denied }) => denied),
    inputTokens: total(projects, ({ inputTokens }) => inputTokens),
    cachedInputTokens: total(projects, ({ cachedInputTokens }) => cachedInputTokens),
    outputTokens: total(projects, ({ outputTokens }) => outputTokens),
    costNanoUsd: total(projects, ({ costNanoUsd }) => costNanoUsd),
    estimated: amountOf(projects.map(({ estimated }) => estimated)),
    unknown: amountOf(projects.map(({ unknown }) => unknown)),
    corrections: {
      count: total(projects, ({ corrections }) => corrections.count),
      differenceNanoUsd: total(projects, ({ corrections }) => corrections.differenceNanoUsd),
    },
    before: amountOf(projects.map(({ before }) => before)),
  };
}

function total<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
