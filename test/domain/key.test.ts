import { describe, expect, test } from 'bun:test';
import { hashSecret, isWellFormed, newSecret, shownPrefix, type KeyPrefix } from '../../src/domain/key.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIXES: readonly KeyPrefix[] = ['pk_live_', 'pk_test_', 'po_live_'];

describe('secrets', () => {
  test.each(PREFIXES)('%s: form, checksum, and what is shown', (prefix) => {
    const secret = newSecret(prefix);
    expect(secret).toMatch(/^p[ko]_(live|test)_[0-9A-Za-z]{36}$/);
    expect(isWellFormed(secret)).toBe(true);
    expect(shownPrefix(secret)).toBe(secret.slice(0, 12));
  });

  test('10,000 of them differ, in their hash too', () => {
    const secrets = Array.from({ length: 10_000 }, () => newSecret('pk_live_'));
    expect(new Set(secrets).size).toBe(10_000);
    expect(new Set(secrets.map(hashSecret)).size).toBe(10_000);
    expect(secrets.filter((secret) => !isWellFormed(secret))).toEqual([]);
  });

  test('the checksum catches every change of one character', () => {
    const secret = newSecret('pk_live_');
    const passed: string[] = [];
    for (let at = 0; at < secret.length; at++)
      for (const letter of BASE62 + '_') {
        const changed = secret.slice(0, at) + letter + secret.slice(at + 1);
        if (changed !== secret && isWellFormed(changed)) passed.push(changed);
      }
    expect(passed).toEqual([]);
  });

  test('and every swap of neighbours', () => {
    for (let round = 0; round < 50; round++) {
      const secret = newSecret('pk_test_');
      for (let at = 8; at < secret.length - 1; at++) {
        const swapped = secret.slice(0, at) + secret[at + 1]! + secret[at]! + secret.slice(at + 2);
        if (swapped !== secret) expect(isWellFormed(swapped)).toBe(false);
      }
    }
  });

  test.each([
    ['nothing', ''],
    ['a space behind', (secret: string) => `${secret} `],
    ['a line feed behind', (secret: string) => `${secret}\n`],
    ['one character less', (secret: string) => secret.slice(0, -1)],
    ['one character more', (secret: string) => `${secret}0`],
    ['other letter case', (secret: string) => secret.toLowerCase() + (secret === secret.toLowerCase() ? 'x' : '')],
    ['a provider key', 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz0123'],
    ['a full-width digit', (secret: string) => `${secret.slice(0, -1)}０`],
  ])('%s is not well formed', (_, change) => {
    const secret = newSecret('pk_live_');
    expect(isWellFormed(typeof change === 'string' ? change : change(secret))).toBe(false);
  });

  test('a key of one environment does not become one of the other', () => {
    const secret = newSecret('pk_test_');
    expect(isWellFormed(secret.replace('pk_test_', 'pk_live_'))).toBe(false);
  });

  test('a hash is SHA-256 in lower-case hexadecimal', () => {
    expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
