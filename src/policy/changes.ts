import { BUDGET_LOOSENS, LIST_LOOSENS, LOOSENS, TABLE_LOOSENS } from './loosening.ts';
import type { BudgetDocument, PolicyDocument, WorkspacePolicyDocument } from './schema.ts';

/** One value that differs. A side that is not there is undefined. */
export interface PolicyChange {
  /** `burst.requests`, `models.allow`, `budgets[project day].limit_usd`. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Whether more requests, or dearer ones, can pass than before. */
  readonly loosens: boolean;
}

type Table = Readonly<Record<string, unknown>>;

/**
 * What differs between two policies with all defaults filled in, value by value. The order of lists says nothing: entries are put in or
 * taken out, and a budget is known by its scope, period and model.
 */
export function policyChanges<Document extends PolicyDocument | WorkspacePolicyDocument>(
  before: Document,
  after: Document,
): PolicyChange[] {
  return Object.keys(after).flatMap((section) => {
    const [old, fresh] = [(before as Table)[section], (after as Table)[section]];
    if (section === 'budgets') return budgetChanges(old as BudgetDocument[], fresh as BudgetDocument[]);
    return isTable(fresh) ? sectionChanges(section, old as Table, fresh) : valueChanges(section, old, fresh);
  });
}

function sectionChanges(section: string, before: Table, after: Table): PolicyChange[] {
  return Object.keys(after).flatMap((name) => {
    const path = `${section}.${name}`;
    const [old, fresh] = [before[name], after[name]];
    if (Object.hasOwn(LIST_LOOSENS, path)) return listChanges(path, old as string[], fresh as string[]);
    if (Object.hasOwn(TABLE_LOOSENS, path)) return tableChanges(path, old as Table, fresh as Table);
    return valueChanges(path, old, fresh);
  });
}

function valueChanges(path: string, before: unknown, after: unknown): PolicyChange[] {
  if (isSame(before, after)) return [];
  // What has no rule is marked: nobody has said that it is harmless.
  return [{ path, before, after, loosens: LOOSENS[path]?.(before, after) ?? true }];
}

function listChanges(path: string, before: readonly string[], after: readonly string[]): PolicyChange[] {
  const rule = LIST_LOOSENS[path]!;
  const removed = before.filter((entry) => !after.includes(entry));
  const added = after.filter((entry) => !before.includes(entry));
  return [
    ...removed.map((entry) => ({ path, before: entry, loosens: rule.removed(after.length === 0) })),
    ...added.map((entry) => ({ path, after: entry, loosens: rule.added(before.length === 0) })),
  ];
}

function tableChanges(path: string, before: Table, after: Table): PolicyChange[] {
  const rule = TABLE_LOOSENS[path]!;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name): PolicyChange[] => {
    const own = `${path}.${name}`;
    if (!Object.hasOwn(before, name)) return [{ path: own, after: after[name], loosens: rule.added }];
    if (!Object.hasOwn(after, name)) return [{ path: own, before: before[name], loosens: rule.removed }];
    if (isSame(before[name], after[name])) return [];
    return [{ path: own, before: before[name], after: after[name], loosens: rule.changed(before[name], after[name]) }];
  });
}

function budgetChanges(before: readonly BudgetDocument[], after: readonly BudgetDocument[]): PolicyChange[] {
  const names = new Set([...before, ...after].map(budgetName));
  return [...names].flatMap((name) => {
    const [gone, come] = withoutTwins(
      before.filter((budget) => budgetName(budget) === name),
      after.filter((budget) => budgetName(budget) === name),
    );
    const path = `budgets[${name}]`;
    if (gone.length === 1 && come.length === 1) return changedBudget(path, gone[0]!, come[0]!);
    return [
      ...gone.map((budget) => ({ path, before: limitsOf(budget), loosens: budget.mode !== 'off' })),
      ...come.map((budget) => ({ path, after: limitsOf(budget), loosens: false })),
    ];
  });
}

function changedBudget(path: string, before: BudgetDocument, after: BudgetDocument): PolicyChange[] {
  return (['limit_usd', 'mode'] as const).flatMap((name) => {
    if (before[name] === after[name]) return [];
    const loosens = BUDGET_LOOSENS[name](before[name], after[name]);
    return [{ path: `${path}.${name}`, before: before[name], after: after[name], loosens }];
  });
}

/** What is left of both when equal ones have gone in pairs. */
function withoutTwins(before: readonly BudgetDocument[], after: readonly BudgetDocument[]): [BudgetDocument[], BudgetDocument[]] {
  const come = [...after];
  const gone = before.filter((budget) => {
    const twin = come.findIndex((other) => isSame(limitsOf(budget), limitsOf(other)));
    if (twin !== -1) come.splice(twin, 1);
    return twin === -1;
  });
  return [gone, come];
}

function budgetName({ scope, period, window_seconds: windowSeconds, model }: BudgetDocument): string {
  return [scope, period, windowSeconds === undefined ? undefined : `${windowSeconds}s`, model]
    .filter((part) => part !== undefined)
    .join(' ');
}

function limitsOf({ limit_usd, mode }: BudgetDocument): Pick<BudgetDocument, 'limit_usd' | 'mode'> {
  return { limit_usd, mode };
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(before: unknown, after: unknown): boolean {
  return Bun.deepEquals(before, after);
}
