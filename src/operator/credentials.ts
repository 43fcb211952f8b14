import { readEnvironmentVariable } from '../config.ts';
import type { Credential } from '../gateway/directory.ts';
import type { StoredConnection, StoredSecret } from '../ledger/store.ts';
import { open, seal, type MasterKey, type Secret } from '../upstream/secrets.ts';

/** `seal` puts a version byte and a nonce of 12 bytes in front: that is what the `nonce` column keeps. */
const HEAD_BYTES = 13;

/** A provider's key as it is stored: encrypted, and tied to its connection so that it opens nowhere else. */
export function sealCredential(secret: string, connectionPublicId: string, masterKey: MasterKey): StoredSecret {
  const sealed = seal(secret, masterKey, associatedData(connectionPublicId));
  return { kind: 'encrypted', nonce: sealed.slice(0, HEAD_BYTES), ciphertext: sealed.slice(HEAD_BYTES) };
}

/** The key of a stored connection, opened when it is first needed. */
export function credentialOf(stored: StoredConnection, masterKey: MasterKey): Credential {
  const { secret, connection } = stored;
  if (secret.kind === 'environment') return { reveal: () => readEnvironmentVariable(secret.name) };
  if (secret.kind === 'none') return { reveal: () => null };
  let opened: Secret | null = null;
  return {
    reveal: () => {
      opened ??= open(Buffer.concat([secret.nonce, secret.ciphertext]), masterKey, associatedData(connection.publicId));
      return opened.reveal();
    },
  };
}

function associatedData(connectionPublicId: string): string {
  return `connection:${connectionPublicId}`;
}
