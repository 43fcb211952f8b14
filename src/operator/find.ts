import { Refusal } from '../domain/errors.ts';
import type { ApiKey, Project, Workspace } from '../domain/project.ts';
import type { StoredConnection } from '../ledger/store.ts';
import type { Registry } from './registry.ts';
import { covers, type Scope } from './scope.ts';

/*
 * Things by what people call them. Each asks for the scope of who looks: what lies outside answers exactly as what does not exist.
 */

/** The project with this public id, or with this name when only one has it. Throws a Refusal otherwise. */
export function projectOf(registry: Registry, scope: Scope, idOrName: string): Project {
  return one(projectsIn(registry, scope), idOrName, 'project');
}

/** The workspace with this public id or name. Throws a Refusal when there is none. */
export function workspaceOf(registry: Registry, scope: Scope, idOrName: string): Workspace {
  return one(workspacesIn(registry, scope), idOrName, 'workspace');
}

/** The key with this public id. Throws a Refusal when there is none. */
export function keyOf(registry: Registry, scope: Scope, id: string): ApiKey {
  return [...registry.keys.values()].find((key) => key.publicId === id && isKeyIn(registry, scope, key)) ?? missing('key', id);
}

/** The connection with this public id. Throws a Refusal when there is none. */
export function connectionOf(registry: Registry, scope: Scope, id: string): StoredConnection {
  const found = [...registry.connections.values()].find(
    ({ connection }) => connection.publicId === id && isProjectIn(registry, scope, connection.projectId),
  );
  return found ?? missing('provider connection', id);
}

/** The projects of a scope, oldest first. */
export function projectsIn(registry: Registry, scope: Scope): Project[] {
  return [...registry.projects.values()].filter(({ workspaceId }) => covers(scope, workspaceId));
}

/** The workspaces of a scope, oldest first. */
export function workspacesIn(registry: Registry, scope: Scope): Workspace[] {
  return [...registry.workspaces.values()].filter(({ id }) => covers(scope, id));
}

/** Whether the key is one of the scope. */
export function isKeyIn(registry: Registry, scope: Scope, key: ApiKey): boolean {
  return isProjectIn(registry, scope, key.projectId);
}

/** The id that a key's traffic is counted and recorded under: that of the first key of its line. */
export function lineOf(key: ApiKey): number {
  return key.lineageId ?? key.id;
}

function isProjectIn(registry: Registry, scope: Scope, projectId: number): boolean {
  const project = registry.projects.get(projectId);
  return project !== undefined && covers(scope, project.workspaceId);
}

function one<Noun extends { readonly publicId: string; readonly name: string }>(
  all: readonly Noun[],
  idOrName: string,
  noun: string,
): Noun {
  const byId = all.find(({ publicId }) => publicId === idOrName);
  if (byId) return byId;
  const named = all.filter(({ name }) => name === idOrName);
  if (named.length > 1) throw new Refusal('invalid_value', `Several ${noun}s are called ${idOrName}: use the id.`, { param: noun });
  return named[0] ?? missing(noun, idOrName);
}

/** The answer to an id that nothing has, for every noun and every scope. Throws always. */
export function missing(noun: string, id: string): never {
  throw new Refusal('unknown_resource', `There is no ${noun} ${JSON.stringify(id.slice(0, 100))}.`);
}
