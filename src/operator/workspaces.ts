import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import { PLAN_REQUESTS, type Plan, type Workspace } from '../domain/project.ts';
import type { Volume } from '../domain/state.ts';
import type { CreditEntry } from '../ledger/store.ts';
import { workspacesIn } from './find.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import { INSTALLATION, type Scope } from './scope.ts';

/** What a workspace is asked to be. `includedRequests` is a month's volume; null is without limit. What is left out stays, or follows the plan. */
export interface WorkspaceRequest {
  readonly name?: string | undefined;
  readonly plan?: Plan | undefined;
  readonly includedRequests?: number | null | undefined;
}

/** The workspaces of the scope, oldest first. */
export function listWorkspaces({ registry }: Office, scope: Scope): Workspace[] {
  return workspacesIn(registry, scope);
}

/** Makes a workspace without projects. Throws a Refusal when its name is taken or its plan says two things. */
export function createWorkspace(office: Office, actor: Actor, request: WorkspaceRequest & { readonly name: string }): Promise<Workspace> {
  return office.turns.take('workspaces', async () => {
    refuseTakenName(office, request.name, null);
    const publicId = newPublicId('wsp');
    const fields = { name: request.name, ...volumeOf(request, null) };
    const made = await office.store.createWorkspace({ publicId, ...fields }, auditOf(actor, 'workspace.create', publicId, fields));
    office.registry.putWorkspace(made);
    return made;
  });
}

/** Changes name, plan or volume; requests that come after are judged by it. */
export function updateWorkspace(office: Office, actor: Actor, workspace: Workspace, request: WorkspaceRequest): Promise<Workspace> {
  return office.turns.take('workspaces', async () => {
    if (request.name !== undefined) refuseTakenName(office, request.name, workspace);
    const before = office.registry.workspaces.get(workspace.id) ?? workspace;
    const change = { ...(request.name === undefined ? {} : { name: request.name }), ...volumeOf(request, before) };
    const audit = auditOf(actor, 'workspace.update', workspace.publicId, { before: shown(before), after: { ...shown(before), ...change } });
    const updated = (await office.store.updateWorkspace(workspace.id, change, audit)) ?? before;
    office.registry.putWorkspace(updated);
    return updated;
  });
}

/** Adds credits, of one request each; a count below 0 takes some back, never more than are left. */
export function grantCredits(office: Office, actor: Actor, workspace: Workspace, requests: number, note: string): Promise<CreditEntry> {
  return office.turns.take(`credits ${workspace.id}`, async () => {
    const left = volumeNow(office, workspace).creditsLeft;
    if (!Number.isSafeInteger(left + requests))
      throw new Refusal('invalid_value', 'So many credits cannot be counted.', { param: 'requests' });
    if (left + requests < 0 && requests < 0)
      throw new Refusal('conflict', `Workspace ${workspace.name} has ${left} credits left: take back at most those.`, {
        param: 'requests',
      });
    const audit = auditOf(actor, 'credits.grant', workspace.publicId, { requests, note });
    const entry = await office.store.grantCredits(workspace.id, requests, note, actor.id, audit);
    office.alerts.granted(entry);
    return entry;
  });
}

/** Every grant, newest first. */
export async function listCredits(office: Office, workspace: Workspace): Promise<readonly CreditEntry[]> {
  return await office.store.listCredits(workspace.id);
}

/** Live requests of this month and the credits that are left. */
export function volumeNow(office: Office, workspace: Workspace): Volume {
  return office.state.volume(nobodyIn(workspace.id, 0, 0), office.engine.nowMs());
}

/** Live traffic of these ids, of no user and no sender. */
export function nobodyIn(workspaceId: number, projectId: number, keyId: number) {
  return { environmentTest: false, workspaceId, projectId, keyId, endUser: null, sender: null } as const;
}

/** Plan and volume as they are stored; what the request leaves out stays as it was before. Throws a Refusal when they say two things. */
export function volumeOf(request: WorkspaceRequest, before: Workspace | null): Pick<Workspace, 'plan' | 'includedRequests'> {
  const { includedRequests } = request;
  const plan = request.plan ?? planFor(includedRequests, before);
  if (plan === 'custom') {
    const volume = includedRequests === undefined && before?.plan === 'custom' ? before.includedRequests : includedRequests;
    if (volume === undefined)
      throw new Refusal('missing_field', 'The plan custom needs included_requests: a number, or null for no limit.', {
        param: 'included_requests',
      });
    return { plan, includedRequests: volume };
  }
  if (includedRequests !== undefined && includedRequests !== PLAN_REQUESTS[plan])
    throw new Refusal('invalid_value', `The plan ${plan} has a volume of its own. For another one choose the plan custom.`, {
      param: 'included_requests',
    });
  return { plan, includedRequests: PLAN_REQUESTS[plan] };
}

/** A volume of one's own makes the plan custom. */
function planFor(includedRequests: number | null | undefined, before: Workspace | null): Plan {
  return includedRequests === undefined ? (before?.plan ?? 'unlimited') : 'custom';
}

function refuseTakenName(office: Office, name: string, self: Workspace | null): void {
  const taken = listWorkspaces(office, INSTALLATION).some((other) => other.name === name && other.id !== self?.id);
  if (taken) throw new Refusal('conflict', `There is a workspace ${JSON.stringify(name)} already.`, { param: 'name' });
}

function shown({ name, plan, includedRequests }: Workspace) {
  return { name, plan, includedRequests };
}
