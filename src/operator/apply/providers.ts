import { readEnvironmentVariable } from '../../config.ts';
import { newPublicId } from '../../domain/ids.ts';
import { shellWord } from '../../domain/shell-word.ts';
import type { ConnectionChange, StoredConnection, StoredSecret } from '../../ledger/store.ts';
import { PROVIDERS } from '../../upstream/providers.ts';
import { checkedBaseUrl, defaultBaseUrl, storedSecret } from '../providers.ts';
import { INSTALLATION } from '../scope.ts';
import { STORED, type ProviderEntry } from './document.ts';
import { at, plainChanges, type Draft, type PlannedProject } from './plan.ts';
import { wrong } from './read.ts';

/** The connections of a project of the file. */
export function planProviders(draft: Draft, path: string, project: PlannedProject, entries: readonly ProviderEntry[]): void {
  const standing = [...draft.office.registry.connections.values()].filter(
    ({ connection }) => connection.projectId === project.existing?.id,
  );
  const named = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const own = `${path}.${index}`;
    if (named.has(entry.name)) throw wrong(`${own}.name`, `The provider ${JSON.stringify(entry.name)} stands twice in the project.`);
    named.add(entry.name);
    const existing = standing.find(({ connection }) => connection.name === entry.name) ?? null;
    if (existing === null) planNew(draft, own, project, entry);
    else planChange(draft, own, project, entry, existing);
  }
  for (const stored of standing) if (!named.has(stored.connection.name)) planAbsent(draft, project, stored);
}

function planNew(draft: Draft, path: string, project: PlannedProject, entry: ProviderEntry): void {
  const { name, kind } = entry;
  if (entry.api_key === STORED)
    throw wrong(
      `${path}.api_key`,
      `The server has no stored key for this provider: name a variable with api_key_env, or make it first with: panicly providers add --project ${shellWord(project.name)} --name ${shellWord(name)} --kind ${kind} --api-key -`,
    );
  const publicId = newPublicId('con');
  const secret = secretOf(draft, path, entry, publicId);
  const { baseUrl, models } = placeOf(draft, path, entry, null);
  const connection = { publicId, name, kind, baseUrl, models, secret };
  draft.create({ noun: 'provider', name: nameOf(project, name), fields: plainChanges({}, shown(connection)), notes: notesOf(secret) });
  const detail = { project: project.publicId, name, kind, base_url: baseUrl, models, credential: secret.kind };
  draft.step({ do: 'createConnection', project: project.publicId, connection }, 'provider.create', publicId, detail);
}

function planChange(draft: Draft, path: string, project: PlannedProject, entry: ProviderEntry, existing: StoredConnection): void {
  const { connection, secret: standing } = existing;
  const { id, publicId } = connection;
  if (entry.kind !== connection.kind)
    throw wrong(`${path}.kind`, `This provider is of kind ${connection.kind}, which cannot change. Give the other one another name.`);
  if (entry.api_key === STORED && standing.kind !== 'encrypted')
    throw wrong(`${path}.api_key`, 'The server has no stored key for this provider. Name a variable with api_key_env.');
  const secret = entry.api_key === STORED ? standing : secretOf(draft, path, entry, publicId);
  const { baseUrl, models } = placeOf(draft, path, entry, connection.baseUrl);
  const after = { kind: connection.kind, baseUrl, models, secret };
  const fields = plainChanges(shown({ ...connection, secret: standing }), shown(after));
  const wipes = standing.kind === 'encrypted' && secret.kind !== 'encrypted';
  const name = nameOf(project, entry.name);
  const confirm = wipes ? [`wipe the stored key of the provider ${name}`] : [];
  draft.change({ noun: 'provider', name, fields, confirm, notes: fields.length === 0 ? [] : notesOf(secret) });
  if (fields.length === 0) return;
  const keeps = Bun.deepEquals(secret, standing);
  const change: ConnectionChange = { baseUrl, models, ...(keeps ? {} : { secret }) };
  const detail = { baseUrl, models, ...(keeps ? {} : { credential: secret.kind }) };
  draft.step({ do: 'updateConnection', id, change }, 'provider.update', publicId, detail);
}

function planAbsent(draft: Draft, project: PlannedProject, { connection, secret }: StoredConnection): void {
  const name = nameOf(project, connection.name);
  const confirm = secret.kind === 'encrypted' ? `remove the provider ${name} and wipe its stored key` : `remove the provider ${name}`;
  draft.absent(
    { noun: 'provider', name, removable: true, confirm },
    { do: 'deleteConnection', id: connection.id },
    'provider.delete',
    connection.publicId,
  );
}

/** Address and models. An address that stands already is not judged again: it may be from a time of other settings. */
function placeOf(draft: Draft, path: string, entry: ProviderEntry, standing: string | null) {
  const written = entry.base_url ?? at(path, () => defaultBaseUrl(entry.kind));
  const baseUrl = written === standing ? written : at(path, () => checkedBaseUrl(draft.office, INSTALLATION, written));
  return { baseUrl, models: entry.models ?? PROVIDERS[entry.kind].models };
}

function secretOf(draft: Draft, path: string, entry: ProviderEntry, publicId: string): StoredSecret {
  if (entry.api_key === STORED && entry.api_key_env !== undefined) throw wrong(`${path}.api_key`, 'Give api_key or api_key_env, not both.');
  return at(path, () => storedSecret(draft.office, publicId, { apiKey: null, apiKeyEnv: entry.api_key_env ?? null }));
}

/** What may be shown. */
function shown({ kind, baseUrl, models, secret }: { kind: string; baseUrl: string; models: readonly string[]; secret: StoredSecret }) {
  const key = secret.kind === 'environment' ? { api_key_env: secret.name } : secret.kind === 'encrypted' ? { api_key: STORED } : {};
  return { kind, base_url: baseUrl, ...key, models };
}

function notesOf(secret: StoredSecret): string[] {
  const isUnset = secret.kind === 'environment' && readEnvironmentVariable(secret.name) === null;
  return isUnset ? [`${secret.name} is not set in the environment of the server: its requests are refused until it is.`] : [];
}

function nameOf(project: PlannedProject, provider: string): string {
  return `${project.workspace.name}/${project.name}/${provider}`;
}
