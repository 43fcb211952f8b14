import type { Workspace } from '../../domain/project.ts';
import type { Volume } from '../../domain/state.ts';
import type { CreditEntry } from '../../ledger/store.ts';
import { nobodyIn } from '../workspaces.ts';
import type { AlertEvent } from './event.ts';
import type { AlertRoom } from './room.ts';

/** Whole percent of an included volume, and of the credits that were granted last, at which something is said. */
const THRESHOLDS = [80, 100] as const;

/** The newest grant of credits of each workspace, by its id. */
export type LastGrants = ReadonlyMap<number, CreditEntry>;

/** Workspaces that have used most of their month's volume, or of their credits. */
export function volumeEvents(room: AlertRoom, grants: LastGrants): AlertEvent[] {
  const nowMs = room.engine.nowMs();
  return [...room.registry.workspaces.values()].flatMap((workspace) => {
    const { includedRequests } = workspace;
    if (includedRequests === null) return [];
    const volume = room.state.volume(nobodyIn(workspace.id, 0, 0), nowMs);
    return [...includedEvents(workspace, includedRequests, volume, nowMs), ...creditEvents(workspace, volume, grants.get(workspace.id))];
  });
}

function includedEvents(workspace: Workspace, included: number, { usedRequests }: Volume, nowMs: number): AlertEvent[] {
  const month = new Date(nowMs).toISOString().slice(0, 7);
  return passed(usedRequests, included).map((percent) => ({
    ...about(workspace),
    type: 'volume.threshold',
    dedupeKey: `volume ${workspace.publicId} ${included} ${month} ${percent}`,
    facts: { threshold_percent: percent, used_requests: usedRequests, included_requests: included, plan: workspace.plan, month },
  }));
}

/** Measured against the last grant: after years of grants their sum says nothing about how soon the credits end. */
function creditEvents(workspace: Workspace, { creditsLeft }: Volume, grant: CreditEntry | undefined): AlertEvent[] {
  if (grant === undefined || workspace.plan === 'free') return [];
  return passed(grant.requests - creditsLeft, grant.requests).map((percent) => ({
    ...about(workspace),
    type: 'credits.threshold',
    dedupeKey: `credits ${workspace.publicId} ${grant.seq} ${percent}`,
    facts: { threshold_percent: percent, credits_left: creditsLeft, granted: grant.requests },
  }));
}

function about({ id, publicId }: Workspace): Pick<AlertEvent, 'subject' | 'workspaceId' | 'projectId' | 'happenedAtMs'> {
  return { subject: publicId, workspaceId: id, projectId: null, happenedAtMs: null };
}

/** The thresholds that are reached; a volume of 0 is a block, not a volume. */
function passed(used: number, all: number): number[] {
  return all <= 0 ? [] : THRESHOLDS.filter((percent) => used * 100 >= all * percent);
}
