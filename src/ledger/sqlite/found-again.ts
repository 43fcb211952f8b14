/** Where what was written stands among everything that exists: for a writer that died after its commit and told nobody. */
import type { DirectorySnapshot, NewKey, Owner } from '../store.ts';

/** Finds one thing; undefined when it is not there. */
export type Find<Thing> = (there: DirectorySnapshot) => Thing | undefined;

type Kind = 'workspaces' | 'projects' | 'keys' | 'operators' | 'alerts';
type Of<Name extends Kind> = DirectorySnapshot[Name][number];

/** The one with this public id. */
export function made<Name extends Kind>(kind: Name, publicId: string): Find<Of<Name>> {
  return (there) => (there[kind] as readonly Of<Name>[]).find((one) => one.publicId === publicId);
}

/** The one with this id. */
export function changed<Name extends Kind>(kind: Name, id: number): Find<Of<Name>> {
  return (there) => (there[kind] as readonly Of<Name>[]).find((one) => one.id === id);
}

/** The connection with this id or public id. */
export function connected(id: number | string): Find<DirectorySnapshot['connections'][number]> {
  return ({ connections }) => connections.find(({ connection }) => connection.id === id || connection.publicId === id);
}

/** A key and the one that replaces it. */
export function rotated(id: number, { publicId }: NewKey): Find<{ readonly fresh: Of<'keys'>; readonly old: Of<'keys'> }> {
  return (there) => {
    const [old, fresh] = [changed('keys', id)(there), made('keys', publicId)(there)];
    return old && fresh && { fresh, old };
  };
}

/** The newest policy or switch of an owner. */
export function newestOf<Name extends 'policies' | 'switches'>(kind: Name, owner: Owner): Find<DirectorySnapshot[Name][number]> {
  const isOwn = (row: { readonly workspaceId: number | null; readonly projectId: number | null }): boolean =>
    'projectId' in owner ? row.projectId === owner.projectId : row.projectId === null && row.workspaceId === owner.workspaceId;
  return (there) => (there[kind] as readonly DirectorySnapshot[Name][number][]).find(isOwn);
}
