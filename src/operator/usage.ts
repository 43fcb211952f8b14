import { Refusal } from '../domain/errors.ts';
import type { UsageFilter, UsageGroup, UsageLine } from '../ledger/store.ts';
import { keyOf, lineOf, projectOf, workspaceOf } from './find.ts';
import { moment } from './moment.ts';
import type { Office } from './office.ts';
import { scopeFilter, type Scope } from './scope.ts';

/** What usage may be grouped by. */
export const USAGE_GROUPS = ['day', 'hour', 'model', 'project', 'key', 'reason', 'country', 'environment'] as const satisfies UsageGroup[];

/** What a person asks, as text. `groupBy` is a list with commas. */
export interface UsageQuestion {
  readonly groupBy?: string | undefined;
  readonly workspace?: string | undefined;
  readonly project?: string | undefined;
  readonly key?: string | undefined;
  readonly environment?: 'live' | 'test' | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Sums of what was used, by the groups asked for (days when none is). Settled requests count where they settled, by the hour. */
export async function usageReport(office: Office, scope: Scope, question: UsageQuestion): Promise<readonly UsageLine[]> {
  return await office.store.usage(usageFilterOf(office, scope, question));
}

/** The question with every name looked up. Throws a Refusal for what does not exist. */
export function usageFilterOf({ registry }: Office, scope: Scope, question: UsageQuestion): UsageFilter {
  return {
    groupBy: groupsOf(question.groupBy ?? 'day'),
    ...scopeFilter(scope),
    ...(question.workspace === undefined ? {} : { workspaceId: workspaceOf(registry, scope, question.workspace).id }),
    ...(question.project === undefined ? {} : { projectId: projectOf(registry, scope, question.project).id }),
    ...(question.key === undefined ? {} : { keyId: lineOf(keyOf(registry, scope, question.key)) }),
    ...(question.environment === undefined ? {} : { environment: question.environment }),
    ...(question.from === undefined ? {} : { fromMs: moment(question.from, 'from') }),
    ...(question.to === undefined ? {} : { toMs: moment(question.to, 'to') }),
  };
}

function groupsOf(text: string): UsageGroup[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  const unknown = names.find((name) => !(USAGE_GROUPS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new Refusal(
      'invalid_value',
      `Usage cannot be grouped by ${JSON.stringify(unknown.slice(0, 60))}: use ${USAGE_GROUPS.join(', ')}.`,
      {
        param: 'group_by',
      },
    );
  return names as UsageGroup[];
}
