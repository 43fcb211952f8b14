/**
 * Project keys: `pk_live_` or `pk_test_`, 30 random base-62 characters, 6 characters of CRC-32 over all before them.
 * A key is shown once; only its prefix and SHA-256 are kept.
 */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 30;
const CHECKSUM_CHARACTERS = 6;
const FORM = /^p[ko]_(?:live|test)_[0-9A-Za-z]{36}$/;

/** Operator tokens have the same form with `po_live_`. */
export type KeyPrefix = 'pk_live_' | 'pk_test_' | 'po_live_';

function checksum(text: string): string {
  let rest = Bun.hash.crc32(text);
  let out = '';
  for (let index = 0; index < CHECKSUM_CHARACTERS; index++) {
    out = BASE62[rest % 62]! + out;
    rest = Math.floor(rest / 62);
  }
  return out;
}

function randomBase62(count: number): string {
  let out = '';
  while (out.length < count) {
    for (const byte of crypto.getRandomValues(new Uint8Array(count * 2))) {
      // 248 is the greatest multiple of 62 in a byte: what lies above would favour some letters.
      if (byte < 248 && out.length < count) out += BASE62[byte % 62]!;
    }
  }
  return out;
}

/** A new secret with checksum: a project key, or an operator token. */
export function newSecret(prefix: KeyPrefix): string {
  const body = prefix + randomBase62(RANDOM_CHARACTERS);
  return body + checksum(body);
}

/** Whether a text has the length of a secret: nothing longer is worth hashing. */
export function hasSecretLength(text: string): boolean {
  return text.length === 8 + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
}

/** Whether form and checksum are right: says nothing of whether the key exists. No secret is compared here. */
export function isWellFormed(secret: string): boolean {
  if (!hasSecretLength(secret) || !FORM.test(secret)) return false;
  return checksum(secret.slice(0, -CHECKSUM_CHARACTERS)) === secret.slice(-CHECKSUM_CHARACTERS);
}

/** SHA-256 of a secret in lower-case hexadecimal: the only form in which we keep it. */
export function hashSecret(secret: string): string {
  return Bun.SHA256.hash(secret, 'hex');
}

/** What may be shown of a key: `pk_live_` and the first four random characters. */
export function shownPrefix(secret: string): string {
  return secret.slice(0, 12);
}
