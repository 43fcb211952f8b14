import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SHOWN = '[secret]';
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const KEY_FILE = 'master.key';

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

/** The key that all others are made from, each for one purpose, so that no two uses share a key. */
export class MasterKey {
  readonly #bytes: Uint8Array;

  /** `bytes` must be 32. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== KEY_BYTES) throw new RangeError('a master key has 32 bytes');
    this.#bytes = Uint8Array.from(bytes);
  }

  /** 32 bytes for one purpose (HKDF-SHA-256): `seal` encrypts provider keys, others are for their own users. */
  derive(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#bytes, 'panicly', purpose, KEY_BYTES));
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
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
 * The master key in `DIR/master.key`, made on the first call. The file appears complete or not at all, with mode 0600.
 * Throws `SecretError` when it cannot be read as a key or others may read it.
 */
export function loadOrMakeMasterKey(dir: string): MasterKey {
  const path = join(dir, KEY_FILE);
  const text = readIfThere(path) ?? makeKeyFile(path);
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new SecretError(`others may read ${path}: run chmod 600 on it, and replace the provider keys if somebody did`);
  try {
    return parseMasterKey(text);
  } catch (cause) {
    throw new SecretError(`${path} is damaged: it must hold 32 bytes in base64; restore it from your backup`, { cause });
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function makeKeyFile(path: string): string {
  const text = `${randomBytes(KEY_BYTES).toString('base64')}\n`;
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    writeSync(file, text);
    fsyncSync(file);
    closeSync(file);
    chmodSync(draft, 0o600);
    // A link, not a rename: it fails when another process was first, and then that one's key holds.
    linkSync(draft, path);
    return text;
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readIfThere(path) : null;
    if (other === null) throw error;
    return other;
  } finally {
    rmSync(draft, { force: true });
  }
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

/** What `seal` encrypted. Throws `SecretError` when the key, the row or a single bit is another. */
export function open(sealed: Uint8Array, masterKey: MasterKey, associatedData: string): Secret {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION)
    throw new SecretError('a stored provider key has an unknown form');
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', masterKey.derive('seal'), sealed.subarray(1, 1 + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(associatedData));
  decipher.setAuthTag(sealed.subarray(tagAt));
  try {
    const plain = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, tagAt)), decipher.final()]);
    return new Secret(plain.toString('utf8'));
  } catch (cause) {
    throw new SecretError('a stored provider key cannot be opened with this master key', { cause });
  }
}
