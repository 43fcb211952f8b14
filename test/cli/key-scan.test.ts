import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scan, type Finding } from '../../src/cli/key-scan.ts';
import { newSecret } from '../../src/domain/key.ts';
import { startCommandLine, type CommandLine } from '../support/command-line.ts';
import type { Scenario } from '../support/scenario.ts';

const KEY = newSecret('pk_live_');
const TEST_KEY = newSecret('pk_test_');
const TOKEN = newSecret('po_live_');
const WRONG = `${KEY.slice(0, -1)}${KEY.endsWith('a') ? 'b' : 'a'}`;

const bytes = (text: string | Uint8Array) => (typeof text === 'string' ? new TextEncoder().encode(text) : text);

/** What is found when the bytes come in pieces of this size. */
async function found(content: string | Uint8Array, pieceBytes = 1 << 20): Promise<Finding[]> {
  const all = bytes(content);
  const pieces = Array.from({ length: Math.ceil(all.length / pieceBytes) }, (_, index) =>
    all.slice(index * pieceBytes, (index + 1) * pieceBytes),
  );
  const findings: Finding[] = [];
  const source = {
    name: 'f',
    bytes: () => new ReadableStream<Uint8Array>({ start: (to) => (pieces.forEach((piece) => to.enqueue(piece)), to.close()) }),
  };
  for await (const finding of scan(source)) findings.push(finding);
  return findings;
}

describe('the scanner', () => {
  const TABLE: readonly (readonly [string, string | Uint8Array, readonly (readonly [number, string, boolean])[]])[] = [
    ['nothing', 'pk_live_short po_live_ pk_prod_x', []],
    [
      'one of each',
      `a ${KEY}\n"${TEST_KEY}"\n\n${TOKEN}`,
      [
        [1, KEY, true],
        [2, TEST_KEY, true],
        [4, TOKEN, true],
      ],
    ],
    [
      'two in a line',
      `${KEY},${TOKEN}\n`,
      [
        [1, KEY, true],
        [1, TOKEN, true],
      ],
    ],
    ['a wrong checksum', `\n${WRONG}`, [[2, WRONG, false]]],
    ['the key of another maker', `pk_live_${'A1'.repeat(50)}`, []],
    ['letters right behind it', `${KEY}abc`, [[1, KEY, true]]],
    ['a name before it', `export OPENAI_KEY_${KEY}`, [[1, KEY, true]]],
    [
      'between bytes that are no text',
      Buffer.concat([Buffer.of(0xff, 0xfe, 0x80, 10), Buffer.from(KEY), Buffer.of(0xc3)]),
      [[2, KEY, true]],
    ],
    [
      'UTF-16',
      Buffer.from(`\n${KEY}\n${TOKEN}`, 'utf16le'),
      [
        [2, KEY, true],
        [3, TOKEN, true],
      ],
    ],
  ];
  for (const pieceBytes of [1, 7, 45, 1 << 20])
    test.each(TABLE)(`%s, in pieces of ${pieceBytes}`, async (_, content, expected) => {
      const seen = await found(content, pieceBytes);
      expect(seen.map(({ line, prefix, checksumRight }) => [line, prefix, checksumRight])).toEqual(
        expected.map(([line, secret, right]) => [line, secret.slice(0, 12), right]),
      );
    });

  test('counts lines over many pieces, and finds each once', async () => {
    const content = Array.from({ length: 2_000 }, (_, line) => (line % 500 === 499 ? KEY : 'x'.repeat(line % 97))).join('\n');
    expect((await found(content, 1_000)).map(({ line }) => line)).toEqual([500, 1000, 1500, 2000]);
  });
});

describe('keys scan', () => {
  let line: CommandLine;
  let scenario: Scenario;
  let scratch = '';

  beforeAll(async () => {
    line = await startCommandLine();
    ({ scenario, scratch } = line);
  });
  afterAll(() => line.close());

  const runWords = (words: readonly string[], stdin = '', to = line.url) => line.run(words, { stdin, url: to });
  const run = (argv: readonly string[], stdin?: string, to?: string) => runWords(['keys', 'scan', ...argv], stdin, to);

  test('says which keys work, and ends with 1 when one does', async () => {
    const { liveKey, operatorToken } = scenario.made;
    const { code, out, err } = await run(['-'], `${KEY}\n${liveKey}\n${operatorToken}\n${WRONG}\n`);
    const sentence =
      '2 secrets found that work: replace them ("panicly keys rotate", "panicly operators create" and "remove"), and take them';
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
    const lines = out.trim().split('\n').slice(1);
    expect(lines.map((line) => line.trim().split(/ {2,}/).slice(0, 5))).toEqual([
      ['-:1', 'live', `${KEY.slice(0, 12)}...`, 'right', 'unknown'],
      ['-:2', 'live', `${liveKey.slice(0, 12)}...`, 'right', 'active'],
      ['-:3', 'operator', `${operatorToken.slice(0, 12)}...`, 'right', 'active'],
      ['-:4', 'live', `${WRONG.slice(0, 12)}...`, 'wrong', 'unknown'],
    ]);
    for (const secret of [KEY, liveKey, operatorToken, WRONG]) expect(out + err).not.toContain(secret);
  });

  test('a key that stands in several places is one', async () => {
    const { code, err } = await run(['-'], `${scenario.made.liveKey}\n`.repeat(3));
    const sentence = 'one secret found that works: replace it ("panicly keys rotate"), and take it out of the file';
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  });

  test('a revoked key and one of nobody are no reason to stop', async () => {
    const made = await scenario.operate('POST', '/projects/default/keys', { name: 'leaked' });
    await scenario.operate('POST', `/keys/${String(made.json['id'])}/revoke`);
    const { code, out } = await run(['-', '--json'], `${String(made.json['key'])} ${KEY}`);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        data: [
          expect.objectContaining({
            file: '-',
            line: 1,
            kind: 'key',
            environment: 'live',
            checksum: 'right',
            status: 'revoked',
            name: 'leaked',
          }),
          expect.objectContaining({ status: 'unknown', id: null }),
        ],
      },
    ]);
    expect((await run(['-'], 'nothing here')).out).toBe('nothing found\n');
  });

  test('the server sees hashes only', async () => {
    const bodies: string[] = [];
    const spy = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: async (request) => {
        bodies.push(request.url + (await request.text()) + JSON.stringify([...request.headers]));
        return Response.json({ data: [], next_cursor: null });
      },
    });
    expect((await run(['-'], `${KEY}\n${WRONG}`, `http://127.0.0.1:${spy.port}`)).code).toBe(1);
    await spy.stop(true);
    expect(bodies).toHaveLength(1);
    for (const secret of [KEY, WRONG, KEY.slice(8)]) expect(bodies[0]).not.toContain(secret);
  });

  test('without a server any key that is whole may work', async () => {
    for (const ran of [await run(['-', '--offline'], KEY), await run(['-'], KEY, 'http://127.0.0.1:9')])
      expect([ran.code, ran.out, ran.err]).toEqual([1, expect.stringContaining('unchecked'), expect.stringContaining('may work')]);
    expect((await run(['-', '--offline'], KEY)).err).toContain('one secret found that may work');
    expect((await run(['-', '--offline'], `${KEY} ${TOKEN}`)).err).toContain('2 secrets found that may work');
    expect((await run(['-', '--offline'], WRONG)).code).toBe(0);
  });

  test('directories are walked, links and .git are not', async () => {
    const dir = join(scratch, 'tree');
    mkdirSync(join(dir, 'deep', '.git'), { recursive: true });
    mkdirSync(join(dir, '.hidden'));
    writeFileSync(join(dir, 'deep', 'a.txt'), `x\n${KEY}`);
    writeFileSync(join(dir, 'deep', '.git', 'b'), KEY);
    writeFileSync(join(dir, '.hidden', '.env'), TOKEN);
    symlinkSync(join(dir, 'deep', 'a.txt'), join(dir, 'link'));
    symlinkSync(dir, join(dir, 'loop'));
    const { out } = await run([dir, join(dir, 'deep', 'a.txt'), '--json', '--offline']);
    const { data } = JSON.parse(out) as { data: { file: string; line: number }[] };
    expect(data.map(({ file, line }) => `${file.slice(dir.length)}:${line}`).toSorted()).toEqual([
      '/.hidden/.env:1',
      '/deep/a.txt:2',
      '/deep/a.txt:2',
    ]);
    expect((await run([join(dir, 'missing')])).code).toBe(2);
  });

  test('keys that nobody uses are listed over all projects, with when they were used', async () => {
    await scenario.operate('POST', '/projects', { name: 'other' });
    const fresh = await runWords(['keys', 'list', '--unused-for', '1d', '--json']);
    expect([fresh.code, JSON.parse(fresh.out)]).toEqual([0, []]);
    expect((await runWords(['keys', 'list', '--project', 'default'])).out).toContain('LAST USED');
    expect((await runWords(['keys', 'list', '--unused-for', 'long'])).code).toBe(1);
  });

  test('an operator of a workspace is made by its name, and the list says which', async () => {
    const made = await runWords(['operators', 'create', 'bob', '--role', 'owner', '--workspace', 'default', '--json']);
    expect(JSON.parse(made.out)).toMatchObject({ role: 'owner', workspace_id: scenario.made.workspaceId });
    expect((await runWords(['operators', 'list'])).out).toMatch(new RegExp(`bob +owner +${scenario.made.workspaceId}`));
    expect((await runWords(['operators', 'create', 'x', '--workspace', 'nowhere'])).code).toBe(2);
  });

  test('the master key is replaced once it is confirmed', async () => {
    expect((await runWords(['master-key', 'rotate'])).code).toBe(2);
    const ran = await runWords(['master-key', 'rotate', '--yes']);
    expect([ran.code, ran.out]).toEqual([0, expect.stringContaining('sealed with the new master key')]);
  });
});
