import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadOrMakeMasterKey } from '../../src/upstream/key-files.ts';
import { MasterKey, open, parseMasterKey, seal, Secret, SecretError } from '../../src/upstream/secrets.ts';

const CANARY = 'sk-canary-0123456789';
const key = new MasterKey(new Uint8Array(32).fill(7));
const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true })));

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'panicly-secrets-'));
  dirs.push(dir);
  return dir;
}

describe('seal and open', () => {
  test.each([CANARY, '', 'é\u{1f511}', 'x'.repeat(10_000)])('%#: what went in comes out', (plain) => {
    expect(open(seal(plain, key, 'connection:1'), key, 'connection:1').reveal()).toBe(plain);
  });

  test('the same text is sealed differently each time and never in the clear', () => {
    const [one, two] = [seal(CANARY, key, 'a'), seal(CANARY, key, 'a')];
    expect(Buffer.from(one).equals(Buffer.from(two))).toBe(false);
    expect(Buffer.from(one).includes('canary')).toBe(false);
  });

  test('another key, another row, and any flipped bit are refused', () => {
    const sealed = seal(CANARY, key, 'connection:1');
    expect(() => open(sealed, new MasterKey(new Uint8Array(32)), 'connection:1')).toThrow(SecretError);
    expect(() => open(sealed, key, 'connection:2')).toThrow(SecretError);
    expect(() => open(sealed.subarray(0, 20), key, 'connection:1')).toThrow(SecretError);
    for (let index = 0; index < sealed.length; index++) {
      const bent = Uint8Array.from(sealed);
      bent[index]! ^= 1;
      expect(() => open(bent, key, 'connection:1')).toThrow(SecretError);
    }
  });

  test('keys for different purposes differ', () => {
    expect(Buffer.from(key.derive('seal')).equals(Buffer.from(key.derive('chain')))).toBe(false);
    expect(key.derive('seal')).toHaveLength(32);
  });
});

describe('secrets are not shown', () => {
  const secret = new Secret(CANARY);
  const shown: readonly [string, string][] = [
    ['String', secret.toString()],
    ['JSON', JSON.stringify({ secret })],
    ['node inspect', inspect({ secret }, { depth: 9, showHidden: true })],
    ['Bun.inspect', Bun.inspect({ nested: { secret } })],
    ['Object.entries', JSON.stringify(Object.entries(secret))],
    ['Object.assign', JSON.stringify(Object.assign({}, secret))],
    ['error', Bun.inspect(new Error('x', { cause: secret }))],
  ];
  test.each(shown)('%s', (_, text) => {
    expect(text).not.toContain('canary');
  });

  test('nor is a master key', () => {
    const text = JSON.stringify(key) + inspect(key, { showHidden: true }) + Bun.inspect(key);
    expect(text).toBe('"[secret]"[secret][secret]');
  });
});

describe('the master key', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => index + 220));
  test.each([bytes.toString('base64'), bytes.toString('base64url'), ` ${bytes.toString('base64')}\n`])('%s is read', (text) => {
    expect(parseMasterKey(text).derive('x')).toEqual(new MasterKey(bytes).derive('x'));
  });

  test.each(['', 'short', 'A'.repeat(42), 'A'.repeat(45), `${'A'.repeat(42)}!=`, bytes.toString('hex')])('%j is refused', (text) => {
    expect(() => parseMasterKey(text)).toThrow(SecretError);
  });

  test('is made once, with mode 0600, and leaves no draft', () => {
    const dir = newDir();
    const made = loadOrMakeMasterKey(dir);
    expect(loadOrMakeMasterKey(dir).derive('x')).toEqual(made.derive('x'));
    expect(readdirSync(dir)).toEqual(['master.key']);
    expect(statSync(join(dir, 'master.key')).mode & 0o777).toBe(0o600);
  });

  test('two processes that start at once get the same one', async () => {
    const dir = newDir();
    const code = `import { loadOrMakeMasterKey } from ${JSON.stringify(`${import.meta.dir}/../../src/upstream/key-files.ts`)};
      console.log(Buffer.from(loadOrMakeMasterKey(${JSON.stringify(dir)}).derive('x')).toString('hex'));`;
    const started = [1, 2].map(() => Bun.spawn({ cmd: [process.execPath, '-e', code], stdout: 'pipe' }));
    const [one, two] = await Promise.all(started.map((child) => new Response(child.stdout).text()));
    expect(one).toMatch(/^[0-9a-f]{64}\n$/);
    expect(two).toBe(one);
  });

  test('a damaged file and one that others may read are refused in words', () => {
    const dir = newDir();
    const path = join(dir, 'master.key');
    writeFileSync(path, 'damaged', { mode: 0o600 });
    expect(() => loadOrMakeMasterKey(dir)).toThrow(/damaged/);
    chmodSync(path, 0o644);
    expect(() => loadOrMakeMasterKey(dir)).toThrow(/chmod 600/);
  });
});
