import { newPublicId } from '../domain/ids.ts';
import { Refusal } from '../domain/errors.ts';
import type { Project } from '../domain/project.ts';
import { defaultPolicy } from '../policy/document.ts';
import { projectsIn, workspaceOf, workspacesIn } from './find.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import type { Scope } from './scope.ts';

/** The projects of the scope, oldest first. */
export function listProjects({ registry }: Office, scope: Scope): Project[] {
  return projectsIn(registry, scope);
}

/**
 * Makes a project with the default policy, in the workspace that is named or in the first one of the scope.
 * Throws `StoreConflict` when the workspace has a project of this name.
 */
export async function createProject(office: Office, scope: Scope, actor: Actor, name: string, workspace: string | null): Promise<Project> {
  const { registry } = office;
  const owner = workspace === null ? workspacesIn(registry, scope)[0]! : workspaceOf(registry, scope, workspace);
  const publicId = newPublicId('prj');
  const audit = auditOf(actor, 'project.create', publicId, { name, workspace: owner.publicId });
  const project = await office.store.createProject({ publicId, workspaceId: owner.id, name, lineageId: null }, audit);
  // Without its own document a project is judged by the defaults, so there is no moment without a policy.
  office.registry.putProject(project);
  const document = JSON.stringify(defaultPolicy());
  office.registry.putPolicy(await office.store.savePolicy({ projectId: project.id }, document, actor.id));
  return project;
}

/** Gives a project another name. Throws `StoreConflict` when the name is taken. */
export async function renameProject(office: Office, actor: Actor, project: Project, name: string): Promise<Project> {
  const audit = auditOf(actor, 'project.update', project.publicId, { before: { name: project.name }, after: { name } });
  const renamed = await office.store.renameProject(project.id, name, audit);
  if (renamed === null) throw new Refusal('unknown_resource', 'The project was deleted meanwhile.');
  office.registry.putProject(renamed);
  return renamed;
}

/** Deletes a project: its keys stop at once, its open streams are cut, its provider keys are wiped. Its decisions stay. */
export async function deleteProject(office: Office, actor: Actor, project: Project): Promise<void> {
  await office.store.deleteProject(project.id, auditOf(actor, 'project.delete', project.publicId, { name: project.name }));
  office.registry.dropProject(project.id);
  office.inFlight.cut('cut_revoked', (attempt) => attempt.projectId === project.id);
}
