import type { Environment } from '../domain/candidate.ts';
import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import { hashSecret, newSecret, shownPrefix } from '../domain/key.ts';
import type { ApiKey, Project } from '../domain/project.ts';
import { futureMoment } from './moment.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** What a new key is asked to be. `expiresAt` is ISO 8601, null for never. */
export interface KeyRequest {
  readonly name: string;
  readonly environment: Environment;
  readonly expiresAt: string | null;
}

/** How a key is replaced. */
export interface Rotation {
  /** How long the old key goes on working beside the new one; 0 revokes it at once. */
  readonly overlapSeconds: number;
  /** When the new key expires, ISO 8601, or null for never. */
  readonly expiresAt: string | null;
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
  const { name, environment } = request;
  const expiresAtMs = request.expiresAt === null ? null : futureMoment(office, request.expiresAt, 'expires_at');
  const { secret, parts } = newKey(environment);
  const audit = auditOf(actor, 'key.create', parts.publicId, {
    project: project.publicId,
    name,
    environment,
    prefix: parts.prefix,
    expires_at: request.expiresAt,
  });
  const key = await office.store.createKey({ ...parts, name, environment, expiresAtMs, projectId: project.id, lineageId: null }, audit);
  office.registry.putKey(key);
  return { key, secret };
}

/**
 * Replaces a key by a new one of the same line: budgets and windows of the key go on. The old one works for `overlapSeconds` more,
 * or is revoked at once and its open streams are cut.
 */
export async function rotateKey(office: Office, actor: Actor, old: ApiKey, rotation: Rotation): Promise<MadeKey> {
  const { name, environment, projectId } = old;
  const expiresAtMs = rotation.expiresAt === null ? null : futureMoment(office, rotation.expiresAt, 'expires_at');
  const endsAtMs = rotation.overlapSeconds === 0 ? null : endOf(office, old, rotation.overlapSeconds);
  const { secret, parts } = newKey(environment);
  const audit = auditOf(actor, 'key.rotate', old.publicId, {
    new_key: parts.publicId,
    prefix: parts.prefix,
    overlap_seconds: rotation.overlapSeconds,
    expires_at: rotation.expiresAt,
  });
  const fresh = { ...parts, name, environment, expiresAtMs, projectId, lineageId: old.lineageId ?? old.id };
  const rotated = await office.store.rotateKey(old.id, fresh, endsAtMs, audit);
  if (rotated === null) throw new Refusal('conflict', 'The key was revoked. Make a new one with: panicly keys create');
  office.registry.putKey(rotated.old);
  office.registry.putKey(rotated.fresh);
  if (endsAtMs === null) office.inFlight.cut('cut_revoked', (attempt) => attempt.keyId === old.id);
  return { key: rotated.fresh, secret };
}

/** Revokes a key: at once for new requests, and its open streams are cut. Revoking it again changes nothing. */
export async function revokeKey(office: Office, actor: Actor, key: ApiKey): Promise<ApiKey> {
  if (key.revokedAtMs !== null) return key;
  const revoked = (await office.store.revokeKey(key.id, auditOf(actor, 'key.revoke', key.publicId, { prefix: key.prefix }))) ?? key;
  office.registry.putKey(revoked);
  office.inFlight.cut('cut_revoked', (attempt) => attempt.keyId === key.id);
  return revoked;
}

/** An overlap never makes a key live longer than it would have. */
function endOf(office: Office, old: ApiKey, overlapSeconds: number): number {
  return Math.min(old.expiresAtMs ?? Number.MAX_SAFE_INTEGER, office.clock.nowMs() + overlapSeconds * 1000);
}

function newKey(environment: Environment) {
  const secret = newSecret(environment === 'test' ? 'pk_test_' : 'pk_live_');
  return { secret, parts: { publicId: newPublicId('key'), prefix: shownPrefix(secret), sha256: hashSecret(secret) } };
}
