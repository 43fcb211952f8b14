import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import type { Project, ProviderKind } from '../domain/project.ts';
import type { ConnectionChange, StoredConnection, StoredSecret } from '../ledger/store.ts';
import { checkBaseUrl } from '../upstream/base-url.ts';
import { PROVIDERS } from '../upstream/providers.ts';
import { sealCredential } from './credentials.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import { checkReach } from './provider-reach.ts';
import type { Scope } from './scope.ts';

/** What a connection is asked to be; null takes what the kind says. */
export interface ProviderRequest {
  readonly name: string;
  readonly kind: ProviderKind;
  readonly baseUrl: string | null;
  readonly apiKey: string | null;
  readonly apiKeyEnv: string | null;
  readonly models: readonly string[] | null;
}

/** What changes of a connection; what is left out stays. */
export type ProviderChange = Partial<Pick<ProviderRequest, 'name' | 'baseUrl' | 'apiKey' | 'apiKeyEnv' | 'models'>>;

/** The connections of a project, oldest first. */
export function listProviders({ registry }: Office, project: Project): StoredConnection[] {
  return [...registry.connections.values()].filter(({ connection }) => connection.projectId === project.id);
}

/** Connects a provider. Throws a Refusal that names the wrong field, or `StoreConflict` when the name is taken. */
export async function createProvider(
  office: Office,
  scope: Scope,
  actor: Actor,
  project: Project,
  request: ProviderRequest,
): Promise<StoredConnection> {
  checkReach(scope, request, null);
  const publicId = newPublicId('con');
  const baseUrl = checkedBaseUrl(office, scope, request.baseUrl ?? defaultBaseUrl(request.kind));
  const secret = storedSecret(office, publicId, request);
  const models = request.models ?? PROVIDERS[request.kind].models;
  const audit = auditOf(actor, 'provider.create', publicId, {
    project: project.publicId,
    name: request.name,
    kind: request.kind,
    base_url: baseUrl,
    models,
    credential: secret.kind,
  });
  const made = await office.store.createConnection(
    { publicId, projectId: project.id, name: request.name, kind: request.kind, baseUrl, models, secret },
    audit,
  );
  office.registry.putConnection(made);
  return made;
}

/** Changes a connection; requests in flight end as they began. */
export async function updateProvider(
  office: Office,
  scope: Scope,
  actor: Actor,
  stored: StoredConnection,
  change: ProviderChange,
): Promise<StoredConnection> {
  const { connection } = stored;
  checkReach(scope, change, stored);
  const fields: ConnectionChange = {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.baseUrl === undefined || change.baseUrl === null ? {} : { baseUrl: checkedBaseUrl(office, scope, change.baseUrl) }),
    ...(change.models === undefined || change.models === null ? {} : { models: change.models }),
    ...(change.apiKey === undefined && change.apiKeyEnv === undefined
      ? {}
      : { secret: storedSecret(office, connection.publicId, { apiKey: change.apiKey ?? null, apiKeyEnv: change.apiKeyEnv ?? null }) }),
  };
  const { secret, ...shown } = fields;
  const audit = auditOf(actor, 'provider.update', connection.publicId, {
    ...shown,
    ...(secret === undefined ? {} : { credential: secret.kind }),
  });
  const updated = await office.store.updateConnection(connection.id, fields, audit);
  if (updated === null) throw new Refusal('unknown_resource', 'The provider connection was removed meanwhile.');
  office.registry.putConnection(updated);
  return updated;
}

/** Removes a connection and wipes its key. */
export async function deleteProvider(office: Office, actor: Actor, stored: StoredConnection): Promise<void> {
  const { id, publicId, name } = stored.connection;
  await office.store.deleteConnection(id, auditOf(actor, 'provider.delete', publicId, { name }));
  office.registry.dropConnection(stored);
}

/** The address of a kind's provider. Throws a Refusal for `custom`, which has none. */
export function defaultBaseUrl(kind: ProviderKind): string {
  const url = PROVIDERS[kind].baseUrl;
  if (url === null) throw new Refusal('missing_field', 'A connection of kind custom needs its base_url.', { param: 'base_url' });
  return url;
}

/** The address as it is stored. Plain http reaches programs on this machine: that is for those who run it. Throws a Refusal. */
export function checkedBaseUrl(office: Office, scope: Scope, text: string): string {
  const url = checkBaseUrl(text, { allowHttp: office.allowHttpUpstream && scope.workspaceId === null });
  if (url instanceof Refusal) throw url;
  return url;
}

/** Whether this is the name of an environment variable, and none of our own secrets. */
export function isProviderVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && !name.startsWith('PANICLY_');
}

/** A provider's key as it is stored, or where it is. Throws a Refusal that names the wrong field. */
export function storedSecret(office: Office, publicId: string, request: Pick<ProviderRequest, 'apiKey' | 'apiKeyEnv'>): StoredSecret {
  const { apiKey, apiKeyEnv } = request;
  if (apiKey !== null && apiKeyEnv !== null)
    throw new Refusal('invalid_value', 'Give api_key or api_key_env, not both.', { param: 'api_key' });
  if (apiKeyEnv !== null) {
    if (!isProviderVariable(apiKeyEnv))
      throw new Refusal('invalid_value', 'api_key_env is not the name of an environment variable that may hold a provider key.', {
        param: 'api_key_env',
      });
    return { kind: 'environment', name: apiKeyEnv };
  }
  if (apiKey === null) return { kind: 'none' };
  if (!/^[!-~]{1,4096}$/.test(apiKey))
    throw new Refusal('invalid_value', 'api_key must be printable ASCII without spaces.', { param: 'api_key' });
  return sealCredential(apiKey, publicId, office.masterKey);
}
