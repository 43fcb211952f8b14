import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const SHOWN = '[secret]';
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** A text that must not be seen: whoever prints, logs or serialises it gets `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself. To be called where it leaves, and nowhere else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}

/**
 * The key that all others are made from, each for one purpose, so that no two uses share a key. While it is replaced it holds the new
 * key and the one before: what was sealed with either can be opened, and what is sealed is sealed with the new one.
 */
export class MasterKey {
  /** The newest first. */
  #keys: readonly Uint8Array[];

  /** `bytes` must be 32. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== KEY_BYTES) throw new RangeError('a master key has 32 bytes');
    this.#keys = [Uint8Array.from(bytes)];
  }

  /** From now on seals with `newer`, in every hand that holds this; what was sealed before can still be opened. */
  renew(newer: MasterKey): void {
    const [newest] = newer.#keys;
    this.#keys = [newest!, ...this.#keys.filter((key) => !Buffer.from(key).equals(newest!))];
  }

  /** Also opens what `older` sealed. */
  retire(older: MasterKey): void {
    this.#keys = [...this.#keys, ...older.#keys];
  }

  /** 32 bytes for one purpose (HKDF-SHA-256) from the newest key: `seal` encrypts provider keys, others are for their own users. */
  derive(purpose: string): Uint8Array {
    return derived(this.#keys[0]!, purpose);
  }

  /** The same from every key that may have been used, the newest first. */
  deriveAll(purpose: string): Uint8Array[] {
    return this.#keys.map((key) => derived(key, purpose));
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}

function derived(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, 'panicly', purpose, KEY_BYTES));
}

/** The master key cannot be used, or a sealed text cannot be read with it. The message is fit for people and holds no secret. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** A master key from 32 bytes in base64 (plain or URL alphabet, padding optional). Throws `SecretError`. */
export function parseMasterKey(text: string): MasterKey {
  const trimmed = text.trim();
  const bytes = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : null;
  if (bytes?.length !== KEY_BYTES)
    throw new SecretError(
      'the master key (PANICLY_MASTER_KEY, or the file master.key) must be 32 bytes in base64, as `openssl rand -base64 32` makes them',
    );
  return new MasterKey(bytes);
}

/**
 * Encrypts with AES-256-GCM: version byte, nonce, ciphertext, tag. `associatedData` ties it to its row
 * (`connection:7`), so that a ciphertext that is copied to another row cannot be opened there.
 */
export function seal(plain: string, masterKey: MasterKey, associatedData: string): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey.derive('seal'), nonce);
  cipher.setAAD(Buffer.from(associatedData));
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Uint8Array.from(Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()]));
}

/** What `seal` encrypted, with whichever of the keys. Throws `SecretError` when the key, the row or a single bit is another. */
export function open(sealed: Uint8Array, masterKey: MasterKey, associatedData: string): Secret {
  for (const key of masterKey.deriveAll('seal')) {
    const plain = openWith(key, sealed, associatedData);
    if (plain !== null) return new Secret(plain);
  }
  throw new SecretError('a stored secret cannot be opened with this master key');
}

/** The same text sealed with the newest key, or null when it is already. Throws `SecretError` when no key opens it. */
export function reseal(sealed: Uint8Array, masterKey: MasterKey, associatedData: string): Uint8Array<ArrayBuffer> | null {
  if (openWith(masterKey.derive('seal'), sealed, associatedData) !== null) return null;
  return seal(open(sealed, masterKey, associatedData).reveal(), masterKey, associatedData);
}

function openWith(key: Uint8Array, sealed: Uint8Array, associatedData: string): string | null {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw new SecretError('a stored secret has an unknown form');
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(associatedData));
  decipher.setAuthTag(sealed.subarray(tagAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, tagAt)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
