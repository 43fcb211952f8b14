/**
 * The key of the chain: 32 random bytes, made with the ledger and kept in it, sealed (AES-256-GCM) with a key that is derived from the
 * master key for this alone. So the master key never reaches the writer, and changing the master key seals the same chain key anew
 * (`resealChainKey`) instead of breaking the chain.
 */
import type { Database } from 'bun:sqlite';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** What the master key is asked to derive to seal the chain key: `masterKey.derive(CHAIN_SEAL)`. */
export const CHAIN_SEAL = 'chain';

/** The keys that may seal the chain key. Another one is added while the master key is changed; the newest comes first. */
export interface ChainSeals {
  keys: readonly Uint8Array[];
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const ASSOCIATED = Buffer.from('chain');

/** The chain key cannot be opened with this master key. */
export class ChainKeyError extends Error {
  override readonly name = 'ChainKeyError';
}

/** The key of the chain in this file, or null when there is none yet. Throws `ChainKeyError` when none of the seals fits. */
export function readChainKey(db: Database, sealKeys: readonly Uint8Array[]): Uint8Array | null {
  const sealed = sealedKey(db);
  return sealed === null ? null : unsealed(sealed, sealKeys);
}

/** The same; makes one, sealed with the first of the keys, when there is none. */
export function readOrMakeChainKey(db: Database, sealKeys: readonly Uint8Array[], nowMs: number): Uint8Array {
  const known = readChainKey(db, sealKeys);
  if (known !== null) return known;
  const [sealKey] = sealKeys;
  if (sealKey === undefined) throw new ChainKeyError('there is no key to seal the chain key with');
  const key = new Uint8Array(randomBytes(KEY_BYTES));
  const insert = db.prepare('INSERT INTO chain_keys (id, sealed, created_at_ms) VALUES (1, ?, ?)');
  insert.run(seal(key, sealKey), nowMs);
  insert.finalize();
  return key;
}

/** Seals the same chain key with another key. Part of a transaction. Throws `ChainKeyError` when `from` does not open it. */
export function resealChainKey(db: Database, from: Uint8Array, to: Uint8Array): void {
  const key = readChainKey(db, [from]);
  if (key === null) throw new ChainKeyError('there is no chain key');
  const update = db.prepare('UPDATE chain_keys SET sealed = ? WHERE id = 1');
  update.run(seal(key, to));
  update.finalize();
}

function sealedKey(db: Database): Uint8Array | null {
  const statement = db.prepare<{ sealed: Uint8Array }, []>('SELECT sealed FROM chain_keys WHERE id = 1');
  const row = statement.get();
  statement.finalize();
  return row?.sealed ?? null;
}

function seal(key: Uint8Array, sealKey: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealKey, nonce);
  cipher.setAAD(ASSOCIATED);
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function unsealed(sealed: Uint8Array, sealKeys: readonly Uint8Array[]): Uint8Array {
  for (const sealKey of sealKeys) {
    const key = tryToUnseal(sealed, sealKey);
    if (key !== null) return key;
  }
  throw new ChainKeyError(
    'the key of the ledger’s chain cannot be opened with this master key: bring back the one that the ledger was made with',
  );
}

function tryToUnseal(sealed: Uint8Array, sealKey: Uint8Array): Uint8Array | null {
  if (sealed.length !== NONCE_BYTES + KEY_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', sealKey, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(ASSOCIATED);
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES + KEY_BYTES));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES)), decipher.final()]));
  } catch {
    return null;
  }
}
