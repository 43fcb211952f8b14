import { Refusal } from '../domain/errors.ts';
import type { ApiKey, Project, Workspace } from '../domain/project.ts';
import type { StoredConnection } from '../ledger/store.ts';
import type { Registry } from './registry.ts';

/** The project with this public id, or with this name when only one has it. Throws a Refusal otherwise. */
export function projectOf(registry: Registry, idOrName: string): Project {
  return one([...registry.projects.values()], idOrName, 'project');
}

/** The workspace with this public id or name. Throws a Refusal when there is none. */
export function workspaceOf(registry: Registry, idOrName: string): Workspace {
  return one([...registry.workspaces.values()], idOrName, 'workspace');
}

/** The key with this public id. Throws a Refusal when there is none. */
export function keyOf(registry: Registry, id: string): ApiKey {
  return [...registry.keys.values()].find((key) => key.publicId === id) ?? missing('key', id);
}

/** The id that a key's traffic is counted and recorded under: that of the first key of its line. */
export function lineOf(key: ApiKey): number {
  return key.lineageId ?? key.id;
}

/** The connection with this public id. Throws a Refusal when there is none. */
export function connectionOf(registry: Registry, id: string): StoredConnection {
  return [...registry.connections.values()].find(({ connection }) => connection.publicId === id) ?? missing('provider connection', id);
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

function missing(noun: string, id: string): never {
  throw new Refusal('unknown_resource', `There is no ${noun} ${JSON.stringify(id.slice(0, 100))}.`);
}
