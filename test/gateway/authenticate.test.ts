import { describe, expect, test } from 'bun:test';
import { Refusal } from '../../src/domain/errors.ts';
import { hashSecret, newSecret, shownPrefix } from '../../src/domain/key.ts';
import type { ApiKey } from '../../src/domain/project.ts';
import { authenticate } from '../../src/gateway/authenticate.ts';
import { Directory } from '../../src/gateway/directory.ts';
import { compiled } from '../support/policies.ts';

const NOW = 1_795_000_000_000;
const live = newSecret('pk_live_');
const other = newSecret('pk_live_');
const testKey = newSecret('pk_test_');
const operator = newSecret('po_live_');
const unknown = newSecret('pk_live_');
const orphan = newSecret('pk_live_');

const keyOf = (id: number, secret: string, change: Partial<ApiKey> = {}): ApiKey => ({
  id,
  publicId: `key_${id}`,
  projectId: 1,
  name: 'app',
  environment: secret.startsWith('pk_test_') ? 'test' : 'live',
  prefix: shownPrefix(secret),
  sha256: hashSecret(secret),
  createdAtMs: 0,
  expiresAtMs: null,
  revokedAtMs: null,
  lineageId: null,
  ...change,
});

const directory = new Directory();
directory.putProject({
  project: { id: 1, publicId: 'prj_1', workspaceId: 1, name: 'web', createdAtMs: 0 },
  workspace: { id: 1, publicId: 'wsp_1', name: 'default', plan: 'unlimited', includedRequests: null, createdAtMs: 0 },
  policy: compiled(),
  connections: [],
});
for (const key of [keyOf(1, live), keyOf(2, other), keyOf(3, testKey), keyOf(4, orphan, { projectId: 99 })]) directory.putKey(key);

const outcome = (headers: Record<string, string>): string => {
  const caller = authenticate(new Headers(headers), directory, NOW);
  return caller instanceof Refusal ? caller.reason : `key ${caller.key.id}`;
};

describe('how a key is sent', () => {
  test.each<[string, Record<string, string>, string]>([
    ['nothing', {}, 'missing_key'],
    ['bearer', { authorization: `Bearer ${live}` }, 'key 1'],
    ['lower case', { authorization: `bearer ${live}` }, 'key 1'],
    ['upper case', { authorization: `BEARER ${live}` }, 'key 1'],
    ['many blanks', { authorization: `Bearer    ${live}   ` }, 'key 1'],
    ['a tab', { authorization: `Bearer\t${live}` }, 'missing_key'],
    ['no scheme', { authorization: live }, 'missing_key'],
    ['no token', { authorization: 'Bearer' }, 'missing_key'],
    ['only blanks', { authorization: 'Bearer   ' }, 'missing_key'],
    ['two tokens', { authorization: `Bearer ${live} ${other}` }, 'missing_key'],
    ['two headers joined', { authorization: `Bearer ${live}, Bearer ${other}` }, 'missing_key'],
    ['basic', { authorization: `Basic ${btoa(`x:${live}`)}` }, 'missing_key'],
    ['bearer without blank', { authorization: `Bearer${live}` }, 'missing_key'],
    ['own header', { 'x-panicly-key': live }, 'key 1'],
    ['own header, blanks', { 'x-panicly-key': `  ${live}  ` }, 'key 1'],
    ['own header, empty', { 'x-panicly-key': '' }, 'invalid_key'],
    ['own header, two joined', { 'x-panicly-key': `${live}, ${other}` }, 'invalid_key'],
    ['own header with a scheme', { 'x-panicly-key': `Bearer ${live}` }, 'invalid_key'],
    ['both, the same', { authorization: `Bearer ${live}`, 'x-panicly-key': live }, 'key 1'],
    ['both, different', { authorization: `Bearer ${live}`, 'x-panicly-key': other }, 'conflicting_keys'],
    ['both, bearer unknown', { authorization: `Bearer ${unknown}`, 'x-panicly-key': live }, 'conflicting_keys'],
    ['both, own unknown', { authorization: `Bearer ${live}`, 'x-panicly-key': unknown }, 'conflicting_keys'],
    ['both, own empty', { authorization: `Bearer ${live}`, 'x-panicly-key': '' }, 'conflicting_keys'],
    ['basic of a proxy and own', { authorization: 'Basic eDp5', 'x-panicly-key': live }, 'key 1'],
    ['malformed authorization and own', { authorization: 'Bearer', 'x-panicly-key': live }, 'key 1'],
    ['as x-api-key', { 'x-api-key': live }, 'missing_key'],
    ['as api-key', { 'api-key': live }, 'missing_key'],
    ['as a cookie', { cookie: `key=${live}` }, 'missing_key'],
    ['test key', { authorization: `Bearer ${testKey}` }, 'key 3'],
    ['unknown', { authorization: `Bearer ${unknown}` }, 'invalid_key'],
    ['of a project that is gone', { authorization: `Bearer ${orphan}` }, 'invalid_key'],
    ['operator token', { authorization: `Bearer ${operator}` }, 'invalid_key'],
    ['provider key', { authorization: 'Bearer sk-proj-abcdef' }, 'invalid_key'],
    ['wrong checksum', { authorization: `Bearer ${live.slice(0, -1)}${live.endsWith('0') ? '1' : '0'}` }, 'invalid_key'],
    ['other case', { authorization: `Bearer ${live.toUpperCase()}` }, 'invalid_key'],
    ['64 KB', { authorization: `Bearer ${'x'.repeat(65_536)}` }, 'invalid_key'],
    ['a hash', { authorization: `Bearer ${hashSecret(live)}` }, 'invalid_key'],
    ['__proto__', { authorization: 'Bearer __proto__' }, 'invalid_key'],
  ])('%s', (_, headers, expected) => {
    expect(outcome(headers)).toBe(expected);
  });

  test('the sentence says which kind of key it was, and never repeats it', () => {
    const message = (secret: string): string => {
      const refusal = authenticate(new Headers({ authorization: `Bearer ${secret}` }), directory, NOW);
      if (!(refusal instanceof Refusal)) throw new Error('let in');
      return refusal.message;
    };
    expect(message(operator)).toContain('/admin/v1');
    expect(message('sk-proj-abcdef')).toContain("provider's key");
    for (const secret of [operator, unknown, 'sk-proj-abcdef']) expect(message(secret)).not.toContain(secret);
  });
});

describe('the life of a key', () => {
  test.each<[string, Partial<ApiKey>, string]>([
    ['expires in a millisecond', { expiresAtMs: NOW + 1 }, 'key 7'],
    ['expires now', { expiresAtMs: NOW }, 'expired_key'],
    ['expired', { expiresAtMs: NOW - 1 }, 'expired_key'],
    ['expired in 1970', { expiresAtMs: 0 }, 'expired_key'],
    ['revoked', { revokedAtMs: NOW - 1 }, 'revoked_key'],
    ['revoked now', { revokedAtMs: NOW }, 'revoked_key'],
    ['revoked by a ledger that is ahead of the clock', { revokedAtMs: NOW + 60_000 }, 'revoked_key'],
    ['revoked and expired', { revokedAtMs: 1, expiresAtMs: 1 }, 'revoked_key'],
  ])('%s', (_, change, expected) => {
    const secret = newSecret('pk_live_');
    directory.putKey(keyOf(7, secret, change));
    expect(outcome({ authorization: `Bearer ${secret}` })).toBe(expected);
  });

  test('a rotated key is of the line of the first', () => {
    const secret = newSecret('pk_live_');
    directory.putKey(keyOf(8, secret, { lineageId: 1 }));
    const caller = authenticate(new Headers({ 'x-panicly-key': secret }), directory, NOW);
    expect(caller).toMatchObject({ lineageId: 1, key: { id: 8 }, environment: 'live' });
  });
});
