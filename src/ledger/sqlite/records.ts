/** From drizzle's rows to the words of the domain. */
import type { InferSelectModel } from 'drizzle-orm';
import type * as schema from '../../../db/schema.ts';
import type { ApiKey, Project, ProviderKind, Workspace } from '../../domain/project.ts';
import type { Alert, AuditEvent, Operator, StoredAuditEvent, StoredConnection, StoredSecret } from '../store.ts';

export function toWorkspace(row: InferSelectModel<typeof schema.workspaces>): Workspace {
  const { id, publicId, name, plan, includedRequests, createdAtMs } = row;
  return { id, publicId, name, plan, includedRequests, createdAtMs };
}

export function toProject(row: InferSelectModel<typeof schema.projects>): Project {
  const { id, publicId, workspaceId, name, createdAtMs } = row;
  return { id, publicId, workspaceId, name, createdAtMs };
}

export function toKey(row: InferSelectModel<typeof schema.apiKeys>): ApiKey {
  return row;
}

export function toOperator(row: InferSelectModel<typeof schema.operators>): Operator {
  const { id, publicId, name, role, tokenSha256, createdAtMs, expiresAtMs, workspaceId } = row;
  return { id, publicId, name, role, tokenSha256, createdAtMs, expiresAtMs, workspaceId };
}

export function toConnection(row: InferSelectModel<typeof schema.providerConnections>): StoredConnection {
  const { id, publicId, projectId, name, baseUrl, models, createdAtMs } = row;
  const kind = row.kind as ProviderKind;
  return { connection: { id, publicId, projectId, name, kind, baseUrl, models, createdAtMs }, secret: toSecret(row) };
}

export function toAlert(row: InferSelectModel<typeof schema.alerts>): Alert {
  const { id, publicId, workspaceId, projectId, definition, createdAtMs } = row;
  const sealedUrl = row.sealedUrl && new Uint8Array(row.sealedUrl);
  const sealedSecret = row.sealedSecret && new Uint8Array(row.sealedSecret);
  return { id, publicId, workspaceId, projectId, definition, createdAtMs, sealedUrl, sealedSecret };
}

export function toAuditEvent(row: InferSelectModel<typeof schema.auditEvents>): StoredAuditEvent {
  const { workspaceId: _workspaceId, detail, ...event } = row;
  return { ...event, detail: JSON.parse(detail) as AuditEvent['detail'] };
}

/** A secret as the columns of its connection. */
export function secretColumns(secret: StoredSecret): { ciphertext: Buffer | null; nonce: Buffer | null; secretEnv: string | null } {
  if (secret.kind === 'encrypted') {
    return { ciphertext: Buffer.from(secret.ciphertext), nonce: Buffer.from(secret.nonce), secretEnv: null };
  }
  return { ciphertext: null, nonce: null, secretEnv: secret.kind === 'environment' ? secret.name : null };
}

function toSecret(row: InferSelectModel<typeof schema.providerConnections>): StoredSecret {
  if (row.ciphertext && row.nonce) {
    return { kind: 'encrypted', ciphertext: new Uint8Array(row.ciphertext), nonce: new Uint8Array(row.nonce) };
  }
  return row.secretEnv === null ? { kind: 'none' } : { kind: 'environment', name: row.secretEnv };
}
