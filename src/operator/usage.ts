import { Refusal } from '../domain/errors.ts';
import type { UsageFilter, UsageGroup, UsageLine } from '../ledger/store.ts';
import { keyOf, lineOf, projectOf, workspaceOf } from './find.ts';
import { moment } from './moment.ts';
import type { Office } from './office.ts';

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
export async function usageReport(office: Office, question: UsageQuestion): Promise<readonly UsageLine[]> {
  const { registry } = office;
  const filter: UsageFilter = {
    groupBy: groupsOf(question.groupBy ?? 'day'),
    ...(question.workspace === undefined ? {} : { workspaceId: workspaceOf(registry, question.workspace).id }),
    ...(question.project === undefined ? {} : { projectId: projectOf(registry, question.project).id }),
    ...(question.key === undefined ? {} : { keyId: lineOf(keyOf(registry, question.key)) }),
    ...(question.environment === undefined ? {} : { environment: question.environment }),
    ...(question.from === undefined ? {} : { fromMs: moment(question.from, 'from') }),
    ...(question.to === undefined ? {} : { toMs: moment(question.to, 'to') }),
  };
  return await office.store.usage(filter);
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
