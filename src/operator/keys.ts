import type { Environment } from '../domain/candidate.ts';
import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import { hashSecret, newSecret, shownPrefix } from '../domain/key.ts';
import type { ApiKey, Project } from '../domain/project.ts';
import { keyOf } from './find.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** What a new key is asked to be. `expiresAtMs` is milliseconds since 1970, null for never. */
export interface KeyRequest {
  readonly name: string;
  readonly environment: Environment;
  readonly expiresAtMs: number | null;
}

/** A key that was just made, with its secret: it can be seen only now. */
export interface MadeKey {
  readonly key: ApiKey;
  readonly secret: string;
}

/** The keys of a project, revoked ones included, oldest first. */
export function listKeys({ registry }: Office, project: Project): ApiKey[] {
  return [...registry.keys.values()].filter((key) => key.projectId === project.id);
}

/** Makes a key. */
export async function createKey(office: Office, actor: Actor, project: Project, request: KeyRequest): Promise<MadeKey> {
  if (request.expiresAtMs !== null && request.expiresAtMs <= office.clock.nowMs())
    throw new Refusal('invalid_value', 'The time of expiry has passed already.', { param: 'expires_at' });
  const secret = newSecret(request.environment === 'test' ? 'pk_test_' : 'pk_live_');
  const fresh = { ...request, publicId: newPublicId('key'), prefix: shownPrefix(secret), sha256: hashSecret(secret) };
  const audit = auditOf(actor, 'key.create', fresh.publicId, {
    project: project.publicId,
    name: request.name,
    environment: request.environment,
    prefix: fresh.prefix,
  });
  const key = await office.store.createKey({ ...fresh, projectId: project.id, lineageId: null }, audit);
  office.registry.putKey(key);
  return { key, secret };
}

/** Revokes a key: at once for new requests, and its open streams are cut. Revoking it again changes nothing. */
export async function revokeKey(office: Office, actor: Actor, id: string): Promise<ApiKey> {
  const key = keyOf(office.registry, id);
  if (key.revokedAtMs !== null) return key;
  const revoked = (await office.store.revokeKey(key.id, auditOf(actor, 'key.revoke', key.publicId, { prefix: key.prefix }))) ?? key;
  office.registry.putKey(revoked);
  office.inFlight.cut('cut_revoked', (attempt) => attempt.keyId === key.id);
  return revoked;
}
