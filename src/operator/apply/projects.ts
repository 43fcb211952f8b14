import { newPublicId } from '../../domain/ids.ts';
import { defaultPolicy } from '../../policy/document.ts';
import type { ProjectEntry } from './document.ts';
import type { Draft, PlannedProject, PlannedWorkspace } from './plan.ts';
import { policyFields, projectPolicyOf, savePolicyStep } from './policies.ts';
import { planProviders } from './providers.ts';
import { wrong } from './read.ts';
import { workspaceAt } from './workspaces.ts';

/** Projects of the file with their policies and providers. */
export function planProjects(draft: Draft): void {
  for (const [index, entry] of (draft.file.projects ?? []).entries()) {
    const path = `projects.${index}`;
    const project = planProject(draft, path, entry);
    draft.projects.push(project);
    if (entry.providers !== undefined) planProviders(draft, `${path}.providers`, project, entry.providers);
  }
  if (draft.file.projects !== undefined) planAbsent(draft);
}

/** The name of a project of the file, or on the server, with its workspace. */
export function fullName(workspace: string, project: string): string {
  return `${workspace}/${project}`;
}

function planProject(draft: Draft, path: string, entry: ProjectEntry): PlannedProject {
  const { registry } = draft.office;
  const { name } = entry;
  const workspace = workspaceAt(draft, path, entry.workspace);
  if (draft.projects.some((other) => other.name === name && other.workspace.publicId === workspace.publicId))
    throw wrong(`${path}.name`, `The project ${JSON.stringify(fullName(workspace.name, name))} stands twice in the file.`);
  const existing = existingProject(draft, workspace, name);
  const publicId = existing?.publicId ?? newPublicId('prj');
  const policy = entry.policy === undefined ? null : projectPolicyOf(`${path}.policy`, entry.policy);
  const stored = existing === null ? null : (registry.projectPolicy(existing.id)?.document ?? null);
  const fields = policy === null ? [] : policyFields(stored, policy);
  const facts = { noun: 'project', name: fullName(workspace.name, name), fields } as const;
  if (existing === null) {
    draft.create(facts);
    const detail = { name, workspace: workspace.publicId };
    draft.step({ do: 'createProject', workspace: workspace.publicId, project: { publicId, name } }, 'project.create', publicId, detail);
    // As everywhere a project is made: what it is born with is written down.
    savePolicyStep(draft, { project: publicId }, null, policy ?? defaultPolicy());
  } else {
    draft.change(facts);
    if (policy !== null && fields.length > 0) savePolicyStep(draft, { project: publicId }, stored, policy);
  }
  return { name, publicId, workspace, existing };
}

function existingProject(draft: Draft, workspace: PlannedWorkspace, name: string) {
  const { projects } = draft.office.registry;
  return [...projects.values()].find((project) => project.workspaceId === workspace.existing?.id && project.name === name) ?? null;
}

/** Projects that the file does not name, of workspaces that it does. */
function planAbsent(draft: Draft): void {
  const { registry } = draft.office;
  const named = new Set(draft.projects.map(({ publicId }) => publicId));
  const workspaces = new Map(
    [...draft.workspaces.values(), ...draft.projects.map(({ workspace }) => workspace)].map((one) => [one.existing?.id, one]),
  );
  for (const { id, publicId, workspaceId, name } of registry.projects.values()) {
    const workspace = workspaces.get(workspaceId);
    if (workspace === undefined || named.has(publicId)) continue;
    const full = fullName(workspace.name, name);
    const confirm = `delete the project ${full}: its keys stop at once, and its provider keys are wiped`;
    draft.absent({ noun: 'project', name: full, removable: true, confirm }, { do: 'deleteProject', id }, 'project.delete', publicId);
  }
}
