import { decisionId } from '../../domain/ids.ts';
import { formatUsd } from '../../domain/money.ts';
import type { Project } from '../../domain/project.ts';
import type { Registry } from '../../operator/registry.ts';
import type { PreparedReplay } from '../../operator/replay/replay-policy.ts';
import type { Changed, ChangedExample, ChangedGroup, ReplayReport, Side } from '../../operator/replay/report.ts';
import { iso } from '../render.ts';
import type { ReplayReportJson } from '../schemas/operator-replay.ts';

/** What a replay found, as operators read it. */
export function replayJson(registry: Registry, project: Project, prepared: PreparedReplay, report: ReplayReport): ReplayReportJson {
  const keyName = (id: string): string => registry.keys.get(Number(id))?.publicId ?? id;
  const { newlyDenied, newlyAllowed, otherHold } = report;
  return {
    project_id: project.publicId,
    from: iso(prepared.fromMs),
    to: iso(prepared.toMs),
    policy: prepared.isProposed ? 'proposed' : 'in_force',
    decisions: report.rows,
    before: sideJson(report.before),
    after: sideJson(report.after),
    newly_denied: changedJson(newlyDenied, keyName),
    newly_allowed: changedJson(newlyAllowed, keyName),
    other_reason: report.otherReason,
    other_hold: { requests: otherHold.requests, not_spent_usd: formatUsd(otherHold.notSpentNanoUsd) },
    other_observed: report.otherObserved,
    not_spent_usd: formatUsd(newlyDenied.costNanoUsd + otherHold.notSpentNanoUsd),
    newly_spent_usd: formatUsd(newlyAllowed.costNanoUsd),
    by_reason: groupsJson(report.byReason),
    by_model: groupsJson(report.byModel),
    by_key: groupsJson(report.byKey, keyName),
    by_day: groupsJson(report.byDay),
    notes: [...prepared.notes],
  };
}

function sideJson({ costNanoUsd, ...counts }: Side) {
  return { ...counts, cost_usd: formatUsd(costNanoUsd) };
}

function changedJson({ requests, costNanoUsd, examples }: Changed, keyName: (id: string) => string) {
  return { requests, cost_usd: formatUsd(costNanoUsd), examples: examples.map((example) => exampleJson(example, keyName)) };
}

function exampleJson(example: ChangedExample, keyName: (id: string) => string) {
  const { seq, atMs, keyId, endUser, costNanoUsd, ...rest } = example;
  return {
    id: decisionId(seq, atMs),
    at: iso(atMs),
    key_id: keyName(String(keyId)),
    end_user: endUser,
    ...rest,
    cost_usd: costNanoUsd === null ? null : formatUsd(costNanoUsd),
  };
}

/** The groups with the most changes first. */
function groupsJson(groups: ReadonlyMap<string, ChangedGroup>, nameOf = (name: string): string => name) {
  const changes = ({ newlyDenied, newlyAllowed }: ChangedGroup): number => newlyDenied + newlyAllowed;
  return [...groups]
    .sort(([, one], [, other]) => changes(other) - changes(one))
    .map(([name, group]) => ({
      name: nameOf(name),
      newly_denied: group.newlyDenied,
      newly_allowed: group.newlyAllowed,
      not_spent_usd: formatUsd(group.notSpentNanoUsd),
      newly_spent_usd: formatUsd(group.newlySpentNanoUsd),
    }));
}
