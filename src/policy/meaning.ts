import { isAddressRule } from './addresses.ts';
import { isModelPattern } from './patterns.ts';
import { countriesOf, isCountry, regionNames } from './regions.ts';
import type { BudgetDocument, PolicyDocument, WorkspacePolicyDocument } from './schema.ts';

/** What is wrong although every field has the right form. */
export interface MeaningProblem {
  readonly path: string;
  readonly message: string;
}

/** Checks what a schema cannot say of a project's policy. Null when all is well. */
export function checkPolicyMeaning(document: PolicyDocument): MeaningProblem | null {
  return (
    checkNetwork(document.network) ??
    checkRegion(document.region) ??
    checkList('models.allow', document.models.allow, isModelPattern, PATTERN_HELP) ??
    checkList('models.block', document.models.block, isModelPattern, PATTERN_HELP) ??
    checkBudgets(document.budgets, false)
  );
}

/** The same of a workspace's policy. */
export function checkWorkspaceMeaning(document: WorkspacePolicyDocument): MeaningProblem | null {
  return checkNetwork(document.network) ?? checkBudgets(document.budgets, true);
}

const PATTERN_HELP = 'is not a model pattern. Write a name such as gpt-4.1 or a pattern such as gpt-4.1* in plain letters.';
const ADDRESS_HELP = 'is not an address or network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32.';

function checkList(path: string, list: readonly string[], isValid: (entry: string) => boolean, help: string): MeaningProblem | null {
  const index = list.findIndex((entry) => !isValid(entry));
  return index === -1 ? null : { path: `${path}.${index}`, message: `${JSON.stringify(list[index])} ${help}` };
}

function checkNetwork(network: PolicyDocument['network']): MeaningProblem | null {
  return (
    checkList('network.allow', network.allow, isAddressRule, ADDRESS_HELP) ??
    checkList('network.block', network.block, isAddressRule, ADDRESS_HELP)
  );
}

function checkRegion(region: PolicyDocument['region']): MeaningProblem | null {
  for (const [name, codes] of Object.entries(region.define)) {
    const problem = checkList(`region.define.${name}`, codes, isCountry, 'is not an ISO 3166 country code in capitals, such as DE.');
    if (problem !== null) return problem;
  }
  const help = `is not a country code in capitals (DE) nor a region that is defined: ${regionNames(region.define)
    .map((name) => `region:${name}`)
    .join(', ')}.`;
  const isKnown = (entry: string): boolean => countriesOf(entry, region.define) !== null;
  return checkList('region.allow', region.allow, isKnown, help) ?? checkList('region.block', region.block, isKnown, help);
}

function checkBudgets(budgets: readonly BudgetDocument[], isWorkspace: boolean): MeaningProblem | null {
  for (const [index, budget] of budgets.entries()) {
    const problem = checkBudget(budget, isWorkspace);
    if (problem !== null) return { path: `budgets.${index}.${problem.path}`, message: problem.message };
  }
  return null;
}

function checkBudget(budget: BudgetDocument, isWorkspace: boolean): MeaningProblem | null {
  if (budget.scope === 'request' && budget.period !== undefined) return { path: 'period', message: 'A request budget has no period.' };
  if (budget.scope !== 'request' && budget.period === undefined)
    return { path: 'period', message: 'This budget needs a period: day, week, month, total or rolling.' };
  if (budget.period === 'rolling' && budget.window_seconds === undefined)
    return { path: 'window_seconds', message: 'A rolling budget needs its window in seconds.' };
  if (budget.period !== 'rolling' && budget.window_seconds !== undefined)
    return { path: 'window_seconds', message: 'Only a rolling budget has a window.' };
  if (budget.scope === 'workspace' && !isWorkspace)
    return {
      path: 'scope',
      message: 'A workspace budget belongs into the policy of the workspace: panicly policy set FILE --workspace NAME',
    };
  if (budget.model !== undefined && !isModelPattern(budget.model))
    return { path: 'model', message: `${JSON.stringify(budget.model)} ${PATTERN_HELP}` };
  return null;
}
