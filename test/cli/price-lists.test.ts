import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import models from '../../db/models.json';
import { download } from '../../src/cli/download.ts';
import { CliProblem } from '../../src/cli/problem.ts';
import { startCommandLine, type CommandLine } from '../support/command-line.ts';

let line: CommandLine;
let scratch = '';
/** What a stranger's server was sent. */
const seen: Request[] = [];
const stranger = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request) {
    seen.push(request);
    const { pathname } = new URL(request.url);
    if (pathname === '/list') return Response.json({ ...models, as_of: '2026-07-05' });
    if (pathname === '/moved') return Response.redirect('/list', 302);
    if (pathname === '/away') return Response.redirect('http://models.example.com/list', 302);
    if (pathname === '/file') return new Response(null, { status: 302, headers: { location: 'file:///etc/hostname' } });
    if (pathname === '/round') return Response.redirect('/round', 302);
    if (pathname === '/large') return new Response('x'.repeat(5_000));
    return new Response('no', { status: 404 });
  },
});
const at = (path: string) => `http://127.0.0.1:${stranger.port}${path}`;

beforeAll(async () => {
  line = await startCommandLine();
  ({ scratch } = line);
});
afterAll(async () => {
  await stranger.stop(true);
  await line.close();
});

const run = (argv: readonly string[], answer?: string) => line.run(argv, answer === undefined ? {} : { answer });

async function listFile(name: string, inputUsd: number): Promise<string> {
  const raw = structuredClone(models) as unknown as {
    as_of: string;
    providers: Record<string, { models: Record<string, { price: { input: number } }> }>;
  };
  raw.as_of = '2026-07-10';
  raw.providers['openai']!.models['gpt-4.1']!.price.input = inputUsd * 1e9;
  const path = join(scratch, name);
  await Bun.write(path, JSON.stringify(raw));
  return path;
}

test('a list that lowers nothing is in force at once; one that does is shown first', async () => {
  const [dear, cheap] = [await listFile('dear.json', 3), await listFile('cheap.json', 1)];
  expect(await run(['prices', 'refresh', dear, '--dry-run'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('not applied: this is what'),
  });
  expect(await run(['prices', 'refresh', dear])).toMatchObject({ code: 0, out: expect.stringContaining('input_usd 2.00 -> 3.00') });
  const refused = await run(['prices', 'refresh', cheap]);
  expect([refused.code, refused.out]).toEqual([2, '']);
  expect(refused.err).toContain('input is 3.00 USD now and would be 1.00 USD');
  expect(refused.err).toContain('repeat it with --yes');
  expect(await run(['prices', 'refresh', cheap], 'n')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^This will [^\n]+ \[y\/N\] $/),
  });
  expect(await run(['prices', 'refresh', cheap], 'y')).toMatchObject({ code: 0, out: expect.stringContaining('in force now') });
  expect(await run(['prices', 'rollback'])).toMatchObject({ code: 0, out: expect.stringContaining('input_usd 1.00 -> 3.00') });
  const back = JSON.parse((await run(['prices', 'rollback', '--yes', '--json'])).out) as { outcome: string; lowered: number };
  expect(back).toMatchObject({ outcome: 'applied', lowered: 2 });
  expect((await run(['prices', 'versions'])).out).toMatch(/rollback to \d+ .* in force, pinned\n/);
});

test('a name that stands twice reaches the server as it is', async () => {
  const path = join(scratch, 'twice.json');
  await Bun.write(path, '{"providers":{"openai":{"models":{}},"openai":{"models":{}}}}');
  expect(await run(['prices', 'refresh', path, '--yes'])).toMatchObject({ code: 1, err: expect.stringContaining('twice') });
});

test.each([
  ['no JSON', '{"providers":{}}, "confirm": true', 2, 'is not JSON'],
  ['a list', '[]', 2, 'does not hold an object'],
  ['no price list', '{"providers":{}}', 1, 'providers: holds no provider'],
])('%s is refused in one line', async (_, text, code, why) => {
  const path = join(scratch, 'wrong.json');
  await Bun.write(path, text);
  const said = await run(['prices', 'refresh', path, '--yes']);
  expect([said.code, said.err.includes(why), said.err.split('\n').length]).toEqual([code, true, 2]);
});

describe('from an address', () => {
  test('on this machine, redirects included; nothing of ours is sent along', async () => {
    const said = await run(['prices', 'refresh', at('/moved'), '--dry-run', '--json']);
    expect([said.code, (JSON.parse(said.out) as { as_of: string }).as_of]).toEqual([0, '2026-07-05']);
    expect(seen.map((request) => request.headers.get('authorization'))).toEqual([null, null]);
  });

  test.each([
    ['http elsewhere', 'http://models.example.com/list', 'is not an https address'],
    ['another scheme', 'ftp://models.example.com/list', 'is not an https address'],
    ['a password', 'https://user:secret@models.example.com/list', 'is not an https address'],
    ['a redirect to http elsewhere', at('/away'), 'redirects to http://models.example.com/list'],
    ['a redirect to a file', at('/file'), 'redirects to file:///etc/hostname'],
    ['redirects without an end', at('/round'), 'redirects too often'],
    ['too much', at('/large'), 'has more than 1000 bytes'],
    ['nothing there', at('/else'), 'status 404'],
  ])('%s is refused', async (_, address, why) => {
    const problem = await download(address, 1_000).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(CliProblem);
    expect((problem as CliProblem).message).toContain(why);
  });
});
