import type { Project, Workspace } from '../domain/project.ts';
import type { SentrySwitch } from '../ledger/store.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** What the switch is turned for. */
export type SentryTarget = { readonly project: Project } | { readonly workspace: Workspace };

/**
 * Turns Sentry Mode on or off. On, it holds for the next request before it is durable; open streams are cut
 * where the project's policy says so.
 */
export async function setSentry(office: Office, actor: Actor, target: SentryTarget, enabled: boolean): Promise<SentrySwitch> {
  const subject = 'project' in target ? target.project : target.workspace;
  const owner = 'project' in target ? { projectId: subject.id } : { workspaceId: subject.id };
  const audit = auditOf(actor, enabled ? 'sentry.on' : 'sentry.off', subject.publicId, { name: subject.name });
  const turned = office.store.setSentry(owner, enabled, actor.id, audit);
  if (enabled) cutStreams(office, owner);
  const turn = await turned;
  office.registry.putSwitch(turn);
  office.alerts.switched(turn);
  return turn;
}

function cutStreams(office: Office, owner: { readonly projectId?: number; readonly workspaceId?: number }): void {
  office.inFlight.cut('cut_sentry', (attempt) => {
    const hit = owner.projectId === undefined ? attempt.workspaceId === owner.workspaceId : attempt.projectId === owner.projectId;
    return hit && office.directory.project(attempt.projectId)?.policy.cutStreams === true;
  });
}
