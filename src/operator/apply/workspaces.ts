import { newPublicId } from '../../domain/ids.ts';
import type { Workspace } from '../../domain/project.ts';
import { volumeOf, type WorkspaceRequest } from '../workspaces.ts';
import type { WorkspaceEntry } from './document.ts';
import { at, plainChanges, type Draft, type FieldChange, type PlannedWorkspace } from './plan.ts';
import { policyFields, savePolicyStep, workspacePolicyOf } from './policies.ts';
import { wrong } from './read.ts';

/** Workspaces of the file. Others cannot be removed: their spend is counted on. */
export function planWorkspaces(draft: Draft): void {
  const { file, office } = draft;
  for (const [index, entry] of (file.workspaces ?? []).entries()) planWorkspace(draft, `workspaces.${index}`, entry);
  if (file.workspaces === undefined) return;
  for (const { name } of office.registry.workspaces.values())
    if (!draft.workspaces.has(name)) draft.notInFile.push({ noun: 'workspace', name, removable: false });
}

/** The workspace that something of the file belongs to: the one that is named, or the only one that there can be. */
export function workspaceAt(draft: Draft, path: string, name: string | undefined): PlannedWorkspace {
  const { file, office } = draft;
  const all = [...office.registry.workspaces.values()];
  const meant = name ?? (file.workspaces?.length === 1 ? file.workspaces[0]!.name : all.length === 1 ? all[0]!.name : null);
  if (meant === null) throw wrong(`${path}.workspace`, 'There are several workspaces: say which one.');
  const planned = draft.workspaces.get(meant);
  if (planned) return planned;
  const existing = all.find((workspace) => workspace.name === meant);
  if (!existing) throw wrong(`${path}.workspace`, `There is no workspace ${JSON.stringify(meant)}, neither in the file nor on the server.`);
  return { name: meant, publicId: existing.publicId, existing };
}

function planWorkspace(draft: Draft, path: string, entry: WorkspaceEntry): void {
  const { name } = entry;
  if (draft.workspaces.has(name)) throw wrong(`${path}.name`, `The workspace ${JSON.stringify(name)} stands twice in the file.`);
  const existing = [...draft.office.registry.workspaces.values()].find((workspace) => workspace.name === name) ?? null;
  const publicId = existing?.publicId ?? newPublicId('wsp');
  draft.workspaces.set(name, { name, publicId, existing });
  const volume = at(path, () => volumeOf(requestOf(entry), existing));
  const stored = existing === null ? null : (draft.office.registry.workspacePolicy(existing.id)?.document ?? null);
  const policy = entry.policy === undefined ? null : workspacePolicyOf(`${path}.policy`, entry.policy);
  const volumeFields = volumeChanges(existing, volume);
  const fields = [...volumeFields, ...(policy === null ? [] : policyFields(stored, policy))];
  if (existing === null) {
    draft.create({ noun: 'workspace', name, fields });
    draft.step({ do: 'createWorkspace', workspace: { publicId, name, ...volume } }, 'workspace.create', publicId, { name, ...volume });
  } else {
    draft.change({ noun: 'workspace', name, fields });
    if (volumeFields.length > 0)
      draft.step({ do: 'updateWorkspace', id: existing.id, change: volume }, 'workspace.update', publicId, {
        before: shown(existing),
        after: { ...shown(existing), ...volume },
      });
  }
  if (policy !== null && fields.length > volumeFields.length) savePolicyStep(draft, { workspace: publicId }, stored, policy);
}

function requestOf({ plan, included_requests: includedRequests }: WorkspaceEntry): WorkspaceRequest {
  return { plan, includedRequests };
}

function volumeChanges(existing: Workspace | null, volume: Pick<Workspace, 'plan' | 'includedRequests'>): FieldChange[] {
  const before = existing === null ? {} : { plan: existing.plan, included_requests: existing.includedRequests };
  const after = { plan: volume.plan, included_requests: volume.includedRequests };
  const grows = existing !== null && (volume.includedRequests ?? Infinity) > (existing.includedRequests ?? Infinity);
  return plainChanges(before, after).map((change) => ({ ...change, loosens: grows && change.path === 'included_requests' }));
}

function shown({ name, plan, includedRequests }: Workspace) {
  return { name, plan, includedRequests };
}
