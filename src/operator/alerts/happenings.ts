import { formatUsd } from '../../domain/money.ts';
import { decisionId } from '../../domain/ids.ts';
import type { RecordedDecision, SentrySwitch } from '../../ledger/store.ts';
import type { AlertEvent } from './event.ts';
import type { AlertRoom } from './room.ts';
import { scopeOfReason, type BudgetDenial, type Overrun, type Touched } from './witness.ts';

const HOUR_MS = 3_600_000;

/**
 * The first overrun of a project and connection in an hour: a wrong price would else be told with every request.
 * `happenedAtMs` is null for one that was just seen.
 */
export function overrunEvent({ registry }: AlertRoom, overrun: Overrun, happenedAtMs: number | null): AlertEvent {
  const connection = overrun.connectionId === null ? undefined : registry.connections.get(overrun.connectionId)?.connection;
  const hour = Math.floor(overrun.atMs / HOUR_MS);
  return {
    type: 'request.overrun',
    subject: overrun.decisionId,
    workspaceId: overrun.workspaceId,
    projectId: overrun.projectId,
    dedupeKey: `overrun ${overrun.projectId} ${overrun.connectionId ?? 0} ${hour}`,
    happenedAtMs,
    facts: {
      decision_id: overrun.decisionId,
      model: overrun.model,
      connection: connection?.name ?? null,
      connection_id: connection?.publicId ?? null,
      hold_usd: formatUsd(overrun.holdNanoUsd),
      cost_usd: formatUsd(overrun.costNanoUsd),
      over_usd: formatUsd(overrun.costNanoUsd - overrun.holdNanoUsd),
    },
  };
}

/** A turn of the Sentry switch. Its subject is the project or workspace. */
export function sentryEvent({ registry }: AlertRoom, turn: SentrySwitch): AlertEvent[] {
  const project = turn.projectId === null ? undefined : registry.projects.get(turn.projectId);
  const workspaceId = project?.workspaceId ?? turn.workspaceId;
  const subject = project?.publicId ?? registry.workspaces.get(workspaceId ?? -1)?.publicId;
  if (workspaceId === null || subject === undefined) return [];
  const author = registry.operators().find(({ publicId }) => publicId === turn.author);
  return [
    {
      type: turn.enabled ? 'sentry.on' : 'sentry.off',
      subject,
      workspaceId,
      projectId: project?.id ?? null,
      dedupeKey: `sentry ${turn.seq}`,
      happenedAtMs: turn.atMs,
      facts: { scope: project ? 'project' : 'workspace', author: author?.name ?? turn.author },
    },
  ];
}

/** An overrun that stands in the ledger. */
export function recordedOverrun({ decision, settlement }: RecordedDecision): Overrun {
  const { candidate, verdict } = decision;
  return {
    workspaceId: candidate.workspaceId,
    projectId: candidate.projectId,
    decisionId: decisionId(decision.seq, decision.atMs),
    connectionId: candidate.connectionId === 0 ? null : candidate.connectionId,
    model: candidate.model,
    holdNanoUsd: verdict.allow ? verdict.holdNanoUsd : 0,
    costNanoUsd: settlement?.costNanoUsd ?? 0,
    atMs: decision.atMs,
  };
}

/** A denial that stands in the ledger, when it says that a budget is used up. */
export function recordedDenial({ decision: { candidate, verdict } }: RecordedDecision): BudgetDenial[] {
  const { workspaceId, projectId, keyId, endUser } = candidate;
  const scope = verdict.allow || verdict.finding.retryable === true ? null : scopeOfReason(verdict.finding.reason);
  return scope === null ? [] : [{ workspaceId, projectId, keyId, endUser, scope }];
}

/** An end user who was seen before a restart. */
export function seenUser(
  { directory }: AlertRoom,
  { projectId, endUser }: { readonly projectId: number; readonly endUser: string },
): Touched[] {
  const entry = directory.project(projectId);
  return entry === null ? [] : [{ workspaceId: entry.workspace.id, projectId, keyId: 0, endUser }];
}
